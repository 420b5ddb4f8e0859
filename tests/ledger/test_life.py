"""What scans do to a finding, over any history: the promises that must hold whatever the nights bring."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cloudscan.coverage import Coverage
from cloudscan.facts import Outcome
from cloudscan.finding import Judgement, State, Subject, Verdict
from cloudscan.ledger import lifecycle
from cloudscan.ledger.visibility import Foundation, visibility_of
from cloudscan.snapshot.tables import Dependency

START = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ("a", "b", "c")


def verdict(name: str, judgement: Judgement = Judgement.FLAGGED) -> Verdict:
    uid = f"toy:{name}"
    subject = Subject(uid=uid, platform="toy", account="acme", kind="file", name=name, inside=("toy:folder",))
    return Verdict(rule_id="open", judgement=judgement, identity=(uid,), subject=subject)


def row(outcome: Outcome = Outcome.COMPLETE, *, table: str = "grants", about: str | None = None) -> Coverage:
    return Coverage(
        scope_uid="toy:shelf",
        scope_name="shelf",
        platform="toy",
        account="acme",
        table=table,
        outcome=outcome,
        resource_uid=f"toy:{about}" if about else None,
    )


RULE = Foundation(
    rests_on={Dependency("resources", "uid"), Dependency("grants", "audience")}, identity=(("resources",),)
)
WHOLE = (row(),)
OUTAGE = (row(Outcome.DENIED, table="all"),)


@dataclass(frozen=True)
class Night:
    """What one scan says: a judgement by name (left out: not there any more), and how far it could see."""

    said: Mapping[str, Judgement]
    coverage: Sequence[Coverage]
    applied: bool = True


def lived(nights: Iterable[Night]) -> dict[str, lifecycle.Entry]:
    """The ledger's entries after some nights, by fingerprint."""
    entries: dict[str, lifecycle.Entry] = {}
    for number, night in enumerate(nights):
        for change in changes(entries, night, START + timedelta(days=number)):
            entries[change.entry.fingerprint] = change.entry
    return entries


def changes(entries: Mapping[str, lifecycle.Entry], night: Night, moment: datetime) -> list[lifecycle.Change]:
    said = night.said if night.applied else {}
    found = [verdict(name) for name, judgement in said.items() if judgement is Judgement.FLAGGED]
    by_identity = {(f"toy:{name}",): judgement for name, judgement in said.items()}
    return lifecycle.after(
        entries.values(),
        {one.fingerprint: one for one in found},
        lambda _, identities: {key: by_identity[key] for key in map(tuple, identities) if key in by_identity},
        look=lifecycle.Look(
            visibility=visibility_of(night.coverage, {}),
            foundations={"open": RULE} if night.applied else {},
            existing=lambda names: {name.uid for name in names} & {f"toy:{name}" for name in said},
        ),
        moment=moment,
    )


def entry_of(name: str, entries: Mapping[str, lifecycle.Entry]) -> lifecycle.Entry:
    return entries[verdict(name).fingerprint]


coverages = st.lists(
    st.builds(
        row,
        st.sampled_from(Outcome),
        table=st.sampled_from(["all", "resources", "grants", "settings"]),
        about=st.sampled_from([None, *NAMES, "folder"]),
    ),
    max_size=3,
)
nights = st.builds(
    Night, st.dictionaries(st.sampled_from(NAMES), st.sampled_from(Judgement)), coverages, applied=st.booleans()
)
blind = st.builds(
    Night,
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from([Judgement.FLAGGED, Judgement.UNKNOWN])),
    coverages.map(lambda rows: [*OUTAGE, *rows]),
    applied=st.booleans(),
)


@given(st.lists(nights, max_size=5), blind)
def test_an_outage_closes_nothing(before: list[Night], outage: Night) -> None:
    """Whatever was open before a night that could not look is open after it."""
    entries = lived(before)

    after = {change.entry.fingerprint: change for change in changes(entries, outage, START + timedelta(days=9))}

    for fingerprint, entry in entries.items():
        if entry.state in lifecycle.UNRESOLVED:
            assert after[fingerprint].entry.state in lifecycle.UNRESOLVED


