"""The half-yearly review: the list, the decisions in it, and what is found about waivers."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cloudscan.ledger.ledger import Ledger
from cloudscan.ledger.waivers import WaiverRequest
from tests.cli.conftest import CONFIG, Desk, Said

Scanned = Callable[..., Said]
WHO_AND_WHY = ("--by", "Ken Ito", "--reason", "Decided in the risk meeting.")
PARTNER = '\n[[partners]]\nname = "Haulier"\ndomains = ["haulier.example"]\nowner = "boss@acme.example"\n'
RULE = "document-open-to-everybody"


@pytest.fixture
def waived(desk: Desk, scanned: Scanned) -> Desk:
    """A whole rule is waived, and a partner is registered."""
    desk.configure(CONFIG + PARTNER)
    scanned()
    given = desk.run("waive", "add", "--rule", RULE, "--owner", "Mika Sato", "--reason", "OK", "--days", "90")
    assert given.code == 0
    return desk


def about_waivers(said: Said) -> dict[str, str]:
    """What is found about waivers: the rule, and the id of the finding."""
    return {
        finding["verdict"]["rule_id"]: finding["fingerprint"]
        for finding in said.json["findings"]
        if finding["verdict"]["subject"].get("kind") == "waiver"
    }


def listed(desk: Desk) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(desk.run("waive", "review", "--format", "csv").out.lstrip("\ufeff"))))


def test_what_is_found_about_a_waiver_is_answered_by_a_review_alone(waived: Desk, scanned: Scanned) -> None:
    """No waiver covers it, be it for the finding or for its rule: waivers would keep each other from being reviewed."""
    found = about_waivers(scanned("--format", "json"))
    finding = waived.run("waive", "add", "--finding", found["waiver-covers-too-much"][:12], "--owner", "me",
                         "--reason", "it is fine", "--days", "9")  # fmt: skip
    waived.run(
        "waive", "add", "--rule", "waiver-covers-too-much", "--owner", "me", "--reason", "all fine", "--days", "9"
    )
    still = about_waivers(scanned("--format", "json"))
    waived.run("waive", "review", "--decide", "1", "keep", *WHO_AND_WHY)
    after = about_waivers(scanned("--format", "json"))

    assert {"waiver-covers-too-much", "waiver-without-reason", "exception-not-reviewed"} == set(found)
    assert (finding.code, "cloudscan waive review" in finding.err) == (2, True)
    assert "waiver-covers-too-much" in still
    assert found["waiver-covers-too-much"] not in after.values()


def test_the_list_names_what_was_excepted_and_what_is_due(waived: Desk, scanned: Scanned) -> None:
    """A waiver of today was looked at today; a partner that nobody ever reviewed is due."""
    scanned()

    rows = {row["id"]: row for row in listed(waived)}

    assert {name: row["due"] for name, row in rows.items()} == {"1": "false", "allowed-partner/Haulier": "true"}
    assert (rows["1"]["rule_id"], rows["1"]["covers"], rows["1"]["owner"]) == (RULE, "1", "Mika Sato")
    assert "allowed-partner/Haulier" in waived.run("waive", "review", "--due").out
    assert [one["id"] for one in waived.run("waive", "review", "--due", "--format", "json").json] == [
        "allowed-partner/Haulier"
    ]


def test_a_filled_list_is_read_back(waived: Desk, scanned: Scanned) -> None:
    """As a spreadsheet saves it: other separators, another code page, empty rows."""
    scanned()
    until = datetime.now(UTC).date() + timedelta(days=30)
    said = {"1": ("shorten", until.isoformat().replace("-", "/")), "allowed-partner/Haulier": ("KEEP", "")}
    lines = [f"{row['id']};{said[row['id']][0]};伊藤 健;会議で決定;{said[row['id']][1]}" for row in listed(waived)]
    filled = "\r\n".join(["id;decision;decided_by;decision_reason;new_until", *lines, "1;;;;", ""])
    (waived.folder / "review.csv").write_bytes(filled.encode("cp932"))

    read = waived.run("waive", "review", "--from", "review.csv")

    assert read.code == 0
    rows = {row["id"]: row for row in listed(waived)}
    assert rows["1"]["until"] == str(until)
    assert [row["reviewed_by"] for row in rows.values()] == ["伊藤 健", "伊藤 健"]
    assert waived.run("waive", "review", "--due").out.strip() == "There is nothing to review."


def test_a_mistake_in_the_last_line_leaves_nothing_half_done(waived: Desk) -> None:
    (waived.folder / "review.csv").write_text(
        "id,decision,decided_by,decision_reason,new_until\n1,end,me,no longer needed,\n1000,keep,me,still needed,\n"
    )

    read = waived.run("waive", "review", "--from", "review.csv")

    assert read.code == 2
    assert "Line 3: There is no exception '1000'" in read.err
    assert {row["reviewed_by"] for row in listed(waived)} == {""}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--decide", "1", "kepe", *WHO_AND_WHY), "write keep"),
        (("--decide", "1", "keep"), "--by"),
        (("--decide", "1", "shorten", *WHO_AND_WHY), "--until"),
        (("--decide", "1", "shorten", "--until", "soon", *WHO_AND_WHY), "write it as 2027-03-31"),
        (("--decide", "1", "keep", "--decide", "1", "end", *WHO_AND_WHY), "two decisions"),
    ],
)
def test_a_decision_that_cannot_be_carried_out(waived: Desk, arguments: tuple[str, ...], words: str) -> None:
    said = waived.run("waive", "review", *arguments)

    assert said.code == 2
    assert words in said.err


def test_reviews_are_in_the_report(waived: Desk, scanned: Scanned) -> None:
    """The list of waivers says who looked at them, when, and what was decided."""
    waived.run("waive", "review", "--decide", "1", "keep", *WHO_AND_WHY)
    scanned()

    written = waived.run("report", "--format", "json", "-o", "-").json
    page = waived.run("report", "-o", "-", "--lang", "en").out

    assert [(one["by"], one["decision"]) for one in written["waivers"][0]["reviews"]] == [("Ken Ito", "keep")]
    assert "Ken Ito" in page


def test_a_waiver_is_listed_since_the_day_on_which_it_was_given(waived: Desk) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=100)
    request = WaiverRequest(target="toy", owner="me", reason="why not", until=(long_ago + timedelta(days=150)).date())
    Ledger("sqlite:///.cloudscan/ledger.db").waive(request, now=long_ago)

    rows = {row["id"]: row for row in listed(waived)}

    assert rows["2"]["since"] == str(long_ago.date())


def test_what_was_found_about_a_waiver_is_gone_with_it(desk: Desk, scanned: Scanned) -> None:
    scanned()
    desk.run("waive", "add", "--rule", RULE, "--owner", "Mika Sato", "--reason", "OK", "--days", "90")
    before = about_waivers(scanned("--format", "json"))
    desk.run("waive", "review", "--decide", "1", "end", *WHO_AND_WHY)
    after = about_waivers(scanned("--format", "json"))

    assert before
    assert after == {}
