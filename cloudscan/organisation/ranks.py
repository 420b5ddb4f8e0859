"""How much each resource matters: what the configuration says of it, of its tags, label, path and owner.

Of several sources the first counts: explicit, tag, label, pattern, owner's department; of several lines of one source
the highest rank. A resource that is in one of a higher rank has that rank (`inherited`), unless an entry names the
resource itself. What no entry reaches has no row: it is unranked, which is not low.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

import duckdb
import msgspec

from cloudscan.organisation import patterns, rank_lines
from cloudscan.organisation.knowledge import Knowledge
from cloudscan.organisation.rank_lines import INHERITED, RankLine, Source, by_source
from cloudscan.organisation.rows import fill
from cloudscan.snapshot.tables import key

Ranked: TypeAlias = tuple[int, RankLine]
"""A line and its precedence."""

_DEEPEST: Final = 128  # levels of folders
_FOUND: Final = {"uid": "BIGINT", "precedence": "BIGINT"}


def join(db: duckdb.DuckDBPyConnection, knowledge: Knowledge) -> None:
    """Fill `joined_ranks`, from `resources`, `principals`, `joined_people` and `joined_accounts`."""
    if not knowledge.ranks:
        return
    find(db, knowledge.ranks)
    decide(db)
    db.execute(
        f"""INSERT INTO joined_ranks (resource_uid, rank, source, decided_by, origin_uid)
            SELECT d.uid, l.rank, CASE WHEN d.origin_uid = d.uid THEN l.source ELSE '{INHERITED}' END, l.value,
                   d.origin_uid
            FROM rank_decided AS d JOIN rank_lines AS l ON l.number = d.line"""
    )
    _free(db)


def _free(db: duckdb.DuckDBPyConnection) -> None:
    """Drop what was needed on the way: the places of all resources are as large as the table itself."""
    tables = db.execute(
        "SELECT table_name FROM duckdb_tables() WHERE temporary AND starts_with(table_name, 'rank_')"
    ).fetchall()
    for (table,) in tables:
        db.execute(f"DROP TABLE {table}")


def find(db: duckdb.DuckDBPyConnection, lines: Sequence[RankLine]) -> None:
    """Make `rank_found`: every line that reaches a resource by itself; and `rank_places`, by `patterns.make_places`."""
    numbered = [
        {"number": number, "rank": line.rank, "source": line.source, "value": line.value}
        for number, line in enumerate(lines)
    ]
    fill(db, "rank_lines", {"number": "BIGINT", "rank": "BIGINT", "source": "VARCHAR", "value": "VARCHAR"}, numbered)
    fill(db, "rank_found", _FOUND, [])
    patterns.make_places(db, table="rank_places")
    _explicit(db, by_source(lines, Source.EXPLICIT))
    _tagged(db, by_source(lines, Source.TAG))
    _labelled(db, by_source(lines, Source.LABEL))
    named = by_source(lines, Source.PATTERN)
    _patterns(db, [(first, line) for first, line in named if not line.is_container])
    _containers(db, [(first, line) for first, line in named if line.is_container])
    _departments(db, by_source(lines, Source.DEPARTMENT))


def decide(db: duckdb.DuckDBPyConnection) -> None:
    """Make `rank_decided`: of each resource with a rank the line that decides, and what that line is about."""
    db.execute(
        f"""CREATE OR REPLACE TEMP TABLE rank_own AS
            SELECT f.uid, l.rank, l.number AS line, l.source = '{Source.EXPLICIT}' AS is_fixed
            FROM (SELECT uid, {rank_lines.number_in("min(precedence)")} AS line FROM rank_found GROUP BY uid) AS f
            JOIN rank_lines AS l ON l.number = f.line"""
    )
    _raise_from_above(db)
    db.execute(
        """CREATE OR REPLACE TEMP TABLE rank_decided AS
           SELECT uid, CASE WHEN is_raised THEN line_above ELSE own_line END AS line,
                  CASE WHEN is_raised THEN origin_above ELSE uid END AS origin_uid
           FROM (SELECT r.uid, o.line AS own_line, a.line AS line_above, a.origin_uid AS origin_above,
                        o.uid IS NULL OR (NOT o.is_fixed AND coalesce(a.rank > o.rank, FALSE)) AS is_raised
                 FROM (SELECT uid, coalesce(parent_uid, container_uid) AS above FROM resources) AS r
                 LEFT JOIN rank_own AS o ON o.uid = r.uid
                 LEFT JOIN rank_above AS a ON a.uid = r.above
                 WHERE o.uid IS NOT NULL OR a.uid IS NOT NULL)"""
    )


def _raise_from_above(db: duckdb.DuckDBPyConnection) -> None:
    """Make `rank_above`: the ranks of what other things are in, level by level, from the outermost."""
    db.execute(
        """CREATE OR REPLACE TEMP TABLE rank_tree AS
           SELECT uid, coalesce(parent_uid, container_uid) AS above FROM resources
           WHERE uid IN (SELECT coalesce(parent_uid, container_uid) FROM resources)"""
    )
    db.execute(
        """CREATE OR REPLACE TEMP TABLE rank_above AS
           SELECT t.uid, o.rank, o.line, t.uid AS origin_uid, o.is_fixed
           FROM rank_tree AS t JOIN rank_own AS o ON o.uid = t.uid"""
    )
    db.execute("CREATE OR REPLACE TEMP TABLE rank_newest AS SELECT * FROM rank_above")
    for _ in range(_DEEPEST):
        db.execute(
            """CREATE OR REPLACE TEMP TABLE rank_raised AS
               SELECT t.uid, n.rank, n.line, n.origin_uid, FALSE AS is_fixed
               FROM rank_tree AS t JOIN rank_newest AS n ON n.uid = t.above
               LEFT JOIN rank_above AS a ON a.uid = t.uid
               WHERE a.uid IS NULL OR (NOT a.is_fixed AND a.rank < n.rank)"""
        )
        if not _count(db, "rank_raised"):
            return
        db.execute("DELETE FROM rank_above WHERE uid IN (SELECT uid FROM rank_raised)")
        db.execute("INSERT INTO rank_above SELECT * FROM rank_raised")
        db.execute("CREATE OR REPLACE TEMP TABLE rank_newest AS SELECT * FROM rank_raised")


def _explicit(db: duckdb.DuckDBPyConnection, chosen: Sequence[Ranked]) -> None:
    """Resources that are named by id, by place, or by web address."""
    named = [(first, line.value.strip()) for first, line in chosen if not rank_lines.is_address(line.value)]
    fill(db, "rank_uids", _FOUND, [{"uid": key(value), "precedence": first} for first, value in named])
    _found(db, "SELECT u.uid, u.precedence FROM rank_uids AS u JOIN resources AS r ON r.uid = u.uid")
    places = [(first, *patterns.parts_of(value)) for first, value in named]
    fill(
        db,
        "rank_singles",
        {"precedence": "BIGINT", "platform": "VARCHAR", "place": "VARCHAR"},
        [{"precedence": first, "platform": platform, "place": place} for first, platform, place in places],
    )
    _found(
        db,
        """SELECT p.resource_uid, s.precedence FROM rank_singles AS s
           JOIN rank_places AS p ON p.place = s.place AND s.platform IN ('', p.platform)""",
    )
    _addresses(db, [(first, line) for first, line in chosen if rank_lines.is_address(line.value)])


def _addresses(db: duckdb.DuckDBPyConnection, chosen: Sequence[Ranked]) -> None:
    """One resource for each web address: by the whole of it, or else by the long id in it; several are none."""
    if not chosen:
        return
    rows = [
        {"address": rank_lines.address_of(line.value), "id": rank_lines.id_in(line.value), "precedence": first}
        for first, line in chosen
    ]
    fill(db, "rank_addresses", {"address": "VARCHAR", "id": "VARCHAR", "precedence": "BIGINT"}, rows)
    unique = "GROUP BY a.precedence HAVING count(DISTINCT r.uid) = 1"
    _found(
        db,
        f"""SELECT min(r.uid), a.precedence FROM rank_addresses AS a
            JOIN (SELECT uid, {rank_lines.ADDRESS} AS address FROM resources WHERE url <> '') AS r
              ON r.address = a.address {unique}""",
    )
    _found(
        db,
        f"""SELECT min(r.uid), a.precedence FROM rank_addresses AS a
            JOIN (SELECT uid, unnest(regexp_extract_all(url, '[A-Za-z0-9_-]{{19,}}')) AS id FROM resources) AS r
              ON r.id = a.id
            WHERE a.precedence NOT IN (SELECT precedence FROM rank_found) {unique}""",
    )


def _tagged(db: duckdb.DuckDBPyConnection, chosen: Sequence[Ranked]) -> None:
    if not chosen:
        return
    rows = db.execute(
        """SELECT uid, detail -> 'tags' FROM resources
           WHERE contains(detail::VARCHAR, '"tags"') AND json_type(detail -> 'tags') = 'OBJECT'"""
    ).fetchall()
    found = []
    for uid, text in rows:
        tags = [(name, value) for name, value in msgspec.json.decode(text).items() if isinstance(value, str)]
        found += [
            {"uid": uid, "precedence": first} for first, line in chosen if rank_lines.tag_matches(line.value, tags)
        ]
    fill(db, "rank_tagged", _FOUND, found)
    _found(db, "SELECT * FROM rank_tagged")


def _labelled(db: duckdb.DuckDBPyConnection, chosen: Sequence[Ranked]) -> None:
    if not chosen:
        return
    labels = db.execute("SELECT DISTINCT label FROM resources WHERE label <> ''").fetchall()
    rows = [
        {"label": label, "precedence": first}
        for (label,) in labels
        for first, line in chosen
        if rank_lines.label_matches(line.value, label)
    ]
    fill(db, "rank_labels", {"label": "VARCHAR", "precedence": "BIGINT"}, rows)
    _found(db, "SELECT r.uid, l.precedence FROM rank_labels AS l JOIN resources AS r ON r.label = l.label")


def _patterns(db: duckdb.DuckDBPyConnection, chosen: Sequence[Ranked]) -> None:
    if not chosen:
        return
    patterns.match(db, [line.value for _, line in chosen], "rank_matched", places="rank_places")
    rows = [{"pattern": number, "precedence": first} for number, (first, _) in enumerate(chosen)]
    fill(db, "rank_patterns", {"pattern": "BIGINT", "precedence": "BIGINT"}, rows)
    _found(
        db,
        """SELECT m.resource_uid, p.precedence FROM rank_matched AS m
           JOIN rank_patterns AS p ON p.pattern = m.pattern""",
    )


def _containers(db: duckdb.DuckDBPyConnection, chosen: Sequence[Ranked]) -> None:
    """By the name that people see, where the place has an address: a site, somebody's drive."""
    if not chosen:
        return
    rows = db.execute(
        """SELECT uid, name FROM resources
           WHERE container_uid IS NULL OR uid IN (SELECT container_uid FROM resources)"""
    ).fetchall()
    found = [
        {"uid": uid, "precedence": first}
        for uid, name in rows
        for first, line in chosen
        if rank_lines.name_matches(line.value, name)
    ]
    fill(db, "rank_named", _FOUND, found)
    _found(db, "SELECT * FROM rank_named")


