"""`--only`: what is shown is less and says so, and nothing is decided by it."""

import json
from collections.abc import Callable
from html import unescape

import pytest

from tests.cli.conftest import CONFIG, Desk, Said
from tests.kit.toy_cloud import shelve

Scanned = Callable[..., Said]


@pytest.fixture
def two_shelves(desk: Desk, scanned: Scanned) -> Desk:
    """A company with two shelves, and an open document on each."""
    desk.configure(CONFIG.replace('name = "Acme"', 'name = "Acme"\nlanguage = "en"'))
    shelve(desk.folder / "company", {"minutes": "everybody"}, shelf="board")
    scanned()
    return desk


def names(said: Said) -> list[str]:
    return sorted(finding["verdict"]["subject"]["name"] for finding in said.json)


def test_findings_of_one_site(two_shelves: Desk) -> None:
    everything = two_shelves.run("findings", "--format", "json")
    some = two_shelves.run("findings", "--only", "site=BOARD", "--format", "json")

    assert (names(everything), names(some)) == (["minutes", "plan"], ["minutes"])


def test_a_report_about_a_part_says_so(two_shelves: Desk) -> None:
    """The page of one site names it, and has nothing of the others."""
    for format_name in ("html", "markdown", "text"):
        written = two_shelves.run("report", "--only", "site=board", "--format", format_name, "-o", "-").out

        assert "Only site=board" in unescape(written)
        assert "minutes" in written
        assert "plan is" not in written


def test_a_report_about_a_part_has_no_figures_of_the_whole(two_shelves: Desk) -> None:
    written = two_shelves.run("report", "--only", "site=board", "--format", "json", "-o", "-").json

    assert written["only"] == ["site=board"]
    assert written["trend"] == written["comparisons"] == written["frameworks"] == []
    assert sum(rule["flagged"] for rule in written["rules"]) == 1
    assert {event["fingerprint"] for event in written["events"]} == {one["fingerprint"] for one in written["findings"]}


def test_a_redacted_report_does_not_name_the_part(two_shelves: Desk) -> None:
    written = two_shelves.run("report", "--only", "site=board", "--redact", "--format", "json", "-o", "-").json

    (only,) = written["only"]
    assert only.startswith("site=")
    assert "board" not in only


def test_what_differs_in_one_site(two_shelves: Desk, scanned: Scanned) -> None:
    """What is gone, too: it belongs where the older scan saw it."""
    shelve(two_shelves.folder / "company", {"plan": "me", "notes": "me"})
    shelve(two_shelves.folder / "company", {"letter": "everybody"}, shelf="board")
    scanned()

    kinds = {
        site: two_shelves.run("diff", "--only", f"site={site}", "--format", "json").json["counts"]
        for site in ("sales", "board")
    }

    assert (kinds["sales"]["resolved"], kinds["sales"]["new"]) == (1, 0)
    assert (kinds["board"]["resolved"], kinds["board"]["new"]) == (1, 1)


def test_tickets_about_one_site(two_shelves: Desk) -> None:
    said = two_shelves.run("tickets", "--dry-run", "--only", "site=board", "--format", "json")

    assert [action["ticket"]["title"].count("minutes") for action in said.json["actions"]] == [1]


def test_gaps_of_one_site(two_shelves: Desk, scanned: Scanned) -> None:
    for shelf in ("sales", "board"):
        (two_shelves.folder / "company" / f"{shelf}.json").write_text(json.dumps({}))
    scanned()

    assert [gap["scope"] for gap in two_shelves.run("gaps", "--only", "site=board", "--format", "json").json] == [
        "board"
    ]


def test_a_verdict_on_one_site(two_shelves: Desk) -> None:
    (snapshot,) = (two_shelves.folder / ".cloudscan" / "snapshots").iterdir()

    said = two_shelves.run("judge", str(snapshot), "--only", "site=board", "--format", "json")

    assert [verdict["subject"]["name"] for verdict in said.json] == ["minutes"]


def test_what_matches_nothing_is_an_error_with_the_nearest_name(two_shelves: Desk, scanned: Scanned) -> None:
    scanned()

    for command in (("findings",), ("report",), ("tickets", "--dry-run"), ("diff",), ("gaps",)):
        said = two_shelves.run(*command, "--only", "site=boart")

        assert said.code == 2
        assert "site 'boart' is not known; write board" in said.err


def test_a_scan_reads_one_site_and_closes_nothing_elsewhere(two_shelves: Desk, scanned: Scanned) -> None:
    """What was left out stays open, unverified; the next whole scan looks at it again."""
    shelve(two_shelves.folder / "company", {"plan": "me"})
    shelve(two_shelves.folder / "company", {"minutes": "me"}, shelf="board")

    some = scanned("--only", "site=board", "--format", "json").json
    everything = scanned("--format", "json").json

    assert [(one["verdict"]["subject"]["name"], one["verified"]) for one in some["findings"]] == [("plan", False)]
    assert everything["findings"] == []


def test_a_scan_names_what_could_not_be_narrowed(two_shelves: Desk, scanned: Scanned) -> None:
    """A shelf that is new may have anything."""
    shelve(two_shelves.folder / "company", {"letter": "everybody"}, shelf="new")

    said = scanned("--only", "site=board", "--format", "json")

    assert "Read all the same, since they lead to others or are new: new." in said.err
    assert {one["verdict"]["subject"]["name"] for one in said.json["findings"]} == {"minutes", "plan", "letter"}


def test_a_scan_of_a_part_needs_to_know_the_whole(desk: Desk, scanned: Scanned) -> None:
    first = scanned("--only", "site=sales")
    scanned()
    wrong = scanned("--only", "site=sails")

    assert (first.code, wrong.code) == (2, 2)
    assert "without it once" in first.err
    assert "write sales" in wrong.err
