"""How much each resource matters: what the configuration says of it, of its tags, label, path and owner.

Of several sources the first counts: explicit, tag, label, pattern, owner's department; of several lines of one source
the highest rank. A resource that is in one of a higher rank has that rank (`inherited`), unless an entry names the
resource itself. What no entry reaches has no row: it is unranked, which is not low.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import duckdb
import msgspec

from cloudscan.organisation import rank_lines
from cloudscan.organisation.knowledge import Knowledge
from cloudscan.organisation.rank_lines import INHERITED, RankLine, Source, by_source, folded_text, on_platform
from cloudscan.organisation.rows import fill
from cloudscan.snapshot.tables import key

_DEEPEST: Final = 128  # levels of folders
_WHOLE: Final = frozenset({"tenant", "account", "organisation"})
"""Kinds of containers that are an organisation's whole estate: their names stand in no path."""

_NESTED: Final = 8  # containers in containers: a library in a site in a site
_BATCH: Final = 20_000
_FOLDED: Final = {"uid": "BIGINT", "text": "VARCHAR"}
_FOUND: Final = {"uid": "BIGINT", "precedence": "BIGINT"}


class _Container(NamedTuple):
    uid: int
    platform: str
    kind: str
    name: str
    path: str
    container_uid: int | None


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


def find(db: duckdb.DuckDBPyConnection, lines: Sequence[RankLine]) -> None:
    """Make `rank_found`: the lines that reach a resource by itself, for patterns only the one that counts."""
    numbered = [
        {"number": number, "rank": line.rank, "source": line.source, "value": line.value}
        for number, line in enumerate(lines)
    ]
    fill(db, "rank_lines", {"number": "BIGINT", "rank": "BIGINT", "source": "VARCHAR", "value": "VARCHAR"}, numbered)
    fill(db, "rank_found", _FOUND, [])
    containers = _containers(db)
    if any(line.source in (Source.EXPLICIT, Source.PATTERN) for line in lines):
        call_by_path(db)
    _explicit(db, lines, containers)
    _tagged(db, lines)
    _labelled(db, lines)
    _patterns(db, lines)
    _named_containers(db, lines, containers)
    _departments(db, lines)


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


def _containers(db: duckdb.DuckDBPyConnection) -> Sequence[_Container]:
    """Everything that other things are in, or that is in nothing; makes `rank_containers`, with how it is called."""
    rows = db.execute(
        """SELECT uid, platform, kind, name, path, container_uid FROM resources
           WHERE container_uid IS NULL OR uid IN (SELECT container_uid FROM resources)"""
    ).fetchall()
    containers = {row[0]: _Container(*row) for row in rows}
    called: dict[int, str] = {}
    for uid in containers:
        _call(uid, containers, called, _NESTED)
    fill(
        db,
        "rank_containers",
        {"uid": "BIGINT", "called": "VARCHAR", "text": "VARCHAR", "path": "VARCHAR"},
        [
            {"uid": uid, "called": called[uid], "text": folded_text(called[uid]), "path": one.path}
            for uid, one in containers.items()
        ],
    )
    return list(containers.values())


def _call(uid: int, containers: Mapping[int, _Container], called: dict[int, str], most: int) -> str:
    """The name of a container, after the names of what it is in: a library after its site."""
    if uid not in called:
        one = containers[uid]
        above = containers.get(one.container_uid or 0)
        outer = _call(above.uid, containers, called, most - 1) if above and above.kind not in _WHOLE and most else ""
        called[uid] = f"{outer}/{one.name}"
    return called[uid]


