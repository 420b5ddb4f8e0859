"""The tables that rules read: names, columns, types. One source for sealing, for linting and for rule examples.

Base tables are the facts of `cloudscan.facts`, column by column. In what a rule sees, every `uid` and `*_uid` is a
64-bit key (see `key_of`), so that joins are cheap; the engine says the text again before anybody reads it. Times are
TIMESTAMP in UTC. `audience` and `access` compare by rung.
"""

import hashlib
import types
import typing
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

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
)
from cloudscan.finding import Severity

LADDERS: Final[Mapping[str, type[Ladder]]] = {"audience": Audience, "access": Access}
"""The columns that compare by rung, in whichever table they stand."""

VOCABULARIES: Final[Mapping[str, tuple[str, ...]]] = {
    "audience": tuple(Audience),
    "access": tuple(Access),
    "via": tuple(Via),
    "affiliation": tuple(Affiliation),
    "principal_affiliation": tuple(Affiliation),
}
"""Columns whose values are a closed list: comparing with anything else is a slip of the pen."""

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

_SQL_TYPES: Final[Mapping[object, str]] = {
    str: "VARCHAR",
    int: "BIGINT",
    bool: "BOOLEAN",
    datetime: "TIMESTAMP",
    Audience: "audience_ladder",
    Access: "access_ladder",
}


def is_uid(column: str) -> bool:
    """Whether a column holds a key of something in the estate."""
    return column == "uid" or column.endswith("_uid")


def _sql_type(column: str, hint: object) -> str:
    if is_uid(column):
        return "BIGINT"
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (hint,) = (arm for arm in typing.get_args(hint) if arm is not type(None))
    if hint in _SQL_TYPES:
        return _SQL_TYPES[hint]
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return "VARCHAR"
    return "JSON"


def _columns_of(fact: type[Fact]) -> dict[str, str]:
    return {field.name: _sql_type(field.name, field.type) for field in msgspec.structs.fields(fact)}


EXPOSURES: Final[Mapping[str, str]] = {
    "resource_uid": "BIGINT",
    "resource_kind": "VARCHAR",
    "resource_name": "VARCHAR",
    "resource_path": "VARCHAR",
    "platform": "VARCHAR",
    "account": "VARCHAR",
    "parent_uid": "BIGINT",
    "container_uid": "BIGINT",
    "owner_uid": "BIGINT",
    "owner_email": "VARCHAR",
    "owner_status": "VARCHAR",
    "label": "VARCHAR",
    "rank": "BIGINT",
    "size_bytes": "BIGINT",
    "created_on": "TIMESTAMP",
    "modified_on": "TIMESTAMP",
    "url": "VARCHAR",
    "resource_detail": "JSON",
    "grant_uid": "BIGINT",
    "origin_uid": "BIGINT",
    "inherited": "BOOLEAN",
    "principal_uid": "BIGINT",
    "principal_kind": "VARCHAR",
    "principal_email": "VARCHAR",
    "principal_name": "VARCHAR",
    "principal_domain": "VARCHAR",
    "principal_affiliation": "VARCHAR",
    "principal_status": "VARCHAR",
    "audience": "audience_ladder",
    "access": "access_ladder",
    "via": "VARCHAR",
    "discoverable": "BOOLEAN",
    "expires_on": "TIMESTAMP",
    "password": "BOOLEAN",
    "granted_on": "TIMESTAMP",
    "effective": "BOOLEAN",
    "blocked_by": "VARCHAR",
    "grant_detail": "JSON",
}
"""Resource × grant. A resource with no grant has one row: audience 'nobody', effective TRUE, no grant columns."""

MEMBERS: Final[Mapping[str, str]] = {"group_uid": "BIGINT", "member_uid": "BIGINT"}
"""The closure of `memberships`: everybody who is in a group, directly or through other groups."""

COVERAGE: Final[Mapping[str, str]] = {
    "scope_uid": "BIGINT",
    "platform": "VARCHAR",
    "account": "VARCHAR",
    "table_name": "VARCHAR",
    "outcome": "VARCHAR",
    "reason": "VARCHAR",
    "needs": "VARCHAR",
    "resource_uid": "BIGINT",
}
"""What could be read: `cloudscan.report.Coverage`, without the counts. `table` is spelled `table_name`, as SQL
keeps the word for itself."""

BASE: Final[Mapping[str, Mapping[str, str]]] = {name: _columns_of(fact) for name, fact in FACTS.items()}

TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    **BASE,
    "exposures": EXPOSURES,
    "members": MEMBERS,
    "coverage": COVERAGE,
}
"""All that a rule may select from."""


def key_of(text: str) -> str:
    """The SQL that turns a text id, given as an SQL expression, into its key; NULL stays NULL.

    The lower half of the id's MD5, less one bit so that it fits a BIGINT: the same in every snapshot and on every
    version of the engine, which DuckDB's own `hash` does not promise. Sealing refuses an estate in which two
    ids share a key.
    """
    return f"CAST(md5_number_lower({text}) >> 1 AS BIGINT)"


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
