"""Tables, rules and progress at a terminal and in a pipe, whatever the names in them are."""

import io
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from cloudscan.cli.progress import Progress
from cloudscan.cli.table import show_details, show_table
from cloudscan.connector import Scope
from cloudscan.facts import Outcome
from cloudscan.finding import Severity
from cloudscan.snapshot.collect import Began, Finished, Found, Retrying, Sealing
from cloudscan.snapshot.spool import ScopeReport
from cloudscan.text import width
from tests.cli.conftest import Desk
from tests.reports.hostile import NAMES

HEAD = ("score", "severity", "what", "account", "since", "", "id")
LONG = "顧客リスト_2026年度_全社共有用_最終版.xlsx can be edited by anyone who has the link " * 3
ROWS = [
    [1234, Severity.CRITICAL, LONG, "kumo.example", "2026-11-23", "waived until 2027-01-01", "1a2b3c4d"],
    [12, Severity.LOW, "menu.pdf", "111122223333", "2026-11-24", None, "deadbeef"],
]
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_a_table_fits_the_width_and_loses_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))

    show_table(HEAD, ROWS)

    shown = capsys.readouterr().out
    assert max(map(width, shown.splitlines())) <= columns
    assert "".join("".join(str(row[2]).split()) for row in ROWS[1:]) in "".join(shown.split())
    assert ("\n\n" in shown) is (columns < 80)  # too narrow for columns: a list for each row


def test_piped_rows_are_lines_with_whole_values(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(HEAD, ROWS)

    head, rule, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["score", "severity", "what", "account", "since", "id"]
    assert set(rule) == {"─", " "}
    assert LONG.strip() in first
    assert re.split(r"\s{2,}", second) == ["12", "low", "menu.pdf", "111122223333", "2026-11-24", "deadbeef"]


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"COLUMNS": "80"}, False),
    ],
)
def test_colour_is_for_terminals_and_for_those_who_ask(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], coloured: bool
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    show_table(HEAD, ROWS)

    assert ("\x1b[" in capsys.readouterr().out) is coloured


@pytest.mark.parametrize("columns", ["", "40", "100"])
@pytest.mark.parametrize("name", [*NAMES, "[red]x[/red] :smile: [link=https://evil.example]y[/link]"])
def test_a_name_is_shown_and_never_obeyed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)

    show_table(("what", "id"), [[name, "1a2b3c4d"]])
    show_details(name, {"why": name})

    shown = capsys.readouterr().out
    assert all(letter == "\n" or letter.isprintable() or unicodedata.category(letter) == "Zs" for letter in shown)
    if "[red]" in name:
        assert "".join(name.split()) in "".join(shown.split())


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("guide.pdf", 9),
        ("ガイド.pdf", 10),
        (unicodedata.normalize("NFD", "ガイド.pdf"), 10),
        ("👍🏽", 2),
        ("e\u0301", 1),
    ],
)
def test_the_width_is_that_of_a_terminal(text: str, columns: int) -> None:
    assert width(text) == columns


def test_a_rule_is_shown_with_its_parts_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    piped = desk.run("rules", "show", "s3-public-read-by-policy").out
    monkeypatch.setenv("COLUMNS", "40")
    fitted = desk.run("rules", "show", "s3-public-read-by-policy").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = desk.run("rules", "show", "s3-public-read-by-policy").out

    assert re.search(r"^Query:\nSELECT .*\n", piped, re.MULTILINE)
    assert "{name}: filled in for each finding" in piped
    assert max(map(width, fitted.splitlines())) <= 40
    assert "\x1b" not in fitted
    assert "\x1b" in coloured
    assert "".join(CONTROL.sub("", coloured).split()) == "".join(fitted.split())


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_says_how_far_and_what_is_read_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Even of scopes with names of 250 letters; what a platform says above it is one plain line."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", "60")
    scopes = [Scope(uid=f"toy:{n}", platform="toy", kind="drive", name=f"営業部{n} " + "x" * 250) for n in range(5)]
    (tmp_path / "facts.jsonl").touch()

    progress = Progress((), {}, "en")
    progress(Found(total=5))
    for scope in scopes:
        progress(Began(scope=scope))
    progress(Retrying(scope=scopes[0], cause="throttled", reason="slow\ndown\x1b[2J", seconds=3.2, attempt=1))
    report = ScopeReport(scope=scopes[0], outcome=Outcome.COMPLETE)
    progress(Finished(scope=scopes[0], report=report, path=tmp_path / "facts.jsonl", done=1, total=5))
    progress(Sealing(scopes=5))
    progress.close()

    lines = [CONTROL.sub("", line) for line in re.split(r"[\r\n]+", screen.getvalue())]
    assert max(map(width, lines)) <= 60
    assert any(line.startswith("1 of 5 scopes read") for line in lines)
    assert "xx… +2" not in "".join(lines)
    assert "slow down\\x1b[2J; trying again in 3 s" in " ".join(" ".join(lines).split())
    assert screen.getvalue().rstrip().endswith("\x1b[2K")  # the display is gone


def test_a_pipe_that_closes_early_ends_a_report_quietly(desk: Desk) -> None:
    """`cloudscan report --format ndjson -o - | head -1`: no stack trace, no exit code of a failure."""
    desk.run("scan")
    read, write = os.pipe()
    os.close(read)

    with os.fdopen(write) as closed:
        done = subprocess.run(
            [sys.executable, "-m", "cloudscan", "report", "--format", "ndjson", "-o", "-"],
            cwd=desk.folder,
            env=desk.environment,
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert (done.returncode, done.stderr) == (0, "")