@given(st.lists(nights, max_size=6))
def test_only_resolved_findings_come_back(history: list[Night]) -> None:
    """Opened once, then resolved and reopened in turn: no other order of events exists."""
    entries: dict[str, lifecycle.Entry] = {}
    events: dict[str, list[str]] = {}
    for number, night in enumerate(history):
        for change in changes(entries, night, START + timedelta(days=number)):
            entries[change.entry.fingerprint] = change.entry
            for event in change.events:
                events.setdefault(change.entry.fingerprint, []).append(event.kind)

    for kinds in events.values():
        assert kinds[0] == "opened"
        expected = ["resolved" if number % 2 else "reopened" for number in range(1, len(kinds))]
        assert kinds[1:] == expected


@given(st.lists(nights, max_size=5), nights)
def test_a_second_look_at_the_same_night_changes_nothing(before: list[Night], night: Night) -> None:
    """Entering what was just entered is no news: no event, the same entries."""
    once = lived([*before, night])
    moment = START + timedelta(days=len(before))

    again = changes({**once}, night, moment)

    assert not [change for change in again if change.events]
    assert {change.entry.fingerprint: change.entry for change in again}.items() <= once.items()


@given(st.lists(nights, max_size=5))
def test_flagged_is_open_and_passed_is_resolved_where_all_was_read(history: list[Night]) -> None:
    """What the last night saw decides, whatever came before."""
    history = [*history[:-1], Night(history[-1].said, WHOLE, history[-1].applied)] if history else []
    if not history or not history[-1].applied:
        return
    entries = lived(history)

    for name, judgement in history[-1].said.items():
        if judgement is Judgement.FLAGGED:
            assert entry_of(name, entries).state in lifecycle.UNRESOLVED
            assert entry_of(name, entries).verified
        elif judgement is Judgement.PASSED and verdict(name).fingerprint in entries:
            assert entry_of(name, entries).state is State.RESOLVED


FLAGGED = Night({"a": Judgement.FLAGGED}, WHOLE)


def state_after(*, said: Mapping[str, Judgement], coverage: Sequence[Coverage]) -> tuple[State, bool]:
    entry = entry_of("a", lived([FLAGGED, Night(said, coverage)]))
    return entry.state, entry.verified


def test_gone_from_an_account_that_was_read_is_resolved() -> None:
    assert state_after(said={}, coverage=WHOLE) == (State.RESOLVED, True)


def test_gone_from_an_account_that_was_not_read_stays_open_unverified() -> None:
    assert state_after(said={}, coverage=OUTAGE) == (State.OPEN, False)


def test_gone_while_the_account_is_not_mentioned_stays_open_unverified() -> None:
    assert state_after(said={}, coverage=()) == (State.OPEN, False)


def test_could_not_tell_stays_open_unverified() -> None:
    assert state_after(said={"a": Judgement.UNKNOWN}, coverage=WHOLE) == (State.OPEN, False)


def test_an_answer_that_is_missing_about_a_neighbour_hides_nothing() -> None:
    coverage = (row(), row(Outcome.DENIED, about="b"))
    assert state_after(said={}, coverage=coverage) == (State.RESOLVED, True)


def test_grants_that_are_missing_hide_no_deletion_but_a_verdict() -> None:
    """A file that is gone from a list that was read is gone, however it was shared."""
    coverage = (row(), row(Outcome.DENIED, about="a"))
    assert state_after(said={}, coverage=coverage) == (State.RESOLVED, True)
    assert state_after(said={"a": Judgement.PASSED}, coverage=coverage) == (State.OPEN, False)


def test_a_list_that_is_missing_about_a_folder_hides_what_is_in_it() -> None:
    coverage = (row(), row(Outcome.DENIED, table="resources", about="folder"))
    assert state_after(said={}, coverage=coverage) == (State.OPEN, False)


def test_a_list_that_is_missing_about_another_folder_hides_nothing() -> None:
    coverage = (row(), row(Outcome.PARTIAL, table="resources", about="b"))
    assert state_after(said={}, coverage=coverage) == (State.RESOLVED, True)


def test_a_budget_that_ran_out_hides_what_was_not_listed() -> None:
    coverage = (row(), row(Outcome.SKIPPED, table="resources"))
    assert state_after(said={}, coverage=coverage) == (State.OPEN, False)


def test_first_seen_stays_when_a_finding_comes_back() -> None:
    entry = entry_of("a", lived([FLAGGED, Night({"a": Judgement.PASSED}, WHOLE), FLAGGED]))

    assert entry.state is State.REOPENED
    assert entry.first_seen_on == START
    assert entry.last_seen_on == START + timedelta(days=2)
