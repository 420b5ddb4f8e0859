"""Scan, look back, ask: through the command line, on a company that is a folder of JSON files."""

import csv
import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cloudscan.snapshot import lock
from tests.cli.conftest import TOY, Desk, Said

Scanned = Callable[..., Said]


def test_findings_make_the_exit_code_one(scanned: Scanned, desk: Desk) -> None:
    """The summary says what is open; the last line is the report's path; only its owner may read it."""
    result = scanned()

    assert result.code == 1
    assert "plan can be opened by anyone who has the link" in result.out
    report = Path(result.out.splitlines()[-1])
    assert "plan can be opened" in report.read_text()
    assert report.stat().st_mode & 0o077 == 0
    assert result.err == ""


@pytest.mark.parametrize(("fail_on", "code"), [("high", 1), ("critical", 0)])
def test_fail_on_decides_what_is_bad_enough(scanned: Scanned, fail_on: str, code: int) -> None:
    assert scanned("--fail-on", fail_on).code == code


def test_a_clean_company_is_zero(scanned: Scanned, desk: Desk) -> None:
    desk.shelve(plan="company")

    assert scanned().code == 0


@pytest.mark.parametrize(("plan", "code"), [("company", 3), ("everybody", 5)])
def test_a_gap_makes_the_exit_code_three_and_with_findings_five(
    scanned: Scanned, desk: Desk, plan: str, code: int
) -> None:
    """What could not be read is said once, in words, and never as a stack trace."""
    desk.shelve(plan=plan)
    (desk.folder / "company" / "board.json").write_text("no JSON")

    result = scanned("--format", "json")

    assert result.code == code
    assert result.err.count("not JSON") == 1
    assert "Traceback" not in result.err
    (gap,) = [row for row in result.json["coverage"] if row["outcome"] != "complete"]
    assert gap["scope_name"] == "board"


def test_json_is_json_and_nothing_else(scanned: Scanned) -> None:
    result = scanned("--format", "json", "--lang", "ja")

    (finding,) = result.json["findings"]
    assert finding["message"]["ja"] == "plan はリンクを知っている全員が開けます"


def test_a_second_scan_at_the_same_time_is_refused(scanned: Scanned, desk: Desk) -> None:
    with lock.exclusive(desk.folder / ".cloudscan"):
        result = scanned()

    assert result.code == 4
    assert result.err.count("\n") == 1
    assert "Another scan is running" in result.err


def test_what_is_left_out_on_request_is_not_taken_for_gone(scanned: Scanned, desk: Desk) -> None:
    scanned()

    scanned("--skip-scope", "sales")

    (finding,) = desk.run("findings", "--format", "json").json
    assert finding["state"] == "open"
    assert not finding["verified"]


def test_findings_are_listed_again_without_scanning(scanned: Scanned, desk: Desk) -> None:
    scanned()
    (desk.folder / "company" / "sales.json").unlink()

    result = desk.run("findings")

    assert result.code == 0
    assert "plan can be opened" in result.out
    assert "plan can be opened" not in desk.run("findings", "--severity", "critical").out


def test_the_report_is_written_again_in_japanese(scanned: Scanned, desk: Desk) -> None:
    scanned()

    result = desk.run("report", "--lang", "ja", "--output", "report.html")

    assert result.out.strip() == "report.html"
    page = (desk.folder / "report.html").read_text()
    assert '<html lang="ja"' in page
    assert "リンクを知っている全員が開けます" in page


def test_the_report_goes_to_stdout(scanned: Scanned, desk: Desk) -> None:
    scanned()

    result = desk.run("report", "--format", "json", "--output", "-")

    assert result.json["organisation"] == "Acme"


def test_collect_and_judge_are_a_scan_in_two_steps(desk: Desk) -> None:
    """Judging needs no network and leaves the ledger alone."""
    collected = desk.run("collect", "--into", "snapshot")
    (desk.folder / "company" / "sales.json").unlink()

    judged = desk.run("judge", "snapshot", "--format", "json")

    assert (collected.code, judged.code) == (0, 1)
    assert collected.out.strip() == str(desk.folder / "snapshot")
    assert [verdict["subject"]["name"] for verdict in judged.json] == ["plan"]
    assert desk.run("findings").code == 2


