"""What is still to be closed of those who left or leave soon, and of those who moved, as one snapshot shows it.

Accounts are those that `organisation.accounts` joined with the person. A count of nothing is believed only where the
platform was read without a gap; otherwise it is not known. Access that has expired is none; access that a block
stops is counted: one switch brings it back.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple

from cloudscan.checklist import DUTIES, NO_ACCOUNT, Checklist, Duty, Item, ItemState, Task
from cloudscan.coverage import Coverage
from cloudscan.days import day_of
from cloudscan.facts import EVERYTHING, Hidden
from cloudscan.organisation import checklist_queries as queries
from cloudscan.reason import Reason
from cloudscan.snapshot.organisation import NO_DAY, ORGANISATION
from cloudscan.snapshot.snapshot import Snapshot

UPCOMING_DAYS: Final = 30
"""How long before the last day a checklist is shown as a preview."""

GRACE_DAYS: Final = 30
"""How long after a move the old access may stay for handing over, unless the rule about it says otherwise."""

_EXAMPLES: Final = 5
_IN_PLACES: Final = ("resources", "grants")
_HIDDEN_IN: Final[Mapping[Task, Sequence[str]]] = {
    Task.PRIVATE: ("grants", "resources", "principals", "grants.principal_uid"),
    Task.GRANTS: ("grants", "resources", "grants.principal_uid"),
    Task.GROUPS: ("memberships", "principals"),
    Task.OWNED: ("resources", "memberships", "principals", "resources.owner_uid", "memberships.role"),
    Task.FILES: ("resources", "grants", "resources.owner_uid", "grants.audience", "grants.effective"),
    Task.GUESTS: ("principals", "principals.sponsor_uid"),
}
"""The tables in which something of a task may be missing, and the columns without which it is not found."""

_ASKED_WHERE: Final[Mapping[Task, str]] = {Task.FILES: "file", Task.GUESTS: "guest"}
"""What a platform must have, so that something is asked there."""

_OF_ORGANISATION: Final = (Task.PARTNERS, Task.WAIVERS, Task.STAFF)
_COUNTED: Final = (Task.GRANTS, Task.GROUPS, Task.OWNED, Task.FILES, Task.GUESTS)
_OF_MOVERS: Final = (Task.GRANTS, Task.GROUPS)


class _Found(NamedTuple):
    """What a query found of one person on one platform."""

    open: int
    unknown: int = 0
    total: int = 0
    examples: Sequence[str] = ()
    closed_on: datetime | None = None  # of all that is closed; None: the directory does not say it of each
    last_used_on: datetime | None = None
    last_used_day: date | None = None


_Rows = Mapping[tuple[str, str], _Found]


class _Estate(NamedTuple):
    """What there is to look at, and where something may be missing."""

    platforms: Sequence[str]
    kinds: frozenset[tuple[str, str]]  # by platform: of principals and resources, and `keys`
    gaps: Mapping[tuple[str, str], int]  # by platform and table
    today: date
    timezone: str

    def missing(self, platform: str, *tables: str) -> int:
        """How many gaps may hide rows of these tables."""
        return sum(self.gaps.get((platform, table), 0) for table in (*tables, "all"))


def leaving(
    snapshot: Snapshot, timezone: str, *, since: date, upcoming_days: int = UPCOMING_DAYS
) -> Sequence[Checklist]:
    """Those who left on `since` or later or whose account is still active, and those who leave soon; by last day.

    A last day that could not be read counts as late enough.
    """
    estate = _estate(snapshot, timezone)
    days = {
        "since": since,
        "today": estate.today,
        "until": estate.today + timedelta(days=upcoming_days),
        "as_of": snapshot.scan.started_on.astimezone(UTC).replace(tzinfo=None),
    }
    people = snapshot.query(f"{queries.LEAVING} {queries.PEOPLE}", days).rows
    if not people:
        return ()
    found = {task: _found(snapshot, f"{queries.LEAVING} {sql}", days) for task, sql in queries.TASKS.items()}
    return [_leaving(row, found, estate) for row in people]


def moved(snapshot: Snapshot, timezone: str, *, grace_days: int = GRACE_DAYS) -> Sequence[Checklist]:
    """Those who are here and no longer in a department, one record a department that they left; the last move first."""
    estate = _estate(snapshot, timezone)
    people = snapshot.query(queries.MOVERS).rows
    if not people:
        return ()
    found = {task: _found_of_movers(snapshot, queries.OF_MOVERS[task]) for task in _OF_MOVERS}
    return [_moved(row, found, estate, grace_days) for row in people]


def _estate(snapshot: Snapshot, timezone: str) -> _Estate:
    gaps: dict[tuple[str, str], int] = {}
    for row in snapshot.coverage():
        for hidden in _hidden_by(row):
            gaps[row.platform, hidden] = gaps.get((row.platform, hidden), 0) + 1
    platforms = snapshot.query(
        "SELECT platform FROM coverage UNION SELECT platform FROM principals ORDER BY platform"
    ).rows
    kinds = snapshot.query(
        """SELECT DISTINCT platform, kind FROM principals UNION SELECT DISTINCT platform, kind FROM resources
           UNION SELECT DISTINCT platform, 'keys' FROM principals WHERE json_exists(detail, '$.access_keys')"""
    ).rows
    return _Estate(
        platforms=[name for (name,) in platforms if name != ORGANISATION],
        kinds=frozenset((platform, kind) for platform, kind in kinds),
        gaps=gaps,
        today=day_of(snapshot.scan.started_on, timezone),
        timezone=timezone,
    )


def _hidden_by(row: Coverage) -> Iterator[str]:
    """The tables, or columns of tables, in which something may be missing because of a row of coverage.

    What is in one place only hides no account and no membership.
    """
    if not row.outcome.can_hide:
        return
    for hidden in row.hides or (Hidden(table=row.table),):
        tables = _IN_PLACES if hidden.table == EVERYTHING and hidden.below else (hidden.table,)
        yield from (f"{table}.{column}" for table in tables for column in hidden.columns)
        if not hidden.columns:
            yield from (table for table in tables if table in _IN_PLACES or not hidden.below)


def _found(snapshot: Snapshot, sql: str, params: Mapping[str, object]) -> _Rows:
    return {(person, platform): _as_found(rest) for person, platform, *rest in snapshot.query(sql, params).rows}


def _found_of_movers(snapshot: Snapshot, sql: str) -> Mapping[tuple[str, str, str], _Found]:
    return {
        (person, department, platform): _as_found(rest)
        for person, department, platform, *rest in snapshot.query(sql).rows
    }


def _as_found(values: Sequence[Any]) -> _Found:
    padded: list[Any] = [*values, *[None] * (7 - len(values))]
    count, unknown, total, examples, closed_on, last_used_on, last_used_day = padded
    return _Found(
        open=count,
        unknown=unknown or 0,
        total=count if total is None else total,
        examples=sorted({str(name) for name in examples or () if name})[:_EXAMPLES],
        closed_on=_aware(closed_on),
        last_used_on=_aware(last_used_on),
        last_used_day=last_used_day,
    )


def _aware(moment: datetime | None) -> datetime | None:
    """A moment of a snapshot; what nobody ever used has the year 1970."""
    return None if moment is None or moment.year <= 1970 else moment.replace(tzinfo=UTC)


def _leaving(row: Sequence[Any], found: Mapping[Task, _Rows], estate: _Estate) -> Checklist:
    person, last_day, standing = row[0], row[8], row[9]
    last_day = None if last_day in (None, NO_DAY) else last_day
    return Checklist(
        **_who(row),
        last_day=last_day,
        left=standing == "left",
        items=list(_items(person, last_day, found, estate)),
    )


def _who(row: Sequence[Any]) -> dict[str, Any]:
    names = ("person_uid", "number", "name", "email", "department", "manager", "manager_email", "manager_is_here")
    return dict(zip(names, row[: len(names)], strict=True))


def _moved(
    row: Sequence[Any], found: Mapping[Task, Mapping[tuple[str, str, str], _Found]], estate: _Estate, grace_days: int
) -> Checklist:
    person, from_department, moved_on = row[0], row[8], row[9]
    return Checklist(
        **_who(row),
        from_department=from_department,
        moved_on=moved_on,
        grace_ends=None if moved_on is None else moved_on + timedelta(days=grace_days - 1),
        items=[
            _counted(task, platform, found[task].get((person, from_department, platform)), estate, "-old")
            for platform in estate.platforms
            for task in _OF_MOVERS
            if row[10] is None or platform in row[10]
        ],
    )


def _items(person: str, last_day: date | None, found: Mapping[Task, _Rows], estate: _Estate) -> Iterator[Item]:
    """All items of somebody who leaves. What somebody has without an account there is not asked for."""
    for platform in estate.platforms:
        at = (person, platform)
        account = found[Task.ACCOUNT].get(at)
        yield _account(platform, account, last_day, estate)
        keys = found[Task.KEYS].get(at)
        if keys or ((platform, "keys") in estate.kinds and not estate.missing(platform, "principals")):
            yield _keys(platform, keys, last_day)
        if at in found[Task.PRIVATE]:
            yield _counted(Task.PRIVATE, platform, found[Task.PRIVATE][at], estate)
        if account:
            for task in _COUNTED:
                if task not in _ASKED_WHERE or (platform, _ASKED_WHERE[task]) in estate.kinds:
                    yield _counted(task, platform, found[task].get(at), estate)
    for task in _OF_ORGANISATION:
        counted = found[task].get((person, ORGANISATION))
        if counted:
            yield _counted(task, ORGANISATION, counted, estate)


def _account(platform: str, found: _Found | None, last_day: date | None, estate: _Estate) -> Item:
    if found is None:
        unread = estate.missing(platform, "principals")
        if unread:
            says = Reason(code="checklist-accounts-unread", values={"count": unread})
            return Item(task=Task.ACCOUNT, platform=platform, state=ItemState.UNKNOWN, says=says)
        return Item(task=Task.ACCOUNT, platform=platform, state=ItemState.NONE, says=Reason(code=NO_ACCOUNT))
    return _entrance(Task.ACCOUNT, platform, found, last_day, estate.timezone)


def _keys(platform: str, found: _Found | None, last_day: date | None) -> Item:
    if found is None:
        return Item(task=Task.KEYS, platform=platform, state=ItemState.NONE, says=Reason(code="checklist-keys-none"))
    return _entrance(Task.KEYS, platform, found, last_day, "UTC")


def _entrance(task: Task, platform: str, found: _Found, last_day: date | None, timezone: str) -> Item:
    state = ItemState.OPEN if found.open else ItemState.UNKNOWN if found.unknown else ItemState.DONE
    counts = {ItemState.OPEN: found.open, ItemState.UNKNOWN: found.unknown, ItemState.DONE: found.total}
    closed_on = found.closed_on if state is ItemState.DONE else None
    used = found.last_used_day or (day_of(found.last_used_on, timezone) if found.last_used_on else None)
    return Item(
        task=task,
        platform=platform,
        state=state,
        says=Reason(code=f"checklist-{task}-{state}", values={"count": counts[state]}),
        examples=found.examples,
        closed_on=closed_on,
        by_directory=closed_on is not None,
        last_used_on=found.last_used_on or (datetime(used.year, used.month, used.day, tzinfo=UTC) if used else None),
        used_after=None if used is None or last_day is None else used > last_day,
    )


def _counted(task: Task, platform: str, found: _Found | None, estate: _Estate, kind: str = "") -> Item:
    count = found.open if found else 0
    missing = 0 if count else estate.missing(platform, *_HIDDEN_IN.get(task, ()))
    state = ItemState.OPEN if count else ItemState.UNKNOWN if missing else ItemState.DONE
    code = f"checklist-{task}{kind}-{state}"
    if state is ItemState.UNKNOWN:
        code = f"checklist-{task}{kind}-unread"
    return Item(
        task=task,
        platform=platform,
        state=state,
        says=Reason(code=code, values={"count": count or missing}),
        examples=found.examples if found and DUTIES[task] is not Duty.CLOUD_IDS else (),  # no private addresses
    )
