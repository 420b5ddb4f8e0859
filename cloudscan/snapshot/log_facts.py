"""What a platform's log says of things that others tell: since when a way in stands open, when somebody was last there.

A log is read as a scope of its own, and names files and people that other scopes tell, or that nobody tells any more.
Sealing brings the two together, so that no connector has to hold the log while it reads a drive.
"""

from typing import Final

import duckdb

TAGS: Final = ("opening", "sighting")
COLUMNS: Final = {"granted_by": "VARCHAR"}
"""Beside the columns of the tables: what only a log's lines have."""


def grants_with_openings(db: duckdb.DuckDBPyConnection, grants: str) -> str:
    """A query that gives grants, with what the log says of those that do not say it themselves.

    `grants` is a query over the staged grants whose `origin_uid` is filled in. A grant whose audience could not be read
    stays as it is: who knows what it stands for.
    """
    if not _has(db, "opening"):
        return grants
    return f"""
        SELECT g.* REPLACE (
            coalesce(g.granted_on, o.granted_on) AS granted_on,
            CASE WHEN coalesce(o.granted_by, '') = '' THEN g.detail
                 ELSE json_merge_patch(json_object('granted_by', o.granted_by), coalesce(g.detail, '{{}}'))
            END AS detail
        )
        FROM ({grants}) AS g
        LEFT JOIN (
            SELECT resource_uid, principal_uid, max(granted_on) AS granted_on,
                   max_by(granted_by, (granted_on, coalesce(granted_by, ''))) AS granted_by
            FROM stage WHERE type = 'opening' GROUP BY resource_uid, principal_uid
        ) AS o ON o.resource_uid = g.origin_uid AND o.principal_uid IS NOT DISTINCT FROM g.principal_uid
              AND g.audience IS NOT NULL
    """


def principals_with_sightings(db: duckdb.DuckDBPyConnection, principals: str) -> str:
    """A query that gives principals, each last seen when he himself or the log says, whichever is later."""
    if not _has(db, "sighting"):
        return principals
    return f"""
        SELECT p.* REPLACE (greatest(p.last_seen_on, s.last_seen_on) AS last_seen_on)
        FROM ({principals}) AS p
        LEFT JOIN (
            SELECT principal_uid, max(last_seen_on) AS last_seen_on
            FROM stage WHERE type = 'sighting' GROUP BY principal_uid
        ) AS s ON s.principal_uid = p.uid
    """


def _has(db: duckdb.DuckDBPyConnection, tag: str) -> bool:
    row = db.execute("SELECT count(*) FROM stage WHERE type = $tag", {"tag": tag}).fetchone()
    return bool(row and row[0])