def call_by_path(db: duckdb.DuckDBPyConnection) -> None:
    """Make `rank_texts`, from `rank_containers`: each resource's container and path, folded, between slashes.

    A table: a view would be computed again for every pattern.
    """
    db.execute(
        """CREATE OR REPLACE TEMP VIEW rank_tails AS
           SELECT r.uid, r.platform, own.text AS own, own.called AS called, coalesce(c.text, '') AS inside,
                  coalesce(c.called, '') AS outer_called,
                  ltrim(CASE WHEN r.path = '' THEN r.name
                             WHEN c.path <> '' AND starts_with(r.path, c.path || '/')
                             THEN substr(r.path, length(c.path) + 2)
                             ELSE r.path END, '/') AS tail
           FROM resources AS r
           LEFT JOIN rank_containers AS own ON own.uid = r.uid
           LEFT JOIN rank_containers AS c ON c.uid = r.container_uid"""
    )
    db.execute(
        f"""CREATE OR REPLACE TEMP TABLE rank_unfolded AS
            SELECT uid, tail FROM rank_tails
            WHERE own IS NULL AND NOT regexp_full_match(tail, '{rank_lines.PLAIN}')"""
    )
    fill(db, "rank_folded", _FOLDED, [])
    for start in range(0, _count(db, "rank_unfolded"), _BATCH):
        batch = db.execute(f"SELECT uid, tail FROM rank_unfolded WHERE rowid BETWEEN {start} AND {start + _BATCH - 1}")
        fill(db, "rank_batch", _FOLDED, [{"uid": uid, "text": folded_text(tail)} for uid, tail in batch.fetchall()])
        db.execute("INSERT INTO rank_folded SELECT * FROM rank_batch")
    db.execute(
        """CREATE OR REPLACE TEMP TABLE rank_texts AS
           SELECT t.uid, t.platform,
                  rtrim(coalesce(t.own, t.inside || '/' || coalesce(f.text, lower(t.tail))), '/') || '/' AS text
           FROM rank_tails AS t LEFT JOIN rank_folded AS f ON f.uid = t.uid"""
    )


def _explicit(db: duckdb.DuckDBPyConnection, lines: Sequence[RankLine], containers: Sequence[_Container]) -> None:
    """Resources that are named by id, by container and path, or by web address."""
    chosen = by_source(lines, Source.EXPLICIT)
    if not chosen:
        return
    named = [(first, line) for first, line in chosen if not rank_lines.is_address(line.value)]
    by_path: dict[str, list[int]] = {}
    for one in containers:
        by_path.setdefault(folded_text(one.path), []).append(one.uid)
    uids = [
        {"uid": uid, "precedence": first, "platform": line.platform}
        for first, line in named
        for uid in {key(line.value.strip()), *by_path.get(folded_text(line.value.strip()), [])}
        if line.value.strip()
    ]
    fill(db, "rank_uids", {**_FOUND, "platform": "VARCHAR"}, uids)
    _found(
        db,
        """SELECT r.uid, u.precedence FROM rank_uids AS u JOIN resources AS r ON r.uid = u.uid
           WHERE u.platform IN ('', r.platform)""",
    )
    paths = [
        {"text": rank_lines.path_of(line.value), "precedence": first, "platform": line.platform}
        for first, line in named
    ]
    fill(db, "rank_paths", {"text": "VARCHAR", "precedence": "BIGINT", "platform": "VARCHAR"}, paths)
    _found(
        db,
        """SELECT t.uid, p.precedence FROM rank_paths AS p JOIN rank_texts AS t ON t.text = p.text
           WHERE p.platform IN ('', t.platform)""",
    )
    _addresses(db, [(first, line) for first, line in chosen if rank_lines.is_address(line.value)])


def _addresses(db: duckdb.DuckDBPyConnection, chosen: Sequence[tuple[int, RankLine]]) -> None:
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


def _tagged(db: duckdb.DuckDBPyConnection, lines: Sequence[RankLine]) -> None:
    chosen = by_source(lines, Source.TAG)
    if not chosen:
        return
    rows = db.execute(
        """SELECT uid, platform, detail -> 'tags' FROM resources
           WHERE contains(detail::VARCHAR, '"tags"') AND json_type(detail -> 'tags') = 'OBJECT'"""
    ).fetchall()
    found = []
    for uid, platform, text in rows:
        tags = [(name, value) for name, value in msgspec.json.decode(text).items() if isinstance(value, str)]
        found += [
            {"uid": uid, "precedence": first}
            for first, line in chosen
            if line.platform in ("", platform) and rank_lines.tag_matches(line.value, tags)
        ]
    fill(db, "rank_tagged", _FOUND, found)
    _found(db, "SELECT * FROM rank_tagged")