def test_a_query_answers_in_json_and_csv(scanned: Scanned, desk: Desk) -> None:
    """Ids come back as text, ladders compare by rung, and no cell becomes a formula in a spreadsheet."""
    desk.shelve(**{"=1+1": "everybody", "bell\x07\u202e": "everybody", "notes": "me"})
    scanned()
    sql = "SELECT resource_uid, resource_name FROM exposures WHERE resource_name = '=1+1'"
    columns = """SELECT resource_name AS "=1+1;\x1b" FROM exposures WHERE resource_name LIKE 'bell%'"""

    as_json = desk.run("query", sql, "--format", "json").json
    as_csv = list(csv.reader(io.StringIO(desk.run("query", sql, "--format", "csv").out)))
    hostile = list(csv.reader(io.StringIO(desk.run("query", columns, "--format", "csv").out)))

    assert as_json == [{"resource_uid": "toy:document/sales/=1+1", "resource_name": "=1+1"}]
    assert as_csv == [["resource_uid", "resource_name"], ["toy:document/sales/=1+1", "'=1+1"]]
    assert hostile == [["'=1+1;\\x1b"], ["bell\\x07\\u202e"]]


def test_strangers_names_do_not_reach_the_terminal_raw(scanned: Scanned, desk: Desk) -> None:
    desk.shelve(**{"a\x1b[2Jb\u202ec": "everybody"})

    outputs = [scanned().out, desk.run("findings").out, desk.run("query", "SELECT name FROM resources").out]

    assert not [text for text in outputs if "\x1b" in text or "\u202e" in text]


def test_rules_are_listed_shown_checked_and_tested(desk: Desk) -> None:
    listed = desk.run("rules", "list")
    shown = desk.run("rules", "show", "document-open-to-everybody", "--lang", "ja")
    linted = desk.run("rules", "lint")
    tested = desk.run("rules", "test")

    assert "document-open-to-everybody" in listed.out
    assert "誰でも開けるドキュメント" in shown.out
    assert (linted.code, tested.code) == (0, 0)


def test_doctor_finds_everything_in_place(desk: Desk) -> None:
    result = desk.run("doctor")

    assert result.code == 0
    assert "BAD" not in result.out


def test_a_terminal_sees_the_first_findings_before_the_end(desk: Desk) -> None:
    """Progress and first findings are on stderr, and only where that is a terminal; results are on stdout."""
    terminal, end = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(desk.site), str(TOY)]), "TERM": "xterm"}
    command = [sys.executable, "-m", "cloudscan", "scan", "--format", "json"]
    printed = desk.folder / "printed.json"
    # A file and not a pipe: nobody reads a pipe while this waits for the terminal, and a full one holds the scan up.
    with (
        printed.open("wb") as out,
        subprocess.Popen(command, cwd=desk.folder, env=environment, stdout=out, stderr=end) as process,
    ):
        os.close(end)
        seen = b""
        while chunk := _read(terminal):
            seen += chunk
    os.close(terminal)

    assert process.returncode == 1
    assert b"plan can be opened by anyone" in seen
    assert json.loads(printed.read_text())["findings"]


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux says so when the other end is closed
        return b""


@pytest.mark.parametrize(("plan", "codes"), [("company", (0, 3)), ("everybody", (1, 5))])
def test_a_judgement_keeps_both_truths_too(desk: Desk, plan: str, codes: tuple[int, int]) -> None:
    """What a snapshot could not read is as unknown offline as it was then."""
    desk.shelve(plan=plan)
    desk.run("collect", "--into", "whole")
    (desk.folder / "company" / "board.json").write_text("no JSON")
    collected = desk.run("collect", "--into", "part")

    assert collected.code == 3
    assert (desk.run("judge", "whole").code, desk.run("judge", "part").code) == codes


def test_a_rule_is_shown_beside_one_that_cannot_be_read(desk: Desk) -> None:
    """Only what is asked for is read; the list of all says what is wrong, as before a scan."""
    folder = desk.folder / "own"
    folder.mkdir()
    (folder / "broken.yaml").write_text("[]")

    shown = desk.run("rules", "show", "document-open-to-everybody", str(folder))
    listed = desk.run("rules", "list", str(folder))

    assert (shown.code, listed.code) == (0, 2)
    assert shown.out.startswith("document-open-to-everybody (")
    assert "broken.yaml:1: " in listed.err
