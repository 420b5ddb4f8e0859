"""Collecting: whatever a connector or a platform does, the scan ends, and says what it could not see."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from cloudscan.connector import Cursor, Gap, Question, Scope, Spent, Yielded
from cloudscan.coverage import Coverage
from cloudscan.errors import (
    AccessDenied,
    ConfigurationError,
    Malformed,
    ScanRunning,
    SnapshotError,
    StaleCursor,
    Throttled,
    Unreachable,
)
from cloudscan.facts import Audience, Grant, Hidden, Membership, Outcome
from cloudscan.http import Patience
from cloudscan.reason import Reason, sentence
from cloudscan.snapshot import recheck, spool
from cloudscan.snapshot.collect import CollectOptions, Event, Finished, Found, Retrying, collect
from cloudscan.snapshot.incremental import Earlier
from cloudscan.snapshot.snapshot import Snapshot
from tests.kit.facts import Listed, file, grant, scope, yielding

QUICK = CollectOptions(concurrency=4, patience=Patience(attempts=3, pause=0.01))


def failing(error: Exception, *before: Yielded) -> Iterator[Yielded]:
    yield from before
    raise error


def uids(snapshot: Snapshot) -> list[str]:
    return [row[0] for row in snapshot.query("SELECT uid FROM resources ORDER BY name").rows]


def troubles(snapshot: Snapshot) -> list[Coverage]:
    return [row for row in snapshot.coverage() if row.outcome is not Outcome.COMPLETE]


def test_scopes_found_on_the_way_are_collected_too(tmp_path: Path) -> None:
    """An account yields its buckets; each bucket once, however often it is named."""
    toy = Listed(
        {
            "account": yielding(scope("a"), scope("b"), scope("a")),
            "a": yielding(file("1"), scope("b")),
            "b": yielding(file("2")),
        },
        top=["account"],
    )

    with collect([toy], tmp_path / "s", options=QUICK) as snapshot:
        assert uids(snapshot) == ["toy:1", "toy:2"]
        assert sorted(toy.asked) == ["a", "account", "b"]
        assert snapshot.scan.complete


@pytest.mark.parametrize(
    ("error", "outcome", "message"),
    [
        (AccessDenied("not allowed to list", needs="s3:ListBucket"), Outcome.DENIED, "not allowed to list"),
        (Unreachable("no answer from the endpoint"), Outcome.FAILED, "no answer"),
        (Throttled("slow down", retry_after=0.0), Outcome.FAILED, "slow down"),
        (Malformed("not JSON"), Outcome.FAILED, "not JSON"),
        (StaleCursor("a token that stays unknown"), Outcome.FAILED, "stays unknown"),
        (KeyError("Owner"), Outcome.FAILED, "the connector toy failed with KeyError (“'Owner'”)"),
        (RecursionError("too deep"), Outcome.FAILED, "failed with RecursionError (“too deep”)"),
        (OSError("broken pipe"), Outcome.FAILED, "failed with OSError (“broken pipe”)"),
    ],
)
def test_a_scope_that_fails_costs_itself_and_a_coverage_row(
    tmp_path: Path, error: Exception, outcome: Outcome, message: str
) -> None:
    """The other scopes are read, the reason is reported, the scan is not complete."""
    toy = Listed({"bad": lambda: failing(error), "good": yielding(file("1"))})

    with collect([toy], tmp_path / "s", options=QUICK) as snapshot:
        (row,) = troubles(snapshot)

        assert uids(snapshot) == ["toy:1"]
        assert (row.scope_name, row.table, row.outcome) == ("bad", spool.WHOLE, outcome)
        assert message in sentence(row.reason, "en")
        assert not snapshot.scan.complete


def test_a_scope_that_breaks_off_leaves_nothing_incomplete(tmp_path: Path) -> None:
    """A bucket whose grants are missing would look closed, so only what precedes a cursor is kept."""
    safe = (file("1"), grant("1"), Cursor(scope_uid="toy:scope/a", token="1"))
    toy = Listed({"a": lambda: failing(Malformed("cut off"), *safe, file("2"))})

    with collect([toy], tmp_path / "s", options=QUICK) as snapshot:
        assert uids(snapshot) == ["toy:1"]


def test_throttling_is_waited_out_and_the_scope_read_again(tmp_path: Path) -> None:
    """Throttled, then unreachable, then read: complete, with nothing in it twice."""
    tries = iter([Throttled("slow down", retry_after=0.01), Unreachable("time-out"), None])

    def script() -> Iterator[Yielded]:
        yield file("1")
        if error := next(tries):
            raise error

    toy = Listed({"a": script})
    events: list[Event] = []

    with collect([toy], tmp_path / "s", options=QUICK, on_event=events.append) as snapshot:
        assert uids(snapshot) == ["toy:1"]
        assert snapshot.scan.complete
    assert [event.attempt for event in events if isinstance(event, Retrying)] == [1, 2]


def test_gaps_and_spent_requests_become_coverage(tmp_path: Path) -> None:
    """What a connector could not read inside a scope is in the report, with the missing permission."""
    gap = Gap(
        table="grants",
        outcome=Outcome.DENIED,
        reason=Reason(code="ACL-not-readable"),
        needs="s3:GetBucketAcl",
        seen=1,
        total=3,
    )
    toy = Listed({"a": yielding(file("1"), Spent(requests=2), gap, Spent(requests=3))})

    with collect([toy], tmp_path / "s", options=QUICK) as snapshot:
        (row,) = troubles(snapshot)

        assert (row.table, row.needs, row.seen, row.total) == ("grants", "s3:GetBucketAcl", 1, 3)
        assert snapshot.scan.requests == 5


def test_a_platform_that_cannot_even_begin_is_a_coverage_row(tmp_path: Path) -> None:
    """No scopes at all is not the same as nothing to see."""

    class Denied(Listed):
        def scopes(self) -> Iterator[Scope]:
            raise AccessDenied("may not list accounts", needs="organizations:ListAccounts")

    with collect([Denied({})], tmp_path / "s", options=QUICK) as snapshot:
        (row,) = troubles(snapshot)

        assert (row.platform, row.outcome, row.needs) == ("toy", Outcome.DENIED, "organizations:ListAccounts")


def test_a_malformed_grant_becomes_one_that_could_not_be_read(tmp_path: Path) -> None:
    """Left out, it would make its resource look closed."""
    broken = Grant(uid="toy:g", resource_uid="toy:1", audience="everyone!", access="read", via="link")  # type: ignore[arg-type]
    toy = Listed({"a": yielding(file("1"), broken)})

    with collect([toy], tmp_path / "s", options=QUICK) as snapshot:
        assert snapshot.query("SELECT audience, effective FROM exposures").rows == [[None, None]]
        assert "everyone!" in str(troubles(snapshot)[0].reason)


def test_hostile_names_survive(tmp_path: Path) -> None:
    """Half surrogates, NUL, quotes, line ends: nothing is lost, nothing breaks."""
    names = ["a\ud800b", "nul\x00", 'it\'s "quoted"', "line\nend", "<script>", "\u202eevil", "x" * 10_000]
    toy = Listed(
        {"a'; DROP TABLE grants; --": yielding(*(fact for name in names for fact in (file(name), grant(name))))}
    )

    with collect([toy], tmp_path / "it's", options=QUICK) as snapshot:
        rows = snapshot.query("SELECT resource_name, audience FROM exposures").rows

    assert sorted(row[0] for row in rows) == sorted(["a\ufffdb", *names[1:]])
    assert {row[1] for row in rows} == {Audience.ANYONE_WITH_LINK}


def test_an_interrupted_scan_is_resumed(tmp_path: Path) -> None:
    """Killed in the middle and started again: the finished scopes are not read a second time."""
    scripts = {"a": yielding(file("1"), scope("c")), "b": yielding(file("2")), "c": yielding(file("3"))}

    def interrupt(event: Event) -> None:
        if isinstance(event, Finished) and event.scope.name == "a":
            raise KeyboardInterrupt

    one = CollectOptions(concurrency=1)
    first = Listed(scripts, top=["a", "b"])
    with pytest.raises(KeyboardInterrupt):
        collect([first], tmp_path / "s", options=one, on_event=interrupt)
    begun = spool.record_of(tmp_path / "s" / "spool")

    second = Listed(scripts, top=["a", "b"])
    with collect([second], tmp_path / "s", options=one) as snapshot:
        assert uids(snapshot) == ["toy:1", "toy:2", "toy:3"]
        assert "a" not in second.asked
        assert (snapshot.scan.id, snapshot.scan.started_on) == (begun.id, begun.started_on)


def test_two_scans_do_not_share_a_folder(tmp_path: Path) -> None:
    """The second is refused immediately; the first is not disturbed."""
    refused: list[str] = []
    inner = Listed({"x": yielding(file("x"))})

    def script() -> Iterator[Yielded]:
        try:
            collect([inner], tmp_path / "s", options=QUICK)
        except ScanRunning as error:
            refused.append(str(error))
        yield file("1")

    with collect([Listed({"a": script})], tmp_path / "s", options=QUICK) as snapshot:
        assert uids(snapshot) == ["toy:1"]
    assert "Another scan is running in" in refused[0]


def test_a_finished_snapshot_is_not_overwritten(tmp_path: Path) -> None:
    """What was seen stays what was seen."""
    toy = Listed({"a": yielding(file("1"))})
    collect([toy], tmp_path / "s", options=QUICK).close()

    with pytest.raises(SnapshotError, match="already contains a finished snapshot"):
        collect([toy], tmp_path / "s", options=QUICK)


def test_what_exceeds_the_budget_is_reported(tmp_path: Path) -> None:
    """There is a row of coverage for each scope that was not started."""
    with collect(
        [Listed({"a": yielding(file("1"))})], tmp_path / "s", options=CollectOptions(max_seconds=-1)
    ) as snapshot:
        assert [row.outcome for row in snapshot.coverage()] == [Outcome.FAILED]


def test_scopes_are_read_concurrently(tmp_path: Path) -> None:
    """As many as `concurrency` says: here two, which wait for each other."""
    meeting = threading.Barrier(2, timeout=10)

    def script() -> Iterator[Yielded]:
        meeting.wait()
        yield file("1")

    with collect(
        [Listed({"a": script, "b": script})], tmp_path / "s", options=CollectOptions(concurrency=2)
    ) as snapshot:
        assert snapshot.scan.complete


def test_events_report_progress_and_where_the_facts_are(tmp_path: Path) -> None:
    """Enough for a progress line and for first findings before the scan ends."""
    uids: list[str] = []
    events: list[Event] = []

    def listen(event: Event) -> None:
        events.append(event)
        if isinstance(event, Finished):
            uids.extend(getattr(fact, "uid", "") for fact in spool.facts(event.path))

    collect([Listed({"a": yielding(file("1"), grant("1"))})], tmp_path / "s", options=QUICK, on_event=listen).close()

    assert uids == ["toy:1", "toy:way/1"]
    assert [event.total for event in events if isinstance(event, Found)] == [1]
    assert [(event.done, event.total) for event in events if isinstance(event, Finished)] == [(1, 1)]


def test_a_platform_that_cannot_be_opened_costs_itself(tmp_path: Path) -> None:
    """A missing key file of one platform does not keep the others from being scanned."""

    class Unopened(Listed):
        name = "other"

        def scopes(self) -> Iterator[Scope]:
            raise ConfigurationError("key_file: there is no such file.")

    with collect([Unopened({}), Listed({"a": yielding(file("1"))})], tmp_path / "s", options=QUICK) as snapshot:
        (row,) = troubles(snapshot)

        assert uids(snapshot) == ["toy:1"]
        assert (row.platform, row.outcome) == ("other", Outcome.FAILED)
        assert "no such file" in sentence(row.reason, "en")


def test_no_platform_that_can_be_opened_is_a_matter_of_configuration(tmp_path: Path) -> None:
    """There is nothing to scan, so the command ends with what to change."""

    class Unopened(Listed):
        def scopes(self) -> Iterator[Scope]:
            raise ConfigurationError("key_file: there is no such file.")

    with pytest.raises(ConfigurationError, match="no such file"):
        collect([Unopened({})], tmp_path / "s", options=QUICK)


def test_a_bug_in_the_first_list_of_a_platform_costs_that_platform(tmp_path: Path) -> None:
    """What was listed before it is read."""

    class Broken(Listed):
        def scopes(self) -> Iterator[Scope]:
            yield scope("a")
            raise KeyError("Arn")

    with collect([Broken({"a": yielding(file("1"))})], tmp_path / "s", options=QUICK) as snapshot:
        (row,) = troubles(snapshot)

        assert uids(snapshot) == ["toy:1"]
        assert isinstance(row.reason, Reason)
        assert row.reason.code == "connector-failed"
        assert not snapshot.scan.complete


def test_what_failed_early_is_read_once_more_at_the_end(tmp_path: Path) -> None:
    """A platform that was down for an hour at the beginning of the night costs nothing."""
    attempts = []

    def shaky() -> Iterator[Yielded]:
        attempts.append(1)
        if len(attempts) <= 3:
            raise Unreachable("no answer")
        yield file("1")

    toy = Listed({"a": shaky, "b": yielding(file("2"))})

    with collect([toy], tmp_path / "s", options=QUICK) as snapshot:
        assert uids(snapshot) == ["toy:1", "toy:2"]
        assert snapshot.scan.complete


def test_a_side_question_without_an_answer_is_asked_again_at_the_end(tmp_path: Path) -> None:
    """Its gap is gone if it is answered then."""
    members = Question(name="toy-members", hides=(Hidden(table="memberships"),))
    attempts = []

    def shaky() -> Iterator[Yielded]:
        attempts.append(1)
        yield file("1")
        if len(attempts) == 1:
            yield members.gap(Throttled("slow down"))

    with collect([Listed({"a": shaky})], tmp_path / "s", options=QUICK) as snapshot:
        assert snapshot.scan.complete


def test_a_platform_that_throttles_is_asked_for_as_long_as_there_is_time(tmp_path: Path) -> None:
    """Patience is measured in seconds: twenty short pauses are not the end of the night."""
    attempts = []

    def busy() -> Iterator[Yielded]:
        attempts.append(1)
        if len(attempts) < 20:
            raise Throttled("slow down", retry_after=0.0)
        yield file("1")

    patience = Patience(attempts=3, span=60.0, pause=0.001)
    with collect([Listed({"a": busy})], tmp_path / "s", options=CollectOptions(patience=patience)) as snapshot:
        assert uids(snapshot) == ["toy:1"]
        assert snapshot.scan.complete


class Rechecked(Listed):
    """A connector that can be asked for single things."""

    existing: ClassVar[set[str]] = {"toy:2"}

    def still_there(self, uids: Sequence[str]) -> Mapping[str, bool]:
        return {uid: uid in self.existing for uid in uids}


def test_what_no_list_named_is_asked_for_before_it_counts_as_gone(tmp_path: Path) -> None:
    """What exists is a gap that hides just that; what does not exist is gone."""
    toy = Rechecked({"a": yielding(file("1"))})
    watch = {"toy": frozenset({"toy:1", "toy:2", "toy:3"})}

    with collect([toy], tmp_path / "s", options=replace(QUICK, watch=watch)) as snapshot:
        (row,) = troubles(snapshot)

        assert row.hides == (Hidden(table="all", below="toy:2"),)
        assert row.gap


def test_a_sample_that_exists_makes_all_that_vanished_doubtful(tmp_path: Path) -> None:
    """More than a few cannot be asked for singly, so the list that lacked one of them proves nothing."""

    class Everything(Rechecked):
        def still_there(self, uids: Sequence[str]) -> Mapping[str, bool]:
            assert len(uids) == recheck.MOST
            return {uid: uid == uids[0] for uid in uids}

    watch = {"toy": frozenset(f"toy:{number}" for number in range(100))}

    with collect(
        [Everything({"a": yielding(file("x"))})], tmp_path / "s", options=replace(QUICK, watch=watch)
    ) as snapshot:
        (row,) = troubles(snapshot)

        assert len(row.hides) == 100 - recheck.MOST + 1


@pytest.mark.parametrize("content", [b"", b"cut", b"\x00" * 100])
def test_a_kept_file_that_is_damaged_makes_its_scope_be_read_in_full(tmp_path: Path, content: bytes) -> None:
    """What was kept of yesterday is an input like any other."""
    since: list[Cursor | None] = []

    class Kept(Listed):
        def collect(self, scope: Scope, cursor: Cursor | None) -> Iterator[Yielded]:
            since.append(cursor)
            yield file("1")
            yield Cursor(scope_uid=scope.uid, token="next")

    toy = Kept({"a": yielding()})
    collect([toy], tmp_path / "first", options=QUICK).close()
    (lines,) = (tmp_path / "first" / "scopes").glob("*.gz")
    lines.write_bytes(content)

    earlier = replace(QUICK, earlier=Earlier(folder=tmp_path / "first"))
    with collect([toy], tmp_path / "second", options=earlier) as snapshot:
        assert since == [None, None]
        assert uids(snapshot) == ["toy:1"]
        assert snapshot.scan.complete
        assert any(getattr(row.reason, "code", "") == "kept-file-damaged" for row in snapshot.coverage())


def test_a_scope_with_a_gap_is_not_carried_on(tmp_path: Path) -> None:
    """The next night asks again for what was refused: the cursor of the night before is passed on."""
    refused = Question(name="toy-members", hides=(Hidden(table="memberships"),))
    since: list[str] = []
    nights = iter([(), (refused.gap(AccessDenied("no")),), ()])

    class Kept(Listed):
        def collect(self, scope: Scope, cursor: Cursor | None) -> Iterator[Yielded]:
            since.append(cursor.token if cursor else "")
            yield file("1")
            yield from next(nights)
            yield Cursor(scope_uid=scope.uid, token=f"after {len(since)}")

    toy = Kept({"a": yielding()})
    before = None
    for night in range(3):
        options = replace(QUICK, earlier=Earlier(folder=before) if before else None)
        collect([toy], tmp_path / str(night), options=options).close()
        before = tmp_path / str(night)

    assert since == ["", "after 1", "after 1"]


def test_a_list_that_lost_all_its_entries_in_a_day_is_doubted_for_a_night(tmp_path: Path) -> None:
    """What is empty tomorrow too is empty."""
    members = [Membership(group_uid="toy:group", member_uid=f"toy:person/{number}") for number in range(5)]
    nights = iter([members, [], []])
    before = None
    doubts = []

    for night in range(3):
        toy = Listed({"a": yielding(file("1"), *next(nights))})
        options = replace(QUICK, earlier=Earlier(folder=before) if before else None)
        with collect([toy], tmp_path / str(night), options=options) as snapshot:
            doubts.append([row.hides for row in troubles(snapshot)])
        before = tmp_path / str(night)

    assert doubts == [[], [(Hidden(table="memberships"),)], []]


def test_too_little_memory_costs_a_scope(tmp_path: Path) -> None:
    """It is neither a bug of the connector nor the end of the scan."""
    toy = Listed({"a": lambda: failing(MemoryError(), file("1")), "b": yielding(file("2"))})

    with collect([toy], tmp_path / "s", options=QUICK) as snapshot:
        (row,) = troubles(snapshot)

        assert sentence(row.reason, "en") == "there was not enough memory to read it"
        assert uids(snapshot) == ["toy:2"]
