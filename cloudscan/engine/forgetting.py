"""Forgetting never acquits: what a rule decides of its own examples once a part of them is not known.

From every example one cell, or one list, is taken away, and two together. Then a flagged case may become unknown and
never passed, a passed one unknown and never flagged, and what is unknown stays unknown. A case that is no longer in the
result counts as passed, unless a row about something unknown has taken its place.

The values of an example are not the only ones: in the place of each cell, known or not, and of each setting that the
example leaves out, stands every value that the query compares it with, too. What is decided while a cell is not known
has to hold for all of them. All this is tried as well where every grant has a principal, every resource an owner and a
use, and every group a member.

What is forgotten: any column that the verdict rests on, a key of `detail`, the value of a setting; the grants of a
resource, the members of a group, the activity of a resource, each replaced by the row that stands for an unread list.
What never is: which thing it is (`uid`, `platform`, `account`, `kind`), what a row hangs on, the name of a setting.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations
from typing import Any, Final

import duckdb
import msgspec

from cloudscan.engine import examples, worlds
from cloudscan.engine.judge import bindings
from cloudscan.engine.rule_file import Example, Rule
from cloudscan.engine.worlds import Identity
from cloudscan.facts import NEVER, Membership, unread_grants
from cloudscan.finding import Judgement
from cloudscan.snapshot.in_memory import Estate
from cloudscan.snapshot.tables import KNOWN, LADDERS, Dependency, is_uid, names_of

MOST: Final = 100
"""Parts of one example that can be forgotten; the pairs of more take too long."""

_KEPT: Final = frozenset({
    ("*", "uid"), ("*", "platform"), ("*", "account"), ("*", "kind"),
    ("resources", "parent_uid"), ("resources", "container_uid"),
    ("grants", "resource_uid"), ("grants", "origin_uid"), ("grants", "inherited"), ("grants", "principal_uid"),
    ("memberships", "group_uid"), ("memberships", "member_uid"),
    ("settings", "scope_uid"), ("settings", "name"),
    ("activity", "resource_uid"), ("activity", "grant_uid"),
    ("people", "manager_uid"), ("posts", "person_uid"), ("moves", "person_uid"), ("moves", "from_department"),
    ("accounts", "principal_uid"), ("department_containers", "resource_uid"),
    ("leftovers", "person_uid"), ("leftovers", "principal_uid"), ("leftovers", "why"), ("leftovers", "from_department"),
    ("leftovers", "grant_uid"), ("leftovers", "group_uid"),
    ("partner_accounts", "principal_uid"), ("partner_accounts", "partner_uid"),
    ("partner_places", "principal_uid"), ("partner_places", "partner_uid"), ("partner_places", "resource_uid"),
    ("ranks", "resource_uid"), ("drift", "resource_uid"), ("drift", "grant_uid"),
})  # fmt: skip

_LOGGED: Final = frozenset({("principals", "last_seen_on"), ("grants", "granted_on")})
"""What may be known from a log. Nothing in it means *never*, as far as it reaches (`created_on` of an `audit_log`), so
that these are forgotten together with its reach."""

_LONG: Final = timedelta(days=3_000)

_MOMENTS: Final = (examples.AS_OF - _LONG, examples.AS_OF, examples.AS_OF + _LONG, NEVER)

_LISTS: Final = {"grants": "grants", "memberships": "members", "activity": "uses"}

Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Cell:
    """A column of one row, or a key of its `detail`."""

    of: Dependency
    row: int
    setting: str = ""  # its name, where the example does not give it

    def __str__(self) -> str:
        return ".".join(part for part in (*self.of, self.setting) if part)


@dataclass(frozen=True)
class Listing:
    """All rows of a table that hang on one thing."""

    table: str
    uid: str

    def __str__(self) -> str:
        return f"the {_LISTS[self.table]} of {self.uid}"


Part = Cell | Listing


@dataclass(frozen=True, kw_only=True)
class Slip:
    """A verdict that forgetting turned into what it may not become."""

    example: Example
    forgotten: tuple[Part, ...]
    identity: Identity
    before: Judgement | None  # None: it was not in the result
    after: Judgement | None
    value: Any = None  # what stood in the one cell instead of the example's own value

    @property
    def parts(self) -> tuple[str, ...]:
        """What was forgotten, in a few words each."""
        return tuple(str(part) for part in self.forgotten)


def slips(db: duckdb.DuckDBPyConnection, rule: Rule) -> Iterator[Slip]:
    """The verdicts of a rule that forgetting turns around, on an empty connection of `in_memory.open_empty`.

    A pair is not mentioned where one of its parts alone does it. Raises `RuleError` if the query cannot run.
    """
    by_params: dict[str, list[Example]] = {}
    for example in rule.examples:
        by_params.setdefault(repr(sorted(example.params.items())), []).append(example)
    for group in by_params.values():
        cases = [case for example in group for case in _cases(rule, example)]
        bound = bindings(rule, examples.AS_OF, group[0].params)
        results = worlds.judge(db, rule, [case.estate for case in cases], bound)
        yield from _slips(cases, results)


def too_many(rule: Rule) -> Example | None:
    """An example that has too many parts to be tried, if there is one."""
    return next((one for one in rule.examples if len(_parts(rule, examples.estate_of(one))) > MOST), None)


@dataclass(frozen=True)
class _Case:
    """An example in which some parts are forgotten, or one cell has another value."""

    example: Example
    forgotten: tuple[Part, ...]
    estate: Estate
    value: Any = None


def _cases(rule: Rule, example: Example) -> Iterator[_Case]:
    """The example as it is, then with each part forgotten, with each other value, then with each pair forgotten.

    After that the same, without pairs, for the example in which there is somebody and something of everything.
    """
    estate = examples.estate_of(example)
    yield from _singles(rule, example, estate)
    yield from _settings(rule, example, estate)
    for pair in combinations(_parts(rule, estate), 2):
        yield _Case(example, pair, _without(estate, pair))
    fuller = _fuller(rule, estate)
    if fuller != estate:
        yield from _singles(rule, example, fuller)


def _singles(rule: Rule, example: Example, estate: Rows) -> Iterator[_Case]:
    yield _Case(example, (), estate)
    cells = _cells(rule, estate, known=False)
    for part in dict.fromkeys((*_parts(rule, estate), *cells)):
        yield _Case(example, (part,), _without(estate, (part,)))
    for cell in cells:
        for value in candidates(rule, cell.of):
            yield _Case(example, (cell,), _with(estate, cell, value), value)


def _fuller(rule: Rule, estate: Rows) -> Rows:
    """The estate in which every grant has a principal, every resource an owner and a use, and every group a member.

    As far as the rule reads such things; that an example has none of them must not keep a default from being tried.
    """
    read = {one[:2] for one in rule.rests_on}
    fuller = {table: [dict(row) for row in rows] for table, rows in estate.items()}
    people: dict[str, dict[str, Any]] = {}

    def somebody(name: str) -> str:
        return str(people.setdefault(name, {**examples.PLAIN["principals"], "uid": name})["uid"])

    for table, column in (("grants", "principal_uid"), ("resources", "owner_uid")):
        for row in fuller[table] if (table, column) in read else ():
            if row.get(column) is None:
                row[column] = somebody(f"the {column.removesuffix('_uid')} of {row['uid']}")
    if ("activity", "resource_uid") in read:
        used = {row["resource_uid"] for row in estate["activity"]}
        unused = (row["uid"] for row in estate["resources"] if row["uid"] not in used)
        fuller["activity"] += [{**examples.PLAIN["activity"], "resource_uid": uid} for uid in unused]
    if ("memberships", "group_uid") in read:
        filled = {row["group_uid"] for row in estate["memberships"]}
        fuller["memberships"] += [
            {"group_uid": uid, "member_uid": somebody(f"a member of {uid}"), "role": "member"}
            for uid in sorted(_groups(estate) - filled)
        ]
    fuller["principals"] += people.values()
    return fuller


def _settings(rule: Rule, example: Example, estate: Rows) -> Iterator[_Case]:
    """The example with each setting that it does not give: first not known, then with each value."""
    of = Dependency("settings", "value")
    given = {(row["scope_uid"], row["name"]) for row in estate["settings"]}
    names = rule.compared.get("name", ()) if any(one[:2] == of[:2] for one in rule.rests_on) else ()
    for scope_uid in [row["uid"] for row in estate["resources"]]:
        for name in names:
            if (scope_uid, name) in given:
                continue
            more = {**estate, "settings": [*estate["settings"], {"scope_uid": scope_uid, "name": name, "value": None}]}
            cell = Cell(of, len(estate["settings"]), name)
            yield _Case(example, (cell,), more)
            for value in candidates(rule, of):
                yield _Case(example, (cell,), _with(more, cell, value), value)


def _slips(cases: Sequence[_Case], results: Sequence[Mapping[Identity, Judgement]]) -> Iterator[Slip]:
    known: Mapping[Identity, Judgement] = {}
    unknown: dict[Part, Mapping[Identity, Judgement]] = {}
    alone: set[Part] = set()
    for case, judged in zip(cases, results, strict=True):
        if not case.forgotten:
            known, unknown, alone = judged, {}, set()
            continue
        if not alone.isdisjoint(case.forgotten):
            continue
        if case.value is not None:
            turned = _turned(judged, unknown[case.forgotten[0]])
        else:
            turned = _turned(known, judged)
            if len(case.forgotten) == 1:
                unknown[case.forgotten[0]] = judged
        found = [
            Slip(
                example=case.example,
                forgotten=case.forgotten,
                identity=identity,
                before=before,
                after=after,
                value=case.value,
            )
            for identity, before, after in turned
        ]
        if found and len(case.forgotten) == 1:
            alone.add(case.forgotten[0])
        yield from found


def _turned(
    known: Mapping[Identity, Judgement], judged: Mapping[Identity, Judgement]
) -> Iterator[tuple[Identity, Judgement | None, Judgement | None]]:
    for identity, before in known.items():
        after = judged.get(identity)
        if before is Judgement.PASSED:
            if after is Judgement.FLAGGED:
                yield identity, before, after
        elif after is None:
            if not any(other is not Judgement.PASSED and _may_be(one, identity) for one, other in judged.items()):
                yield identity, before, after
        elif after is Judgement.PASSED or (before is Judgement.UNKNOWN and after is Judgement.FLAGGED):
            yield identity, before, after
    for identity, after in judged.items():
        flagged = (one for one, before in known.items() if before is Judgement.FLAGGED)
        if after is Judgement.FLAGGED and identity not in known and not any(_may_be(identity, one) for one in flagged):
            yield identity, None, after


def _may_be(unknown: Identity, identity: Identity) -> bool:
    """Whether an identity, None where it is not known, may be the other one."""
    return all(mine is None or mine == theirs for mine, theirs in zip(unknown, identity, strict=True))


def _parts(rule: Rule, estate: Rows) -> list[Part]:
    tables = {one.table for one in rule.rests_on}
    resources = [row["uid"] for row in estate["resources"]]
    lists = [
        Listing(table, uid)
        for table, uids in (("grants", resources), ("activity", resources), ("memberships", sorted(_groups(estate))))
        if table in tables
        for uid in uids
    ]
    return [*_cells(rule, estate, known=True), *lists]


def _groups(estate: Rows) -> set[str]:
    groups = {row["uid"] for row in estate["principals"] if str(row["kind"]).endswith("group")}
    return groups | {row["group_uid"] for row in estate["memberships"]}


def _cells(rule: Rule, estate: Rows, *, known: bool) -> list[Cell]:
    """The cells that the verdict rests on; those of them that are known, or all."""
    cells = [
        Cell(Dependency(one.table, one.column, key), index)
        for one in rule.rests_on
        if one.table in KNOWN and not {(one.table, one.column), ("*", one.column)} & _KEPT
        for index, row in enumerate(estate[one.table])
        for key in (_known_keys(row, one) if known else (one.key if one.column == "detail" else "",))
    ]
    return list(dict.fromkeys(cells))


def candidates(rule: Rule, of: Dependency) -> list[Any]:
    """The values that a cell may have as well, as far as they make a difference to the rule."""
    kind = KNOWN[of.table][of.column]
    if of.column in LADDERS:
        return [str(rung) for rung in LADDERS[of.column]]
    if kind == "BOOLEAN":
        return [True, False]
    if kind == "TIMESTAMP":
        return list(_MOMENTS)
    if kind == "DATE":
        return [moment.date() for moment in _MOMENTS]
    if is_uid(of.column) or (kind == "JSON" and not of.key):
        return []
    names = names_of(of)
    texts = list(dict.fromkeys(text for name in names for text in rule.compared.get(name, ())))
    if kind == "BIGINT":
        return [int(text) + more for text in (*texts, "0") if text.isdigit() for more in (-1, 0, 1)]
    return [*texts, "false", "0", "something else"]


def _known_keys(row: Mapping[str, Any], one: Dependency) -> Iterable[str]:
    """The keys of a cell that can be forgotten: one empty key for a column without keys, none if it is not known."""
    value = row.get(one.column)
    if value is None or value == {}:
        return ()
    if one.column != "detail":
        return ("",)
    if one.key:
        return (one.key,) if _at(value, one.key.split(".")) is not None else ()
    return tuple(value)


def _at(value: Any, path: Sequence[str]) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _without(estate: Rows, parts: Sequence[Part]) -> Rows:
    """The estate with some parts forgotten; rows that stay as they are, are shared."""
    cells: dict[str, dict[int, list[Dependency]]] = {}
    for part in parts:
        if isinstance(part, Cell):
            cells.setdefault(part.of.table, {}).setdefault(part.row, []).append(part.of)
    changed = dict(estate)
    if any(isinstance(part, Cell) and part.of[:2] in _LOGGED for part in parts):
        changed["resources"] = [
            {**row, "created_on": None} if row["kind"] == "audit_log" else row for row in estate["resources"]
        ]
    for table, rows in cells.items():
        changed[table] = [_row_without(row, rows.get(index, ())) for index, row in enumerate(changed[table])]
    for part in parts:
        if isinstance(part, Listing):
            changed[part.table] = list(_unread(changed[part.table], part))
    return changed


def _with(estate: Rows, cell: Cell, value: Any) -> Rows:
    """The estate with another value in one cell."""
    of = cell.of

    def changed(row: dict[str, Any]) -> dict[str, Any]:
        if of.column != "detail":
            return {**row, of.column: value}
        return {**row, "detail": _put(row["detail"] or {}, of.key.split("."), value)}

    rows = [changed(row) if index == cell.row else row for index, row in enumerate(estate[of.table])]
    return {**estate, of.table: rows}


def _put(detail: Any, path: Sequence[str], value: Any) -> dict[str, Any]:
    known = detail if isinstance(detail, dict) else {}
    inner = value if len(path) == 1 else _put(known.get(path[0]), path[1:], value)
    return {**known, path[0]: inner}


def _row_without(row: dict[str, Any], forgotten: Iterable[Dependency]) -> dict[str, Any]:
    for one in forgotten:
        value = _dropped(row["detail"], one.key.split(".")) if one.column == "detail" else None
        row = {**row, one.column: value}
    return row


def _dropped(detail: Any, path: Sequence[str]) -> Any:
    if not isinstance(detail, dict) or path[0] not in detail:
        return detail
    if len(path) > 1:
        return {**detail, path[0]: _dropped(detail[path[0]], path[1:])}
    return {name: value for name, value in detail.items() if name != path[0]}


def _unread(rows: Iterable[dict[str, Any]], listing: Listing) -> Iterator[dict[str, Any]]:
    """The rows of a table, with the row that stands for an unread list in the place of one thing's."""
    hangs_on = "group_uid" if listing.table == "memberships" else "resource_uid"
    origins: dict[str | None, None] = {}
    for row in rows:
        if row[hangs_on] != listing.uid:
            yield row
        elif listing.table == "grants":
            origins[row["origin_uid"]] = None
    if listing.table == "memberships":
        yield msgspec.structs.asdict(Membership(group_uid=listing.uid, member_uid=None))
    elif listing.table == "activity":
        yield {"resource_uid": listing.uid}
    else:
        for number, origin in enumerate(origins or {listing.uid: None}):
            marker = msgspec.structs.asdict(unread_grants(listing.uid, origin_uid=origin))
            yield {**marker, "uid": f"{marker['uid']}{number or ''}", "origin_uid": origin or listing.uid}