def _labelled(db: duckdb.DuckDBPyConnection, lines: Sequence[RankLine]) -> None:
    chosen = by_source(lines, Source.LABEL)
    if not chosen:
        return
    labels = db.execute("SELECT DISTINCT platform, label FROM resources WHERE label <> ''").fetchall()
    rows = [
        {"platform": platform, "label": label, "precedence": first}
        for platform, label in labels
        for first, line in chosen
        if line.platform in ("", platform) and rank_lines.label_matches(line.value, label)
    ]
    fill(db, "rank_labels", {"platform": "VARCHAR", "label": "VARCHAR", "precedence": "BIGINT"}, rows)
    _found(
        db,
        """SELECT r.uid, l.precedence FROM rank_labels AS l
           JOIN resources AS r ON r.label = l.label AND r.platform = l.platform""",
    )


def path_conditions(lines: Sequence[RankLine]) -> list[tuple[int, str]]:
    """For each pattern for paths its precedence and a condition on `rank_texts`, those first that count first."""
    return [
        (first, on_platform(line, rank_lines.path_condition(line.value, "text"), "platform"))
        for first, line in by_source(lines, Source.PATTERN)
        if not line.of_container
    ]


def _patterns(db: duckdb.DuckDBPyConnection, lines: Sequence[RankLine]) -> None:
    """One pass for all patterns: the first that fits is the one that counts."""
    conditions = path_conditions(lines)
    if not conditions:
        return
    cases = " ".join(f"WHEN {condition} THEN {first}" for first, condition in conditions)
    _found(
        db,
        f"""SELECT uid, precedence FROM (SELECT uid, CASE {cases} END AS precedence FROM rank_texts)
            WHERE precedence IS NOT NULL""",
    )


def _named_containers(
    db: duckdb.DuckDBPyConnection, lines: Sequence[RankLine], containers: Sequence[_Container]
) -> None:
    chosen = [(first, line) for first, line in by_source(lines, Source.PATTERN) if line.of_container]
    if not chosen:
        return
    found = [
        {"uid": one.uid, "precedence": first}
        for one in containers
        for first, line in chosen
        if line.platform in ("", one.platform) and rank_lines.matcher(line.value).fullmatch(folded_text(one.name))
    ]
    fill(db, "rank_named", _FOUND, found)
    _found(db, "SELECT * FROM rank_named")


def _departments(db: duckdb.DuckDBPyConnection, lines: Sequence[RankLine]) -> None:
    """By the primary department of the owner: the person's whose account it is, or else what the directory says."""
    chosen = by_source(lines, Source.DEPARTMENT)
    if not chosen:
        return
    db.execute(
        """CREATE OR REPLACE TEMP TABLE rank_owners AS
           SELECT p.uid, coalesce(w.department, CASE WHEN a.principal_uid IS NULL THEN p.department END) AS department
           FROM principals AS p
           LEFT JOIN joined_accounts AS a ON a.principal_uid = p.uid
           LEFT JOIN joined_people AS w ON w.uid = a.person_uid AND a.kind = 'own'
           WHERE p.affiliation = 'internal'"""
    )
    departments = db.execute("SELECT DISTINCT department FROM rank_owners WHERE department <> ''").fetchall()
    rows = [
        {"department": department, "precedence": first, "platform": line.platform}
        for (department,) in departments
        for first, line in chosen
        if rank_lines.matcher(line.value).fullmatch(folded_text(department))
    ]
    fill(db, "rank_departments", {"department": "VARCHAR", "precedence": "BIGINT", "platform": "VARCHAR"}, rows)
    _found(
        db,
        """SELECT r.uid, d.precedence FROM rank_departments AS d
           JOIN rank_owners AS o ON o.department = d.department
           JOIN resources AS r ON r.owner_uid = o.uid WHERE d.platform IN ('', r.platform)""",
    )


def _found(db: duckdb.DuckDBPyConnection, query: str) -> None:
    db.execute(f"INSERT INTO rank_found {query}")


def _count(db: duckdb.DuckDBPyConnection, table: str) -> int:
    row = db.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0
