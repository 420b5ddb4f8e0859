"""Waivers in the ledger: what holds, what ends, and what is refused."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest

from cloudscan.cli.scan import exit_code
from cloudscan.errors import WaiverError
from cloudscan.facts import Access, Audience
from cloudscan.finding import Severity, State
from cloudscan.ledger.ledger import Ledger
from cloudscan.ledger.waivers import WaiverRequest
from cloudscan.reach import Reach, widened
from cloudscan.report import Event, Report
from tests.kit.toy_cloud import shelve
from tests.ledger.conftest import Nights

START = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
RULE = "document-open-to-everybody"
PLAN = "toy:document/sales/plan"


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def wish(
    finding: str = "", *, rule_id: str = "", target: str = "", owner: str = "", reason: str = "", until: int = 10
) -> WaiverRequest:
    return WaiverRequest(
        finding=finding,
        rule_id=rule_id,
        target=target,
        owner=owner or "Mika Sato",
        reason=reason or "The price list is public on purpose.",
        until=day(until).date(),
    )


def states(report: Report | None) -> dict[str, State]:
    assert report
    return {finding.verdict.subject.name: finding.state for finding in report.findings}


def kinds_of(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.kind, event.reason) for event in events]


def the_finding(report: Report) -> str:
    (finding,) = report.findings
    return finding.fingerprint


def test_a_waived_finding_stays_visible_and_fails_nothing(nights: Nights) -> None:
    """It holds at once and in the next scan, with owner, reason and end in the report; it makes no exit code."""
    before = nights.scan(plan="everybody", on=day(0))

    given = nights.ledger.waive(wish(the_finding(before)), now=day(0))
    at_once = nights.ledger.latest()
    report = nights.look(on=day(1))

    assert at_once and states(at_once) == states(report) == {"plan": State.WAIVED}
    (finding,) = report.findings
    assert finding.waiver == given.waiver
    assert (given.waiver.owner, given.waiver.until) == ("Mika Sato", date(2026, 3, 11))
    assert (exit_code(before, Severity.INFO), exit_code(report, Severity.INFO)) == (1, 0)
    assert kinds_of(nights.ledger.events()) == [("opened", ""), ("waived", "")]


def test_an_expired_waiver_reopens_once(nights: Nights) -> None:
    """It holds on its last day and not on the next; one event says so, however many nights follow."""
    nights.ledger.waive(wish(the_finding(nights.scan(plan="everybody", on=day(0))), until=2), now=day(0))

    last_day = nights.look(on=day(2))
    after = [nights.look(on=day(number)) for number in (3, 4)]

    assert states(last_day) == {"plan": State.WAIVED}
    assert [states(report) for report in after] == [{"plan": State.REOPENED}] * 2
    assert kinds_of(nights.ledger.events()) == [("opened", ""), ("waived", ""), ("reopened", "expired")]


def test_a_waiver_ends_also_while_nothing_can_be_seen(nights: Nights) -> None:
    """An outage closes nothing and prolongs nothing."""
    nights.ledger.waive(wish(the_finding(nights.scan(plan="everybody", on=day(0))), until=2), now=day(0))
    (nights.company / "sales.json").write_text("no JSON")

    (during,) = nights.look(on=day(1)).findings
    (after,) = nights.look(on=day(3)).findings

    assert (during.state, during.verified) == (State.WAIVED, False)
    assert (after.state, after.verified) == (State.REOPENED, False)


def test_a_waiver_does_not_hold_for_more_than_was_accepted(nights: Nights) -> None:
    """A wider audience reopens, says so, and stays open when the audience shrinks again: somebody has to look."""
    nights.ledger.waive(wish(the_finding(nights.scan(plan="everybody", on=day(0)))), now=day(0))

    wider = nights.scan(plan="the web", on=day(1))
    back = nights.scan(plan="everybody", on=day(2))

    assert states(wider) == states(back) == {"plan": State.REOPENED}
    assert kinds_of(nights.ledger.events())[2:] == [("reopened", "widened")]
    (status,) = nights.ledger.waivers(now=day(2))
    assert status.notes == ["due_soon", "unused", "widened"]
    assert list(status.widened.values()) == [["audience"]]


def test_what_has_grown_can_be_waived_anew(nights: Nights) -> None:
    fingerprint = the_finding(nights.scan(plan="everybody", on=day(0)))
    nights.ledger.waive(wish(fingerprint), now=day(0))
    nights.scan(plan="the web", on=day(1))

    nights.ledger.waive(wish(fingerprint), now=day(1))

    assert states(nights.look(on=day(2))) == {"plan": State.WAIVED}


def test_a_rule_is_waived_in_a_place(nights: Nights) -> None:
    """It covers what is there and what comes later, and nothing outside."""
    nights.scan(plan="everybody", notes="everybody", on=day(0))

    given = nights.ledger.waive(wish(rule_id=RULE, target=PLAN), now=day(0))

    assert [entry.verdict.subject.name for entry in given.covered] == ["plan"]
    assert states(nights.look(on=day(1))) == {"plan": State.WAIVED, "notes": State.OPEN}


def test_a_place_stands_for_what_lies_in_it(nights: Nights) -> None:
    """The shelf covers its documents, also one that comes later; another shelf's it does not."""
    shelve(nights.company, {"plan": "everybody"}, "board")
    nights.scan(plan="everybody", on=day(0))

    given = nights.ledger.waive(wish(target="toy:shelf/sales"), now=day(0))
    report = nights.scan(plan="everybody", more="everybody", on=day(1))

    assert len(given.covered) == 1
    assert {finding.verdict.subject.uid: finding.state for finding in report.findings} == {
        PLAN: State.WAIVED,
        "toy:document/sales/more": State.WAIVED,
        "toy:document/board/plan": State.OPEN,
    }


