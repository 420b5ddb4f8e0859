"""What each permission template is for: the folders, drives, sites and buckets that it names, with all that is in them.

A template's patterns name whole trees; what counts is the top of each. Of several templates for one resource the one
with the most specific pattern wins: the most characters that are no stars, then the most conditions, then the first
in the files. Something in a tree that another template names is that one's: the nearest named resource above decides.
"""

from collections.abc import Sequence
from typing import Final

import duckdb

from cloudscan.organisation import patterns
from cloudscan.organisation.rows import fill, insert
from cloudscan.organisation.template import Template
from cloudscan.snapshot.organisation import TemplateRow

ABOVE_ALL: Final = ("tenant", "account", "org_unit", "audit_log")
"""Kinds of resources in which nothing is shared itself."""

LEAVES: Final = ("file", "shortcut", "object", "external_file")
"""Kinds that nothing is in. A template means them only if its `kinds` say so."""

_DEEPEST: Final = 128  # levels of folders
_PATTERNS: Final = {
    "pattern": "BIGINT", "template": "BIGINT", "platform": "VARCHAR", "kinds": "VARCHAR", "rank": "BIGINT",
    "letters": "BIGINT", "conditions": "BIGINT",
}  # fmt: skip


def find_named(db: duckdb.DuckDBPyConnection, templates: Sequence[Template]) -> None:
    """Make `template_tops` (resource_uid, template, others), `template_folders` (uid, top_uid), and `joined_templates`.

    `others` are the numbers of templates that would fit as well. `template_folders` are the tops and the folders below
    them that have something in them. Needs `resources` and `joined_ranks`.
    """
    named = [(number, one, pattern) for number, one in enumerate(templates) for pattern in one.patterns]
    fill(
        db,
        "template_patterns",
        _PATTERNS,
        [
            {
                "pattern": place,
                "template": number,
                "platform": one.platform,
                "kinds": ",".join(one.kinds),
                "rank": one.rank_number,
                "letters": one.weight(pattern)[0],
                "conditions": one.weight(pattern)[1],
            }
            for place, (number, one, pattern) in enumerate(named)
        ],
    )
    meant = {kind for one in templates for kind in one.kinds}
    among = "resources" if meant & set(LEAVES) else f"(SELECT * FROM resources WHERE kind NOT IN {LEAVES})"
    patterns.make_places(db, among=among, table="template_places")
    _match(db, [pattern for _, _, pattern in named])
    _keep_the_tops(db)
    _note(db, named)
    _find_folders(db)


def _match(db: duckdb.DuckDBPyConnection, written: Sequence[str]) -> None:
    """`template_matches`: what each pattern names. A learnt file has many without stars: a join."""
    exact = {number: patterns.exact(text) for number, text in enumerate(written)}
    starred = [number for number, named in exact.items() if named is None]
    patterns.match(db, [written[number] for number in starred], "starred_matches", places="template_places")
    fill(db, "starred", {"n": "BIGINT", "pattern": "BIGINT"},
         [{"n": n, "pattern": number} for n, number in enumerate(starred)])  # fmt: skip
    fill(
        db,
        "exact_patterns",
        {"pattern": "BIGINT", "platform": "VARCHAR", "place": "VARCHAR"},
        [{"pattern": number, "platform": one[0], "place": one[1]} for number, one in exact.items() if one],
    )
    db.execute(
        """CREATE OR REPLACE TEMP TABLE template_matches AS
           SELECT s.pattern, m.resource_uid FROM starred_matches AS m JOIN starred AS s ON s.n = m.pattern
           UNION ALL
           SELECT e.pattern, p.resource_uid FROM exact_patterns AS e
           JOIN template_places AS p ON p.place = e.place AND e.platform IN ('', p.platform)"""
    )


def _keep_the_tops(db: duckdb.DuckDBPyConnection) -> None:
    db.execute(
        f"""CREATE OR REPLACE TEMP TABLE template_candidates AS
            SELECT m.pattern, p.template, p.letters, p.conditions, r.uid AS resource_uid,
                   coalesce(r.parent_uid, r.container_uid) AS above_uid
            FROM template_matches AS m
            JOIN template_patterns AS p ON p.pattern = m.pattern
            JOIN resources AS r ON r.uid = m.resource_uid
            LEFT JOIN joined_ranks AS k ON k.resource_uid = r.uid
            WHERE r.kind NOT IN {ABOVE_ALL}
              AND (p.kinds = '' AND r.kind NOT IN {LEAVES} OR list_contains(string_split(p.kinds, ','), r.kind))
              AND (p.rank IS NULL OR coalesce(k.rank, r.rank) = p.rank)"""
    )
    db.execute(
        """DELETE FROM template_candidates AS c
           WHERE EXISTS (FROM template_candidates AS o WHERE o.pattern = c.pattern AND o.resource_uid = c.above_uid)"""
    )
    db.execute(
        """CREATE OR REPLACE TEMP TABLE template_tops AS
           SELECT resource_uid, arg_min(template, (-letters, -conditions, template)) AS template,
                  list_sort(list_distinct(list(template))) AS others
           FROM template_candidates GROUP BY resource_uid"""
    )
    db.execute("UPDATE template_tops SET others = list_filter(others, lambda one: one <> template)")


def _note(db: duckdb.DuckDBPyConnection, named: Sequence[tuple[int, Template, str]]) -> None:
    """The rows of `templates`: how much each pattern names."""
    counts = dict(db.execute("SELECT pattern, count(*) FROM template_candidates GROUP BY pattern").fetchall())
    insert(
        db,
        (
            TemplateRow(uid=f"{one.uid}#{pattern}", name=one.name, pattern=pattern, matches=counts.get(number, 0))
            for number, (_, one, pattern) in enumerate(named)
        ),
    )


def _find_folders(db: duckdb.DuckDBPyConnection) -> None:
    """Level by level downwards, each folder once: below a top everything is its, down to the next top."""
    db.execute(
        """CREATE OR REPLACE TEMP TABLE holders AS
           SELECT r.uid, coalesce(r.parent_uid, r.container_uid) AS above_uid
           FROM resources AS r
           WHERE r.uid IN (SELECT coalesce(parent_uid, container_uid) FROM resources)
             AND r.uid NOT IN (SELECT resource_uid FROM template_tops)"""
    )
    db.execute(
        """CREATE OR REPLACE TEMP TABLE template_folders AS
           SELECT resource_uid AS uid, resource_uid AS top_uid, 0 AS level FROM template_tops"""
    )
    for level in range(_DEEPEST):
        added = db.execute(
            f"""INSERT INTO template_folders
                SELECT h.uid, f.top_uid, {level + 1} FROM holders AS h
                JOIN template_folders AS f ON f.uid = h.above_uid AND f.level = {level}"""
        ).fetchone()
        if not added or not added[0]:
            break
    db.execute("DROP TABLE holders")
