"""Reasons in words: filled, counted, quoted, and never an error of their own."""

from pathlib import Path

import pytest

from cloudscan.errors import Unreachable
from cloudscan.reason import Reason, advice, block, has_words, question, sentence, step

THROTTLED = Reason(code="host-throttles", values={"host": "https://drive.example", "status": "429"})


@pytest.mark.parametrize(
    ("language", "what", "next_step"),
    [
        ("en", "https://drive.example is throttling requests (HTTP 429)", "Allow more time"),
        ("ja", "https://drive.example がリクエスト数を制限しています（HTTP 429）", "持ち時間を延ばすか"),
    ],
)
def test_a_reason_says_what_happened_and_what_to_do(language: str, what: str, next_step: str) -> None:
    assert sentence(THROTTLED, language) == what
    assert advice(THROTTLED, language).startswith(next_step)


@pytest.mark.parametrize(
    ("count", "language", "words"),
    [
        (1, "en", "one line of the spool could not be read"),
        (12_000, "en", "12,000 lines of the spool could not be read"),
        (1, "ja", "読み取れない行が 1 行ありました"),
    ],
)
def test_amounts_choose_the_plural_form(count: int, language: str, words: str) -> None:
    assert sentence(Reason(code="spool-malformed", values={"count": count}), language) == words


@pytest.mark.parametrize(
    ("language", "framed"),
    [("en", "it could not be read (“no {code}, no”)"), ("ja", "読み取れませんでした：「no {code}, no」")],
)
def test_the_platforms_own_words_are_quoted_in_one_line(language: str, framed: str) -> None:
    """They are not a template: braces stay."""
    assert sentence(Reason(code="cannot-read", quote="  no {code},\n no "), language) == framed


def test_a_long_quote_is_cut() -> None:
    assert sentence(Reason(code="cannot-read", quote="x" * 5_000), "en").endswith("xxx…”)")


@pytest.mark.parametrize("language", ["en", "ja", "de", "xx-yy", "", "../../etc"])
def test_nothing_is_raised_by_what_is_missing(language: str) -> None:
    """A value, a code, a language: the words are looked up while an error is being reported."""
    unknown = Reason(code="some-plugins-own")

    assert "?" in sentence(Reason(code="no-answer"), language)
    assert sentence(unknown, language) == step(unknown, language) == "some-plugins-own"
    assert advice(unknown, language) == ""
    assert (block("BlockX", language), question("q-x", language)) == ("BlockX", "q-x")
    assert (block("", language), question("", language)) == ("", "")


def test_an_older_cloudscans_prose_stays_as_it_is() -> None:
    assert sentence("it is {gone}", "ja") == "it is {gone}"
    assert step("It is so.", "ja") == "It is so."
    assert advice("it is gone", "ja") == ""


def test_a_value_is_never_read_as_a_field() -> None:
    assert "{count}" in sentence(Reason(code="no-answer", values={"host": "{count}", "count": 3}), "en")


def test_an_error_is_a_sentence_with_its_advice() -> None:
    error = Unreachable("host-unknown", quote="Could not resolve host", host="https://drive.example")

    assert str(error) == (
        "the name of https://drive.example cannot be resolved (“Could not resolve host”). "
        "Check the address for typing errors, and this machine's DNS server."
    )


def installed(folder: Path, name: str, words: str, files: dict[str, str]) -> None:
    """A plugin as pip leaves it: its metadata, and perhaps its catalogues."""
    about = folder / f"{name}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[cloudscan.words]\n{name} = {words}\n")
    for file, text in files.items():
        (folder / words).mkdir(exist_ok=True)
        (folder / words / file).write_text(text, "utf-8")


def entry(context: str, english: str, translated: str = "") -> str:
    return f'msgctxt "{context}"\nmsgid "{english}"\nmsgstr "{translated}"\n\n'


def test_a_plugin_brings_words_in_a_further_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not translated is English, and a plugin's words do not replace the core's."""
    theirs = entry("reason.box-closed", "the box is closed", "de doos is dicht")
    installed(
        tmp_path,
        "zz-box",
        "zz_box_words",
        {"messages.pot": theirs, "nl.po": theirs + entry("reason.left-out", "{name} is left out on request", "weg")},
    )
    monkeypatch.syspath_prepend(tmp_path)

    assert sentence(Reason(code="box-closed"), "nl") == "de doos is dicht"
    assert has_words("reason", "box-closed", "nl")
    assert not has_words("reason", "cannot-read", "nl")
    assert sentence(Reason(code="cannot-read"), "nl") == "it could not be read"


@pytest.mark.parametrize(
    ("language", "files"),
    [
        ("pt", {}),
        ("sv", {"sv.po": 'msgctxt "reason"\nmsgid "x"\nmsgstr "y"\n\nmsgctxt "reason.z"\nmsgid "z"\nmsgstr "w"\n'}),
        ("da", {"da.po": "\udcff\udcfe no catalogue".encode("utf-8", "surrogateescape").decode("latin-1")}),
    ],
    ids=["no folder", "a context without a code", "no catalogue"],
)
def test_a_plugins_broken_catalogue_hides_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, files: dict[str, str]
) -> None:
    installed(tmp_path, "zz-broken", f"zz_broken_words_{language}", files)
    monkeypatch.syspath_prepend(tmp_path)

    assert sentence(Reason(code="cannot-read"), language) == "it could not be read"
