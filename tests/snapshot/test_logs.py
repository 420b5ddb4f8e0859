"""What a log says of files and people that other scopes tell: sealing brings the two together."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cloudscan.connector import Cursor, Yielded
from cloudscan.facts import Audience, Opening, Principal, Sighting
from cloudscan.snapshot.collect import CollectOptions, collect
from cloudscan.snapshot.incremental import Earlier
from tests.kit.facts import Listed, file, grant, yielding

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ANN = Principal(uid="toy:ann", platform="toy", account="acme", kind="user")


def opening(resource: str, *, to: str | None = None, on: datetime = NOON, by: str = "bo@acme.example") -> Opening:
    return Opening(resource_uid=f"toy:{resource}", principal_uid=to, granted_on=on, granted_by=by)


def ways(folder: Path, *log: Yielded, drive: tuple[Yielded, ...]) -> list[list[Any]]:
    """Since when a grant exists, and who created it."""
    with collect([Listed({"drive": yielding(*drive), "log": yielding(*log)})], folder / "s") as snapshot:
        sql = "SELECT uid, granted_on, JSON_EXTRACT_STRING(detail, '$.granted_by') FROM grants"
        return sorted(list(row) for row in snapshot.query(sql).rows)


def naive(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)


def test_the_latest_opening_counts_whatever_the_order(tmp_path: Path) -> None:
    log = (opening("a", on=NOON + DAY, by="cy@acme.example"), opening("a"), opening("a", on=NOON - DAY))

    assert ways(tmp_path, *log, drive=(file("a"), grant("a"))) == [
        ["toy:way/a", naive(NOON + DAY), "cy@acme.example"],
    ]


def test_it_is_written_into_the_way_of_that_principal_and_no_other(tmp_path: Path) -> None:
    drive = (
        file("a"),
        ANN,
        grant("a", uid="toy:way/1-link"),
        grant("a", Audience.NAMED, uid="toy:way/2-ann", principal_uid="toy:ann"),
        file("b"),
        grant("b", uid="toy:way/3-other-file"),
    )

    assert ways(tmp_path, opening("a", to="toy:ann"), drive=drive) == [
        ["toy:way/1-link", None, None],
        ["toy:way/2-ann", naive(NOON), "bo@acme.example"],
        ["toy:way/3-other-file", None, None],
    ]


def test_what_is_inherited_stands_open_since_it_was_given_above(tmp_path: Path) -> None:
    inherited = grant("b", uid="toy:way/b", origin_uid="toy:a", inherited=True)

    grants = ways(tmp_path, opening("a"), drive=(file("a"), grant("a"), file("b", parent_uid="toy:a"), inherited))

    assert [row[1:] for row in grants] == [[naive(NOON), "bo@acme.example"]] * 2


def test_a_way_that_could_not_be_read_and_one_that_knows_better_stay_as_they_are(tmp_path: Path) -> None:
    known = grant("b", granted_on=NOON - DAY, detail={"granted_by": "di@acme.example"})

    grants = ways(tmp_path, opening("a"), opening("b"), drive=(file("a"), grant("a", None), file("b"), known))

    assert grants == [["toy:way/a", None, None], ["toy:way/b", naive(NOON - DAY), "di@acme.example"]]


def test_files_and_people_of_whom_nobody_tells_any_more_cost_nothing(tmp_path: Path) -> None:
    log = (opening("gone"), Sighting(principal_uid="toy:nobody", last_seen_on=NOON))

    with collect([Listed({"drive": yielding(file("a")), "log": yielding(*log)})], tmp_path / "s") as snapshot:
        assert snapshot.query("SELECT count(*) FROM grants").rows == [[0]]
        assert snapshot.query("SELECT count(*) FROM principals").rows == [[0]]
        assert snapshot.scan.complete


def test_somebody_was_last_seen_where_he_was_seen_last(tmp_path: Path) -> None:
    log = [Sighting(principal_uid="toy:ann", last_seen_on=NOON + days * DAY) for days in (1, 5, 3)]

    with collect([Listed({"drive": yielding(ANN), "log": yielding(*log)})], tmp_path / "s") as snapshot:
        assert snapshot.query("SELECT last_seen_on FROM principals").rows == [[naive(NOON + 5 * DAY)]]


def test_a_log_that_is_gone_on_with_says_all_that_still_stands(tmp_path: Path) -> None:
    """What it said last night and no longer says is dropped."""
    drive = (file("a"), grant("a"), file("b"), grant("b"))
    cursor = Cursor(scope_uid="toy:scope/log", token="1")
    first = Listed({"drive": yielding(*drive), "log": yielding(opening("a"), opening("b"), cursor)})
    collect([first], tmp_path / "first").close()
    second = Listed({"drive": yielding(*drive), "log": yielding(opening("b"), cursor)})
    options = CollectOptions(earlier=Earlier(folder=tmp_path / "first"))

    with collect([second], tmp_path / "second", options=options) as snapshot:
        grants = snapshot.query("SELECT uid, granted_on FROM grants").rows
    assert sorted(list(row) for row in grants) == [["toy:way/a", None], ["toy:way/b", naive(NOON)]]