@pytest.mark.parametrize("asked", [wish(target="toy"), wish(rule_id=RULE)])
def test_an_account_or_a_rule_is_waived_whole(nights: Nights, asked: WaiverRequest) -> None:
    nights.scan(plan="everybody", on=day(0))
    nights.ledger.waive(asked, now=day(0))

    report = nights.scan(plan="everybody", notes="everybody", on=day(1))

    assert states(report) == {"plan": State.WAIVED, "notes": State.WAIVED}
    assert kinds_of(nights.ledger.events())[2:] == [("opened", ""), ("waived", "")]


def test_the_longest_of_several_waivers_counts(nights: Nights) -> None:
    """Where one ends and another still holds, nothing happens."""
    fingerprint = the_finding(nights.scan(plan="everybody", on=day(0)))
    nights.ledger.waive(wish(fingerprint, until=2), now=day(0))
    longer = nights.ledger.waive(wish(target="toy", until=5), now=day(0)).waiver

    reports = [nights.look(on=day(number)) for number in (1, 3, 6)]

    assert [report.findings[0].waiver for report in reports] == [longer, longer, None]
    assert kinds_of(nights.ledger.events()) == [("opened", ""), ("waived", ""), ("reopened", "expired")]


def test_a_waived_finding_that_is_gone_is_resolved(nights: Nights) -> None:
    """When it comes back under the same waiver it is waived, and the history says all of it."""
    nights.ledger.waive(wish(the_finding(nights.scan(plan="everybody", on=day(0)))), now=day(0))

    gone = nights.scan(plan="company", on=day(1))
    back = nights.scan(plan="everybody", on=day(2))

    assert (states(gone), states(back)) == ({}, {"plan": State.WAIVED})
    kinds = [event.kind for event in nights.ledger.events()]
    assert kinds == ["opened", "waived", "resolved", "reopened", "waived"]


def test_a_revoked_waiver_reopens_at_once(nights: Nights) -> None:
    nights.ledger.waive(wish(the_finding(nights.scan(plan="everybody", on=day(0)))), now=day(0))

    nights.ledger.revoke(1, now=day(1))

    assert states(nights.ledger.latest()) == states(nights.look(on=day(2))) == {"plan": State.REOPENED}
    assert kinds_of(nights.ledger.events())[2:] == [("reopened", "revoked")]


def test_a_dry_run_changes_nothing(nights: Nights) -> None:
    fingerprint = the_finding(nights.scan(plan="everybody", on=day(0)))

    would = nights.ledger.waive(wish(fingerprint), now=day(0), dry_run=True)

    assert [entry.fingerprint for entry in would.covered] == [fingerprint]
    assert nights.ledger.waivers(now=day(0)) == []
    assert states(nights.ledger.latest()) == {"plan": State.OPEN}


def test_the_list_says_what_needs_a_decision(nights: Nights) -> None:
    """Due soon, overdue, unused: in the order in which they end."""
    nights.scan(plan="everybody", notes="everybody", on=day(0))
    nights.ledger.waive(wish(rule_id=RULE, target="toy", until=100), now=day(0))
    nights.ledger.waive(wish(target=PLAN, until=20), now=day(0))
    nights.ledger.waive(wish(rule_id="some-rule", until=1), now=day(0))
    nights.ledger.revoke(1, now=day(3))

    def notes(now: int) -> list[tuple[int, bool, list[str]]]:
        return [
            (status.waiver.id, status.current, list(status.notes)) for status in nights.ledger.waivers(now=day(now))
        ]

    assert notes(3) == [(3, False, ["ended"]), (2, True, []), (1, False, ["revoked"])]
    assert notes(15) == [(3, False, ["ended"]), (2, True, ["due_soon"]), (1, False, ["revoked"])]
    assert notes(21) == [(3, False, ["ended"]), (2, True, ["overdue"]), (1, False, ["revoked"])]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (wish(), ["--finding", "--rule, --target", "cloudscan findings"]),
        (wish("abcd", target="toy"), ["name one of these"]),
        (wish("ab"), ["at least 4"]),
        (wish("feedfeed"), ["no finding 'feedfeed'", "cloudscan findings"]),
        (wish(target="PLAN"), ["write one of toy:document/sales/plan"]),
        (wish(target="tyo"), ["write toy"]),
        (wish(target="toy", owner=" "), ["--owner", "who answers for it"]),
        (wish(target="toy", reason=" "), ["--reason", "why the risk is acceptable"]),
        (wish(target="toy", reason="two\nlines"), ["--reason", "one line"]),
        (wish(target="toy", reason="x" * 1001), ["--reason", "at most 1000"]),
        (wish(target="toy", until=-1), ["2026-02-28 is in the past", "2026-03-01 on", "2026-08-28 at the latest"]),
        (wish(target="toy", until=181), ["2026-08-29 is too far", "--until 2026-08-28", "max_days = 180"]),
        (WaiverRequest(target="toy", owner="me", reason="why", until=None), ["--until", "2026-08-28 at the latest"]),
    ],
)
def test_what_is_wrong_is_refused_with_what_to_write(nights: Nights, asked: WaiverRequest, words: list[str]) -> None:
    nights.scan(plan="everybody", on=day(0))

    with pytest.raises(WaiverError) as caught:
        nights.ledger.waive(asked, now=day(0))

    assert not [word for word in words if word not in str(caught.value)], str(caught.value)
    assert nights.ledger.waivers(now=day(0)) == []


