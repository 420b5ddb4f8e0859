"""What a platform's log adds to facts of other scopes: since when a grant exists, when a principal was last active.

A log is read as a scope of its own. It names files and people that other scopes yield, or that no longer exist. Sealing
brings the two together, so that no connector has to keep the log in memory while it reads a drive.
"""

from collections.abc import Mapping
from typing import Final

import duckdb

from cloudscan.snapshot.database import statement

COLUMNS: Final[Mapping[str, Mapping[str, str]]] = {
    "opening": {
        "resource_uid": "BIGINT", "principal_uid": "BIGINT", "granted_on": "TIMESTAMP", "granted_by": "VARCHAR",
    },
    "sighting": {"principal_uid": "BIGINT", "last_seen_on": "TIMESTAMP"},
}  # fmt: skip
"""What a log's lines say, by the lines' type."""


def grants_with_openings(db: duckdb.DuckDBPyConnection, grants: str) -> str:
    """A query that gives grants, with what the log says of those that do not say it themselves.

    `grants` is a query over the staged grants whose `origin_uid` is filled in. A grant whose audience could not be read
    stays as it is: it is unknown which entry of the log is about it.
    """
    return statement("grants_with_openings", grants=grants) if _has(db, "opening") else grants


def principals_with_sightings(db: duckdb.DuckDBPyConnection, principals: str) -> str:
    """A query that gives principals, each last seen when its own facts or the log say, whichever is later."""
    return statement("principals_with_sightings", principals=principals) if _has(db, "sighting") else principals


def _has(db: duckdb.DuckDBPyConnection, tag: str) -> bool:
    row = db.execute("SELECT count(*) FROM stage WHERE type = $tag", {"tag": tag}).fetchone()
    return bool(row and row[0])
