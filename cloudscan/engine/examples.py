"""Rule examples: plain rows, of which an example names only what differs.

What `given` may contain, by table: facts, `coverage`, and what the organisation knows. Uids are short names. The first
row of a table has the plain name, further ones a number:

=============  =====================  =============================================================
table          uid of row 1, 2, …     plain row
=============  =====================  =============================================================
resources      res, res2, …           a file, Plan.xlsx, in the account `acme` on the platform `any`
grants         way, way2, …           on `res`: named people may read, directly, effective, not inherited
principals     somebody, somebody2 …  an active internal user
memberships                           `somebody` is a member of `group`
settings                              of `res`; name and value have to be written
activity                              one read of `res` today, by a user
coverage                              the resources of the scope `acme` were read completely
people         person, person2, …     an employee, at work
posts                                 `person` works in Sales
moves                                 `person` went from Sales to Finance 100 days ago
accounts                              `somebody` is `person`'s own account, by the number
department_containers                 `res` is a container of Sales, by its members
leftovers                             `way` was given to `somebody`, and `person` left
partners       partner, partner2, …   Haulier, under a contract that ends in 100 days
partner_accounts                      `somebody` belongs to `partner`, by the domain
partner_places                        `somebody`, who is `partner`'s, may have `res`
ranks                                 `res` has the rank 5, by a pattern
templates      template, template2 …  a pattern of a template that names one folder
drift                                 `way` on `res` is as intended
waivers        waiver, waiver2, …     a waiver of one finding, with an owner and a reason, for 100 days
=============  =====================  =============================================================

A resource, principal, person or partner that is mentioned (`resource_uid: res`, `scope_uid: bucket`,
`principal_uid: somebody`) and not given exists as a plain row. `null` means *could not be read*. Times and days may be
relative: ``100 days ago``, ``in 3 days``, ``now``, ``never`` (the end of time); "now" is `AS_OF`.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from cloudscan.engine.rule_file import Example
from cloudscan.facts import NEVER
from cloudscan.sentence import say
from cloudscan.snapshot.organisation import NO_DAY
from cloudscan.snapshot.tables import COVERAGE, KNOWN, is_uid
from cloudscan.text import suggestion

AS_OF: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""The time at which every example is judged."""

_GIVEN: Final[Mapping[str, Mapping[str, str]]] = {**KNOWN, "coverage": COVERAGE}

PLAIN: Final[Mapping[str, Mapping[str, Any]]] = {
    "resources": {
        "uid": "res", "platform": "any", "account": "acme", "kind": "file", "name": "Plan.xlsx", "path": "",
        "content_type": "", "label": "", "url": "", "detail": {},
    },
    "principals": {
        "uid": "somebody", "platform": "any", "account": "acme", "kind": "user", "email": "somebody@acme.example",
        "domain": "acme.example", "name": "Somebody", "affiliation": "internal", "status": "active",
        "department": "", "detail": {},
    },
    "grants": {
        "uid": "way", "resource_uid": "res", "inherited": False, "audience": "named", "access": "read",
        "via": "direct", "discoverable": False, "expires_on": NEVER, "password": False, "effective": True,
        "blocked_by": "", "url": "", "detail": {},
    },
    "memberships": {"group_uid": "group", "member_uid": "somebody", "role": "member"},
    "settings": {"scope_uid": "res"},
    "activity": {"resource_uid": "res", "verb": "read", "actor_kind": "user", "day": AS_OF, "count": 1},
    "coverage": {
        "scope_uid": "acme", "platform": "any", "account": "acme", "table_name": "resources", "outcome": "complete",
        "question": "", "reason": "", "needs": "",
    },
    "people": {
        "uid": "person", "number": "1", "name": "Somebody", "email": "somebody@acme.example", "department": "Sales",
        "role": "", "employment": "employee", "standing": "active", "starts_on": AS_OF.date() - timedelta(days=1000),
        "last_day": NO_DAY, "left_on": NEVER, "listed": True, "source": "roster",
    },
    "posts": {"person_uid": "person", "department": "Sales", "is_primary": True, "until": NO_DAY},
    "moves": {
        "person_uid": "person", "from_department": "Sales", "to_department": "Finance",
        "moved_on": AS_OF.date() - timedelta(days=100),
    },
    "accounts": {
        "principal_uid": "somebody", "person_uid": "person", "kind": "own", "joined_by": "number",
        "confidence": "certain",
    },
    "department_containers": {
        "resource_uid": "res", "department": "Sales", "decided_by": "members", "share": 100, "people": 3,
    },
    "leftovers": {
        "person_uid": "person", "principal_uid": "somebody", "why": "left", "from_department": "",
        "to_department": "", "moved_on": NO_DAY, "grant_uid": "way", "decided_by": "",
    },
    "partners": {
        "uid": "partner", "name": "Haulier", "owner": "boss@acme.example", "deputy": "", "purpose": "Transport",
        "owner_is_here": True, "contract": "", "most_rank": 5, "most_access": "own", "anywhere": True,
        "personal_data": False, "starts_on": AS_OF.date() - timedelta(days=100),
        "contract_ends": AS_OF.date() + timedelta(days=100), "renews_on": NO_DAY, "training_due": NO_DAY,
        "logs_due": NO_DAY, "review_due": NO_DAY, "end_is_settled": True, "lacks": "",
    },
    "partner_accounts": {
        "principal_uid": "somebody", "partner_uid": "partner", "joined_by": "domain",
        "starts_on": AS_OF.date() - timedelta(days=100), "contract_ends": AS_OF.date() + timedelta(days=100),
        "most_rank": 5, "most_access": "own", "anywhere": True,
    },
    "partner_places": {"principal_uid": "somebody", "partner_uid": "partner", "resource_uid": "res"},
    "ranks": {"resource_uid": "res", "rank": 5, "source": "pattern", "decided_by": "", "origin_uid": "res"},
    "templates": {"uid": "template", "name": "Sales", "pattern": "Sales/Contracts", "matches": 1},
    "drift": {
        "resource_uid": "res", "grant_uid": "way", "kind": "as-intended", "template": "Sales", "line": "",
        "intended_access": "",
    },
    "waivers": {
        "uid": "waiver", "kind": "waiver", "extent": "finding", "target": "Plan.xlsx", "rule_id": "link-open-to-anyone",
        "owner": "boss@acme.example", "owner_standing": "active", "stated_reason": "Agreed with the customer",
        "given_on": AS_OF - timedelta(days=10), "until": AS_OF.date() + timedelta(days=100), "covers": 1, "renewals": 0,
        "reviewed_on": AS_OF,
    },
}  # fmt: skip

