"""The tables that rules read: names, columns, types. One source for sealing, for linting and for rule examples.

Base tables are the facts of `cloudscan.facts` and the rows of `cloudscan.snapshot.organisation`, column by column. In
what a rule sees, every `uid` and `*_uid` is a 64-bit key (see `key_of`), so that joins are cheap; the engine turns keys
back into text before they are shown. Times are TIMESTAMP in UTC, days of the organisation DATE. `audience` and
`access` compare by rung.
"""

import hashlib
import types
import typing
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from cloudscan.coverage import Coverage
from cloudscan.facts import (
    Access,
    Activity,
    Affiliation,
    Audience,
    Fact,
    Grant,
    Ladder,
    Membership,
    Principal,
    Resource,
    Setting,
    Via,
    Word,
)
from cloudscan.finding import Severity
from cloudscan.snapshot.organisation import ROWS

LADDERS: Final[Mapping[str, type[Ladder]]] = {"audience": Audience, "access": Access, "most_access": Access}
"""The columns that compare by rung, in every table that has them."""

VOCABULARIES: Final[Mapping[str, tuple[str, ...]]] = {
    "audience": tuple(Audience),
    "access": tuple(Access),
    "via": tuple(Via),
    "affiliation": tuple(Affiliation),
    "principal_affiliation": tuple(Affiliation),
}
"""Columns whose values are a closed list: comparing with anything else is a mistake."""

FACTS: Final[Mapping[str, type[Fact]]] = {
    "resources": Resource,
    "principals": Principal,
    "grants": Grant,
    "memberships": Membership,
    "settings": Setting,
    "activity": Activity,
}

ENUM_TYPES: Final[Mapping[str, type[Ladder]]] = {
    "audience_ladder": Audience,
    "access_ladder": Access,
    "severity_ladder": Severity,
}
"""The ENUM types that every connection of ours has."""


def ladder_type(column: str) -> str:
    """The ENUM type of a column that compares by rung."""
    return next(name for name, ladder in ENUM_TYPES.items() if ladder is LADDERS[column])


_SQL_TYPES: Final[Mapping[object, str]] = {
    str: "VARCHAR",
    int: "BIGINT",
    bool: "BOOLEAN",
    datetime: "TIMESTAMP",
    date: "DATE",
    Audience: "audience_ladder",
    Access: "access_ladder",
}


def is_uid(column: str) -> bool:
    """Whether a column is a key of something in the estate."""
    return column == "uid" or column.endswith("_uid")


def _without_none(hint: object) -> object:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        arms = [arm for arm in typing.get_args(hint) if arm is not type(None)]
        return arms[0] if len(arms) == 1 else hint
    return hint


def _is_word(hint: object) -> bool:
    kind = _without_none(hint)
    return kind == Word or (isinstance(kind, type) and issubclass(kind, StrEnum))


def _sql_type(column: str, hint: object) -> str:
    if is_uid(column):
        return "BIGINT"
    hint = str if _without_none(hint) == Word else _without_none(hint)
    if hint in _SQL_TYPES:
        return _SQL_TYPES[hint]
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return "VARCHAR"
    return "JSON"


def _columns_of(fact: type[msgspec.Struct]) -> dict[str, str]:
    return {field.name: _sql_type(field.name, field.type) for field in msgspec.structs.fields(fact)}


BASE: Final[Mapping[str, Mapping[str, str]]] = {name: _columns_of(fact) for name, fact in FACTS.items()}
"""The facts."""

ORGANISATION_TABLES: Final[Mapping[str, Mapping[str, str]]] = {name: _columns_of(row) for name, row in ROWS.items()}
"""What the organisation knows and intends, joined with the facts."""

KNOWN: Final[Mapping[str, Mapping[str, str]]] = {**BASE, **ORGANISATION_TABLES}
"""All that is not derived from other tables: what verdicts rest on, and what the examples of a rule may give."""

_EXPOSURE_SOURCES: Final[Mapping[str, tuple[str, str]]] = {
    "resource_uid": ("resources", "uid"),
    "resource_kind": ("resources", "kind"),
    "resource_name": ("resources", "name"),
    "resource_path": ("resources", "path"),
    "platform": ("resources", "platform"),
    "account": ("resources", "account"),
    "parent_uid": ("resources", "parent_uid"),
    "container_uid": ("resources", "container_uid"),
    "owner_uid": ("resources", "owner_uid"),
    "owner_email": ("principals", "email"),
    "owner_status": ("principals", "status"),
    "label": ("resources", "label"),
    "rank": ("resources", "rank"),
    "size_bytes": ("resources", "size_bytes"),
    "created_on": ("resources", "created_on"),
    "modified_on": ("resources", "modified_on"),
    "url": ("resources", "url"),
    "resource_detail": ("resources", "detail"),
    "grant_uid": ("grants", "uid"),
    "origin_uid": ("grants", "origin_uid"),
    "inherited": ("grants", "inherited"),
    "principal_uid": ("grants", "principal_uid"),
    "principal_kind": ("principals", "kind"),
    "principal_email": ("principals", "email"),
    "principal_name": ("principals", "name"),
    "principal_domain": ("principals", "domain"),
    "principal_affiliation": ("principals", "affiliation"),
    "principal_status": ("principals", "status"),
    "audience": ("grants", "audience"),
    "access": ("grants", "access"),
    "via": ("grants", "via"),
    "discoverable": ("grants", "discoverable"),
    "expires_on": ("grants", "expires_on"),
    "password": ("grants", "password"),
    "granted_on": ("grants", "granted_on"),
    "effective": ("grants", "effective"),
    "blocked_by": ("grants", "blocked_by"),
    "grant_detail": ("grants", "detail"),
}
"""The columns of `exposures`, and the column of a base table that each of them shows."""