def _departments(db: duckdb.DuckDBPyConnection, chosen: Sequence[Ranked]) -> None:
    """By the primary department of the owner: the person's whose account it is, or else what the directory says."""
    if not chosen:
        return
    find_owners(db)
    departments = db.execute("SELECT DISTINCT department FROM rank_owners WHERE department <> ''").fetchall()
    rows = [
        {"department": department, "precedence": first}
        for (department,) in departments
        for first, line in chosen
        if rank_lines.name_matches(line.value, department)
    ]
    fill(db, "rank_departments", {"department": "VARCHAR", "precedence": "BIGINT"}, rows)
    _found(
        db,
        """SELECT r.uid, d.precedence FROM rank_departments AS d
           JOIN rank_owners AS o ON o.department = d.department JOIN resources AS r ON r.owner_uid = o.uid""",
    )


def find_owners(db: duckdb.DuckDBPyConnection) -> None:
    """Make `rank_owners`: the department of each account of ours."""
    db.execute(
        """CREATE OR REPLACE TEMP TABLE rank_owners AS
           SELECT p.uid, coalesce(w.department, CASE WHEN a.principal_uid IS NULL THEN p.department END) AS department
           FROM principals AS p
           LEFT JOIN joined_accounts AS a ON a.principal_uid = p.uid
           LEFT JOIN joined_people AS w ON w.uid = a.person_uid AND a.kind = 'own'
           WHERE p.affiliation = 'internal'"""
    )


def _found(db: duckdb.DuckDBPyConnection, query: str) -> None:
    db.execute(f"INSERT INTO rank_found {query}")


def _count(db: duckdb.DuckDBPyConnection, table: str) -> int:
    row = db.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0