def test_a_waiver_is_not_given_twice(nights: Nights) -> None:
    nights.scan(plan="everybody", on=day(0))
    nights.ledger.waive(wish(target="toy"), now=day(0))

    with pytest.raises(WaiverError, match="cloudscan waive revoke 1"):
        nights.ledger.waive(wish(target="toy", until=9), now=day(0))


def test_what_is_resolved_is_not_waived(nights: Nights) -> None:
    fingerprint = the_finding(nights.scan(plan="everybody", on=day(0)))
    nights.scan(plan="me", on=day(1))

    with pytest.raises(WaiverError, match="is resolved"):
        nights.ledger.waive(wish(fingerprint), now=day(1))


def test_only_what_is_in_force_is_revoked(nights: Nights) -> None:
    nights.scan(plan="everybody", on=day(0))
    nights.ledger.waive(wish(target="toy", until=2), now=day(0))
    nights.ledger.waive(wish(rule_id=RULE, until=2), now=day(0))
    nights.ledger.revoke(2, now=day(1))

    for number, words in ((7, "no waiver 7; write one of 1|no waiver 7; write 1"), (2, "revoked on 2026-03-02")):
        with pytest.raises(WaiverError, match=words):
            nights.ledger.revoke(number, now=day(1))
    with pytest.raises(WaiverError, match="ended on 2026-03-03"):
        nights.ledger.revoke(1, now=day(3))


def test_two_may_decide_at_the_same_moment(nights: Nights, url: str) -> None:
    """Each waits for the other: both waivers are there, and the finding is waived once."""
    nights.scan(plan="everybody", on=day(0))

    def decide(target: WaiverRequest) -> None:
        Ledger(url).waive(target, now=day(0))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(decide, [wish(target="toy"), wish(rule_id=RULE)]))

    assert len(nights.ledger.waivers(now=day(0))) == 2
    assert kinds_of(nights.ledger.events()) == [("opened", ""), ("waived", "")]


def test_decisions_are_only_ever_added(nights: Nights, url: str) -> None:
    """Another ledger on the same database tells the same story, the revoked waiver included."""
    nights.ledger.waive(wish(the_finding(nights.scan(plan="everybody", on=day(0)))), now=day(0))
    nights.ledger.revoke(1, now=day(1))

    (status,) = Ledger(url).waivers(now=day(2))

    assert (status.waiver.reason, status.revoked_on) == ("The price list is public on purpose.", day(1))
    assert Ledger(url).events() == nights.ledger.events()


LINK = Reach(audience=Audience.ANYONE_WITH_LINK, access=Access.READ, resources=100, people=10)


@pytest.mark.parametrize(
    ("before", "now", "more"),
    [
        (LINK, LINK, []),
        (LINK, Reach(audience=Audience.ANYONE_DISCOVERABLE, access=Access.READ), ["audience"]),
        (LINK, Reach(audience=Audience.ORGANISATION, access=Access.WRITE), ["access"]),
        (LINK, Reach(audience=Audience.NOBODY, access=Access.READ, resources=120), []),
        (LINK, Reach(audience=Audience.NOBODY, access=Access.READ, resources=121), ["resources"]),
        (Reach(), Reach(audience=Audience.NAMED), ["audience"]),
        (LINK, Reach(), []),
        (Reach(bytes=None), Reach(bytes=10**12), []),
        (Reach(resources=1), Reach(resources=2_000_000, bytes=10**12), []),
        (Reach(resources=100, bytes=10), Reach(resources=121, bytes=10), ["resources"]),
        (Reach(bytes=10, people=1), Reach(bytes=13, people=2), ["bytes", "people"]),
    ],
)
def test_what_counts_as_grown(before: Reach, now: Reach, more: list[str]) -> None:
    """Wider, stronger, or a fifth more behind it; an amount that is known only now has not grown."""
    assert widened(before, now) == more