EXPOSURES: Final[Mapping[str, str]] = {name: BASE[table][column] for name, (table, column) in _EXPOSURE_SOURCES.items()}
"""Resource × grant. A resource with no grant has one row: audience 'nobody', effective TRUE, no grant columns."""

MEMBERS: Final[Mapping[str, str]] = {"group_uid": "BIGINT", "member_uid": "BIGINT"}
"""The closure of `memberships`: all members of a group, directly or through other groups."""

COVERAGE: Final[Mapping[str, str]] = {
    "scope_uid": "BIGINT",
    "platform": "VARCHAR",
    "account": "VARCHAR",
    "table_name": "VARCHAR",
    "outcome": "VARCHAR",
    "question": "VARCHAR",
    "reason": "VARCHAR",
    "needs": "VARCHAR",
    "resource_uid": "BIGINT",
}
"""What could be read: `cloudscan.coverage.Coverage` without the counts. `table` is spelled `table_name`: SQL reserves
the word. `reason` is the reason's code."""

TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    **KNOWN,
    "exposures": EXPOSURES,
    "members": MEMBERS,
    "coverage": COVERAGE,
}
"""All that a rule may select from."""


class Dependency(NamedTuple):
    """A column of a base table that a verdict rests on."""

    table: str
    column: str
    key: str = ""  # the one key of `detail`, or the one setting, that is read; empty: all of them


def base_columns(table: str, column: str) -> tuple[Dependency, ...]:
    """The columns of base tables behind a column that a rule reads: itself, and what a view joins it by."""
    if table == "members":
        return (Dependency("memberships", column),)
    if table != "exposures":
        return (Dependency(table, column),)
    source = Dependency(*_EXPOSURE_SOURCES[column])
    if column.startswith("principal_"):
        return (source, Dependency("grants", "principal_uid"))
    return (source, Dependency("resources", "owner_uid")) if column.startswith("owner_") else (source,)


def names_of(dependency: Dependency) -> tuple[str, ...]:
    """What a column of a base table is called in queries, with its key: its own name, and those of views."""
    shown = [name for name, source in _EXPOSURE_SOURCES.items() if source == dependency[:2]]
    key = f".{dependency.key}" if dependency.key else ""
    return tuple(f"{name}{key}" for name in dict.fromkeys((dependency.column, *shown)))


_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "memberships": ("group_uid", "member_uid"),
    "members": ("group_uid", "member_uid"),
    "settings": ("scope_uid", "name"),
    "activity": ("resource_uid",),
    "coverage": ("scope_uid",),
    "exposures": ("resource_uid", "grant_uid"),
    "posts": ("person_uid", "department"),
    "moves": ("person_uid", "from_department"),
    "accounts": ("principal_uid", "person_uid"),
    "department_containers": ("resource_uid",),
    "leftovers": ("person_uid", "principal_uid", "grant_uid", "group_uid"),
    "partner_accounts": ("principal_uid", "partner_uid"),
    "partner_places": ("principal_uid", "partner_uid", "resource_uid"),
    "ranks": ("resource_uid",),
    "drift": ("resource_uid", "grant_uid"),
}


def key_columns(table: str) -> tuple[str, ...]:
    """The columns that tell the rows of a table apart: a verdict on the table rests on these."""
    return _KEYS.get(table, ("uid",))


def _words_of(record: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(field.name for field in msgspec.structs.fields(record) if _is_word(field.type))


_BASE_WORDS: Final[Mapping[str, frozenset[str]]] = {
    name: _words_of(record) for name, record in (*FACTS.items(), *ROWS.items())
}

WORDS: Final[Mapping[str, frozenset[str]]] = {
    **_BASE_WORDS,
    "exposures": frozenset(name for name, (table, column) in _EXPOSURE_SOURCES.items() if column in _BASE_WORDS[table]),
    "coverage": frozenset(
        "table_name" if name == "table" else name for name in (*_words_of(Coverage), "gap", "reason")
    ),
}
"""By table, the columns of text that nobody but cloudscan or the platform wrote: `cloudscan.facts.Word` and enums."""


def key_of(text: str) -> str:
    """The SQL that turns a text id, given as an SQL expression, into its key; NULL stays NULL.

    The last eight bytes of the id's MD5, less one bit so that it fits a BIGINT: the same in every snapshot and on every
    version of the engine, which DuckDB's own `hash` does not promise. Sealing refuses an estate in which two
    ids share a key. (`md5_number_lower` is the same number, but takes it apart as text and needs four times as long.)
    """
    return f"CAST(md5_number({text}) >> 65 AS BIGINT)"


def key(text: str) -> int:
    """The same key as `key_of`, for one id."""
    digest = hashlib.md5(text.encode("utf-8", "replace"), usedforsecurity=False).digest()
    return int.from_bytes(digest[8:], "little") >> 1


def enum_statements() -> tuple[str, ...]:
    """`CREATE TYPE` for each ladder, in ascending order."""
    return tuple(
        f"CREATE TYPE {name} AS ENUM ({', '.join(repr(str(rung)) for rung in ladder)})"
        for name, ladder in ENUM_TYPES.items()
    )