_RESOURCE_COLUMNS: Final = ("resource_uid", "origin_uid", "parent_uid", "container_uid", "scope_uid")
_PRINCIPAL_COLUMNS: Final = ("principal_uid", "owner_uid", "member_uid", "sponsor_uid")
_OF_PEOPLE: Final = frozenset({"partners", "waivers"})  # where `owner_uid` is a person's
_UNITS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 7 * 86400, "year": 365 * 86400}
_AGO = re.compile(r"(\d+) (second|minute|hour|day|week|year)s? ago")
_IN = re.compile(r"in (\d+) (second|minute|hour|day|week|year)s?")


def problems(example: Example) -> Iterator[str]:
    """What in an example cannot be used, and what to write instead."""
    if not (example.flags or example.passes or example.unknown):
        yield say("the example {it} expects nothing; write flags, passes or unknown: [[…]]", it=repr(example.it))
    for table, rows in example.given.items():
        if table not in _GIVEN:
            yield say("an example cannot give `{table}`; {hint}", table=table, hint=suggestion(table, _GIVEN))
            continue
        columns = _GIVEN[table]
        for row in rows:
            for column, value in row.items():
                if column not in columns:
                    yield say(
                        "`{table}` has no column `{column}`; {hint}",
                        table=table,
                        column=column,
                        hint=suggestion(column, columns),
                    )
                elif fault := _value_fault(columns[column], value):
                    yield f"{table}.{column}: {fault}"
        if table == "settings" and any("name" not in row or "value" not in row for row in rows):
            yield say("a setting needs both; write {name: …, value: …} (value: null where it could not be read)")


def _value_fault(kind: str, value: object) -> str:
    if value is None:
        return ""
    if kind in ("TIMESTAMP", "DATE"):
        try:
            moment(value)
        except ValueError as error:
            return str(error)
    if kind == "BOOLEAN" and not isinstance(value, bool):
        return say("{value} is neither true nor false; write true, false or null", value=repr(value))
    return ""


def moment(value: object) -> datetime:
    """A time as written in an example. Raises `ValueError` with what to write instead."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    text = str(value)
    if text in ("now", "never"):
        return AS_OF if text == "now" else NEVER
    if ago := _AGO.fullmatch(text):
        return AS_OF - timedelta(seconds=int(ago[1]) * _UNITS[ago[2]])
    if ahead := _IN.fullmatch(text):
        return AS_OF + timedelta(seconds=int(ahead[1]) * _UNITS[ahead[2]])
    try:
        return moment(datetime.fromisoformat(text))
    except ValueError:
        raise ValueError(
            f"{text!r} is not a time; write `100 days ago`, `in 3 days`, now, never or 2025-12-31"
        ) from None


def estate_of(example: Example) -> dict[str, list[dict[str, Any]]]:
    """The example's estate, written out: every row of every table, completed from the plain row."""
    estate: dict[str, list[dict[str, Any]]] = {table: [] for table in _GIVEN}
    for table, rows in example.given.items():
        for index, row in enumerate(rows):
            plain = dict(PLAIN[table])
            if "uid" in plain and index:
                plain["uid"] = f"{plain['uid']}{index + 1}"
            estate[table].append({**plain, **{column: _shaped(table, column, row[column]) for column in row}})
    _add_mentioned(estate)
    for grant in estate["grants"]:
        if grant.get("origin_uid") is None and not grant["inherited"]:
            grant["origin_uid"] = grant["resource_uid"]
    return estate


def _shaped(table: str, column: str, value: Any) -> Any:
    kind = _GIVEN[table][column]
    if value is None:
        return None
    if kind == "TIMESTAMP":
        return moment(value)
    if kind == "DATE":
        return moment(value).date()
    if kind == "VARCHAR" or is_uid(column):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value


def _add_mentioned(estate: dict[str, list[dict[str, Any]]]) -> None:
    for table, columns, special in (
        ("resources", _RESOURCE_COLUMNS, {}),
        ("principals", _PRINCIPAL_COLUMNS, {}),
        ("principals", ("group_uid",), {"kind": "group"}),
        ("people", ("person_uid", "manager_uid"), {}),
        ("partners", ("partner_uid",), {}),
    ):
        known = {str(row["uid"]) for name in ("resources", "principals", table) for row in estate[name]}
        mentioned = {
            str(row[column]): None
            for name, rows in estate.items()
            if name != "coverage"
            for row in rows
            for column in columns
            if row.get(column) is not None and not (column == "owner_uid" and name in _OF_PEOPLE)
        }
        estate[table] += [{**PLAIN[table], **special, "uid": uid} for uid in mentioned if uid not in known]
