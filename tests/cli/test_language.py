"""The language at the terminal: the command line's own, else the configuration's, else the environment's."""

import pytest

from cloudscan.cli.help import wrap
from cloudscan.cli.language import of_environment
from cloudscan.text import width
from tests.cli.conftest import CONFIG, Desk

IN_JAPANESE = CONFIG.replace("[organisation]", '[organisation]\nlanguage = "ja"')


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "ja"}, "ja"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "ja_JP.eucJP"}, "ja"),
        ({"LANG": "ja_JP.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "de:ja:en"}, "ja"),
        ({"LANG": "ja_JP.UTF-8", "LANGUAGE": "en"}, "en"),
        ({"LC_ALL": "C", "LANGUAGE": "ja"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_environment_is_read_as_gettext_reads_it(environment: dict[str, str], language: str) -> None:
    assert of_environment(environment) == language


def test_what_is_written_counts_most(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")

    assert desk.run("trend").out == "スキャンがまだありません。先に `cloudscan scan` を実行してください。\n"
    assert desk.run("trend", "--lang", "en").out == "There is no scan yet; run `cloudscan scan` first.\n"
    assert desk.run("--lang", "en", "trend").out == "There is no scan yet; run `cloudscan scan` first.\n"


def test_the_configuration_counts_more_than_the_environment(desk: Desk) -> None:
    desk.configure(IN_JAPANESE)

    assert desk.run("waive", "list").out == "有効な受容はありません。\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["scna"], "コマンド 'scna' はありません。scan と指定してください。"),
        (["scan", "--fial-on", "high"], "オプション '--fial-on' はありません。"),
        (["scan", "--fail-on", "dreadful"], "'dreadful' は使えません。"),
        (["waive", "add", "--until", "soon"], "'soon' は日付ではありません。2027-03-31 の形で指定してください。"),
        (["findings"], "検出結果がまだありません。"),
        (["scan", "--connector", "tyo"], "toy と指定してください。"),
        (["report", "--from"], "ヘルプは 'cloudscan report --help' で表示できます。"),
    ],
)
def test_errors_are_in_the_language(desk: Desk, arguments: list[str], words: str) -> None:
    """Our own and those of the library that reads the command line."""
    desk.configure(IN_JAPANESE)

    result = desk.run(*arguments)

    assert result.code == 2
    assert words in result.err


def test_help_is_in_the_language(desk: Desk) -> None:
    desk.configure(IN_JAPANESE)

    result = desk.run("waive", "--help")

    assert result.out.startswith("使い方: cloudscan waive")
    assert "オプション:" in result.out
    assert "取り消した" in result.out


def test_a_configuration_that_cannot_be_read_is_reported_in_the_environments_language(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    desk.configure("[scan\n")

    assert "TOML として正しくありません" in desk.run("scan").err


def test_what_the_terminal_cannot_encode_ends_no_command(desk: Desk) -> None:
    result = desk.process("findings", "--rule", "–", "--lang", "en", PYTHONIOENCODING="cp932")

    assert result.code == 2
    assert "UnicodeEncodeError" not in result.err


def test_japanese_is_wrapped_by_columns_and_not_before_a_full_stop() -> None:
    lines = wrap("設定を確認し、問題があれば cloudscan doctor を実行してください。", 12)

    assert max(map(width, lines)) <= 14
    assert not [line for line in lines if line.startswith(("、", "。"))]
    assert "".join(lines).replace(" ", "") == "設定を確認し、問題があればcloudscandoctorを実行してください。"
