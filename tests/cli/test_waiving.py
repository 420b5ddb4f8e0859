"""Accept, look back, compare: waivers, diff and trend through the command line."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloudscan.ledger.ledger import Ledger
from cloudscan.ledger.waivers import WaiverRequest
from tests.cli.conftest import CONFIG, Desk, Said

Scanned = Callable[..., Said]
WHO_AND_WHY = ("--owner", "Mika Sato", "--reason", "The price list is public on purpose.")
TODAY = datetime.now(UTC).date()


def give(desk: Desk, *more: str) -> Said:
    return desk.run("waive", "add", "--target", "toy", *WHO_AND_WHY, *more)


def test_what_is_waived_fails_no_scan_and_stays_visible(scanned: Scanned, desk: Desk) -> None:
    """By the id that `findings` prints; the next report names owner, reason and end."""
    scanned()
    number = desk.run("findings").out.split()[-1]

    given = desk.run("waive", "add", "--finding", number, *WHO_AND_WHY, "--days", "30")
    again = scanned("--format", "json")

    until = str(TODAY + timedelta(days=30))
    assert given.code == 0
    assert given.out.startswith(f"Waiver 1 is in force until {until} and covers one finding:")
    assert again.code == 0
    (finding,) = again.json["findings"]
    assert finding["state"] == "waived"
    assert finding["waiver"]["owner"] == "Mika Sato"
    assert finding["waiver"]["reason"] == "The price list is public on purpose."
    assert finding["waiver"]["until"] == until


def test_a_waiver_shows_at_once(scanned: Scanned, desk: Desk) -> None:
    """In the list of findings and in the last report, without another scan."""
    scanned()

    give(desk, "--days", "7")

    assert f"waived until {TODAY + timedelta(days=7)}" in desk.run("findings").out
    assert desk.run("findings", "--not-waived").out.strip() == "No open findings."
    assert '"waived"' in desk.run("report", "--format", "json", "-o", "-").out


def test_an_expired_waiver_reopens_and_fails_the_scan(scanned: Scanned, desk: Desk) -> None:
    scanned()
    last_month = datetime.now(UTC) - timedelta(days=30)
    wish = WaiverRequest(target="toy", owner="me", reason="why", until=(last_month + timedelta(days=9)).date())
    Ledger("sqlite:///.cloudscan/ledger.db").waive(wish, now=last_month)
    listed = desk.run("waive", "list", "--only", "overdue", "--format", "json").json

    after = scanned("--format", "json")

    assert [status["notes"] for status in listed] == [["overdue"]]
    assert after.code == 1
    assert [finding["state"] for finding in after.json["findings"]] == ["reopened"]


def test_what_has_grown_is_work_again(scanned: Scanned, desk: Desk) -> None:
    scanned()
    give(desk, "--days", "100")
    desk.shelve(plan="the web", notes="me")

    result = scanned()

    assert result.code == 1
    (status,) = desk.run("waive", "list", "--only", "widened", "--format", "json").json
    assert list(status["widened"].values()) == [["audience"]]


def test_a_waiver_for_a_rule_in_a_place(scanned: Scanned, desk: Desk) -> None:
    scanned()

    result = desk.run(
        "waive", "add", "--rule", "document-open-to-everybody", "--target", "toy", *WHO_AND_WHY, "--days", "5"
    )

    assert "covers one finding" in result.out
    assert "document-open-to-everybody at toy" in desk.run("waive", "list").out


def test_a_revoked_waiver_is_over_at_once(scanned: Scanned, desk: Desk) -> None:
    scanned()
    give(desk, "--days", "7")

    would = desk.run("waive", "revoke", "1", "--dry-run")
    still = desk.run("waive", "list").out
    revoked = desk.run("waive", "revoke", "1")

    assert "would end; it covered one finding" in would.out
    assert "Mika Sato" in still
    assert revoked.out.startswith("Waiver 1 has ended; it covered one finding")
    assert desk.run("waive", "list").out.strip() == "No waiver is in force."
    assert "revoked" in desk.run("waive", "list", "--all").out
    assert scanned().code == 1


def test_a_dry_run_says_what_a_waiver_would_cover(scanned: Scanned, desk: Desk) -> None:
    scanned()

    result = give(desk, "--days", "7", "--dry-run")

    assert result.out.startswith("Dry run: this waiver is in force until")
    assert "plan" in result.out
    assert desk.run("waive", "list", "--format", "json").json == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["--finding", "--rule, --target"]),
        (["--target", "toy"], ["--owner"]),
        (["--target", "toy", "--owner", "me"], ["--reason"]),
        (["--target", "toy", "--owner", "me", "--reason", "why"], ["--until", "at the latest", "max_days = 30"]),
        (["--target", "toy", *WHO_AND_WHY, "--days", "31"], ["too far away", "--until"]),
        (["--target", "toy", *WHO_AND_WHY, "--until", "2020-01-01"], ["2020-01-01 is in the past"]),
        (["--target", "toy", *WHO_AND_WHY, "--until", "soon"], ["'soon' is not a date", "2027-03-31"]),
        (["--target", "toy", *WHO_AND_WHY, "--until", "2020-01-01", "--days", "1"], ["not both"]),
        (["--rule", "document-open", *WHO_AND_WHY, "--days", "1"], ["write document-open-to-everybody"]),
        (["--target", "tyo", *WHO_AND_WHY, "--days", "1"], ["write toy"]),
        (["--finding", "feedfeed", *WHO_AND_WHY, "--days", "1"], ["cloudscan findings"]),
    ],
)
def test_what_cannot_be_waived_says_what_to_write(
    scanned: Scanned, desk: Desk, arguments: list[str], words: list[str]
) -> None:
    desk.configure(f"{CONFIG}\n[waivers]\nmax_days = 30\n")
    scanned()

    result = desk.run("waive", "add", *arguments)

    assert (result.code, result.out) == (2, "")
    assert not [word for word in words if word not in result.err], result.err


@pytest.mark.parametrize(("key", "value"), [("max_days", 0), ("due_days", -1), ("tolerance_percent", -1)])
def test_a_limit_that_makes_no_sense_is_refused(desk: Desk, key: str, value: int) -> None:
    desk.configure(f"{CONFIG}\n[waivers]\n{key} = {value}\n")

    result = desk.run("waive", "list")

    assert result.code == 2
    assert f"waivers.{key}: it must be at least" in result.err


def test_two_scans_are_compared(scanned: Scanned, desk: Desk) -> None:
    """The last two by default, as a table to read and as JSON."""
    scanned()
    desk.shelve(plan="the web", notes="everybody")
    scanned()

    as_table = desk.run("diff").out
    as_json = desk.run("diff", "--format", "json").json

    assert "1 new, 1 widened" in as_table
    assert "audience anyone_with_link → anyone_discoverable" in as_table
    assert [(difference["kind"], difference["name"]) for difference in as_json["differences"]] == [
        ("new", "notes"),
        ("widened", "plan"),
    ]
    assert as_json["counts"]["resolved"] == 0


def test_scans_are_named_by_the_beginning_of_their_ids(scanned: Scanned, desk: Desk) -> None:
    for whom in ("everybody", "me", "everybody"):
        desk.shelve(plan=whom)
        scanned()
    first, _, third = (scan["id"] for scan in desk.run("trend", "--format", "json").json)

    assert "no difference" in desk.run("diff", first[:8], third[:8]).out
    assert "1 reopened" in desk.run("diff").out
    assert "name the older one first" in desk.run("diff", third, first).err


def test_an_outage_is_named_where_scans_are_compared(scanned: Scanned, desk: Desk) -> None:
    scanned()
    (desk.folder / "company" / "sales.json").write_text("no JSON")
    scanned()

    result = desk.run("diff")

    assert "no difference" in result.out
    assert "could not read everything" in result.out


def test_one_scan_is_too_few_to_compare(scanned: Scanned, desk: Desk) -> None:
    scanned()

    result = desk.run("diff")

    assert result.code == 2
    assert "run `cloudscan scan` again" in result.err


def test_the_trend_has_a_line_a_scan(scanned: Scanned, desk: Desk) -> None:
    scanned()
    give(desk, "--days", "7")
    scanned()

    before, after = desk.run("trend", "--format", "json").json
    table = desk.run("trend").out

    assert (before["figures"]["findings"]["high"], before["figures"]["waived"]) == (1, 0)
    assert before["figures"]["exposure"] == {"anyone_with_link": {"subjects": 1, "resources": 1}}
    assert (after["figures"]["findings"]["high"], after["figures"]["waived"]) == (0, 1)
    assert after["figures"]["score"] < before["figures"]["score"]
    assert len(table.splitlines()) == 4
    assert len(desk.run("trend", "--last", "1").out.splitlines()) == 3


def test_an_empty_ledger_has_no_trend(desk: Desk) -> None:
    assert "cloudscan scan" in desk.run("trend").out


def test_metrics_are_written_for_the_collector(scanned: Scanned, desk: Desk) -> None:
    """Numbers and no names, readable by the collector, complete in one step: nothing else is left beside them."""
    desk.shelve(plan="everybody", more="everybody", notes="?")
    scanned("--metrics", "metrics/cloudscan.prom")

    file = desk.folder / "metrics" / "cloudscan.prom"
    lines = file.read_text().splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))

    assert values['cloudscan_findings{severity="high"}'] == "2"
    assert values['cloudscan_findings{severity="critical"}'] == "0"
    assert values['cloudscan_scan_scopes{outcome="denied"}'] == "0"
    assert values["cloudscan_scan_complete"] == "1"
    assert values["cloudscan_unknowns"] == "2"  # whom it is open to, and whether they are a partner
    assert float(values["cloudscan_scan_duration_seconds"]) >= 0
    assert abs(float(values["cloudscan_scan_timestamp_seconds"]) - datetime.now(UTC).timestamp()) < 120
    assert {line.split()[2] for line in lines if line.startswith("# TYPE")} == {
        name.partition("{")[0] for name in values
    }
    assert "plan" not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in file.parent.iterdir()] == ["cloudscan.prom"]


def test_a_blind_scan_shows_in_the_metrics(scanned: Scanned, desk: Desk) -> None:
    (desk.folder / "company" / "board.json").write_text("no JSON")

    assert scanned("--metrics", "cloudscan.prom").code == 5
    assert "cloudscan_scan_complete 0\n" in Path("cloudscan.prom").read_text()


def test_metrics_that_cannot_be_written_say_so(scanned: Scanned, desk: Desk) -> None:
    result = scanned("--metrics", "company/sales.json/cloudscan.prom")

    assert result.code == 2
    assert "choose another file with --metrics" in result.err


def test_a_gap_is_listed_waived_and_no_longer_makes_a_scan_incomplete(scanned: Scanned, desk: Desk) -> None:
    """Found with `gaps`, waived by its id, said in the list of waivers; the next scan has only findings."""
    (desk.folder / "company" / "board.json").write_text("no JSON")
    scanned()
    listed = desk.run("gaps")
    (gap,) = desk.run("gaps", "--format", "json").json

    waived = desk.run("waive", "add", "--gap", gap["gap"][:6], "--owner", "Mika", "--reason", "known", "--days", "9")
    second = scanned("--metrics", "cloudscan.prom")

    assert listed.out.startswith("1 new\n")
    assert f"{gap['gap'][:8]}  new since" in listed.out
    assert (gap["state"], gap["scope"], gap["reason"]["code"]) == ("new", "board", "toy-not-json")
    assert f"covers the gap {gap['gap']}" in waived.out
    assert second.code == 1
    assert desk.run("health").code == 0
    assert "1 waived gap" in desk.run("health").out
    assert 'cloudscan_scan_gaps{state="waived"} 1' in (desk.folder / "cloudscan.prom").read_text()
    assert desk.run("gaps", "--state", "new").out == "There is no such gap.\n"
    assert "waived until" in desk.run("gaps").out
    assert f"gap {gap['gap'][:8]}" in desk.run("waive", "list").out
    assert desk.run("waive", "revoke", "1").out == f"Waiver 1 has ended; it covered the gap {gap['gap']}.\n"
    assert desk.run("health").code == 1
    assert scanned().code == 5
