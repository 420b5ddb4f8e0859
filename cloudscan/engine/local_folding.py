"""Folding with DuckDB, in this process: what the large tables say of each rule."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import duckdb

from cloudscan.engine.folding import (
    EVIDENCE,
    FLAGGED,
    JUDGEMENTS,
    UNKNOWN,
    BoundRule,
    Extent,
    NotPassed,
    Tally,
    evidence_columns,
    evidence_order,
    weight_of,
)
from cloudscan.engine.passes import RANK, SIZE, Count, Member, Pass, passes
from cloudscan.engine.rule_file import Rule
from cloudscan.errors import RuleError
from cloudscan.facts import OBJECTS_INSIDE, OF_A_PART, Access, Audience
from cloudscan.finding import Judgement
from cloudscan.sentence import say
from cloudscan.snapshot.database import identifier
from cloudscan.snapshot.tables import is_uid
from cloudscan.snapshot.tables import key as key_for
from cloudscan.text import first_line

_BATCH: Final = 10_000


def run(db: duckdb.DuckDBPyConnection, rule: Rule, values: Mapping[str, object], sql: str) -> duckdb.DuckDBPyConnection:
    """Run SQL made around a rule's query. Raises `RuleError` naming the rule if the database refuses.

    That a table cannot be read is not the rule's fault: DuckDB's own error passes (`snapshot.reading`).
    """
    try:
        return db.execute(sql, dict(values) or None)
    except duckdb.IOException:
        raise
    except duckdb.Error as error:
        if type(error) is duckdb.Error or "Failed to read file" in str(error):
            raise
        raise RuleError(
            say(
                "{source}:{query_line}: the query of {id} cannot run: {reason}",
                source=rule.source,
                query_line=rule.query_line,
                id=rule.id,
                reason=first_line(error, 1_000),
            )
        ) from error


def folded(rule: Rule) -> str:
    """A query that gives one row per identity, with the index of its judgement in `JUDGEMENTS`."""
    columns = ", ".join(map(identifier, rule.identity))
    return f"SELECT {columns}, max({weight_of('flagged')}) AS judgement FROM ({rule.sql}) AS judged GROUP BY {columns}"


def judgements(
    db: duckdb.DuckDBPyConnection, rule: Rule, values: Mapping[str, object]
) -> list[tuple[tuple[Any, ...], Judgement]]:
    """Every identity of a small estate with its judgement, passed ones too; uids are keys."""
    return [
        (tuple(identity), JUDGEMENTS[weight]) for *identity, weight in run(db, rule, values, folded(rule)).fetchall()
    ]


class LocalFolding:
    """`Folding` on one connection to a snapshot, which keeps these temporary tables:

    ================  ============================================================================================
    `kept_<i>`        the rows that do not pass in the pass number `i` over several rules; see `cloudscan.engine.passes`
    `not_passed_<i>`  the flagged and unknown identities of the rule number `i`, numbered by `n`, flagged ones first
    `evidence`        the rows behind each of them, of one rule at a time: `n`, `judgement`, the rule's columns
    `extents`         how far each of them reaches
    `pieces`          the weightiest of their rows, numbered by `place`
    `counted`         the containers whose contents are known as a number
    `people_in`       who is in a group, groups left out
    ================  ============================================================================================

    With `together` false every rule runs by itself: it says the same, and takes several times as long.
    """

    def __init__(self, db: duckdb.DuckDBPyConnection, *, together: bool = True) -> None:
        self._db = db
        self._together = together
        self._numbers: dict[str, int] = {}
        self._shared: dict[str, tuple[Pass, Member]] = {}

    def tallies(self, rules: Sequence[BoundRule]) -> Mapping[str, Tally]:
        """What became of every identity, counted."""
        self._numbers = {rule.rule.id: number for number, rule in enumerate(rules)}
        platforms = _platforms(self._db)
        judging = [rule for rule in rules if not _has_nothing_to_judge(rule.rule, platforms)]
        tallies = dict.fromkeys(self._numbers, Tally())
        for one in passes(judging) if self._together else ():
            tallies |= self._fold_together(one)
        for rule in judging:
            if rule.rule.id not in self._shared:
                tallies[rule.rule.id] = self._fold_alone(rule)
        if any(tally.flagged or tally.unknown for tally in tallies.values()):
            _find_counted(self._db)
            _find_people(self._db)
        return tallies

    def _fold_together(self, one: Pass) -> dict[str, Tally]:
        """The tallies of a pass's rules; none if they cannot run together, so that each answers for itself."""
        try:
            self._db.execute(f"CREATE OR REPLACE TEMP TABLE {one.table} AS {one.kept}", one.bound(one.kept))
            looked_at = {
                member.rule.rule.id: number
                for count in one.counts
                for members, number in zip(count.members, self._counted(one, count), strict=True)
                for member in members
            }
        except duckdb.IOException:
            raise
        except duckdb.Error:
            self._db.execute(f"DROP TABLE IF EXISTS {one.table}")
            return {}
        weights = ", ".join(f"bool_or({member.weight} > 0)" for member in one.members)
        (caught,) = self._rows(f"SELECT {weights} FROM {one.table}")
        tallies = {}
        for member, any_caught in zip(one.members, caught, strict=True):
            rule = member.rule.rule
            self._shared[rule.id] = (one, member)
            flagged = unknown = 0
            if any_caught:
                identity = ", ".join(
                    f"{column} AS {identifier(name)}"
                    for column, name in zip(one.identity(member), rule.identity, strict=True)
                )
                self._db.execute(f"""
                    CREATE OR REPLACE TEMP TABLE folded AS
                    SELECT {", ".join(map(identifier, rule.identity))}, max(weight) AS judgement
                    FROM (SELECT {identity}, {member.weight} AS weight FROM {one.table} WHERE {member.weight} > 0)
                    GROUP BY ALL
                """)
                flagged, unknown, _ = self._number_identities(rule)
            tallies[rule.id] = Tally(flagged=flagged, unknown=unknown, passed=looked_at[rule.id] - flagged - unknown)
        return tallies

    def _counted(self, one: Pass, count: Count) -> tuple[int, ...]:
        (numbers,) = self._db.execute(count.sql, one.bound(count.sql)).fetchall()
        return tuple(numbers)

    def _fold_alone(self, rule: BoundRule) -> Tally:
        self._run(rule, f"CREATE OR REPLACE TEMP TABLE folded AS {folded(rule.rule)}")
        flagged, unknown, passed = self._number_identities(rule.rule)
        return Tally(flagged=flagged, unknown=unknown, passed=passed)

    def _number_identities(self, rule: Rule) -> tuple[int, int, int]:
        """Turn the table `folded` into the rule's `not_passed_<i>`; gives how many were flagged, unknown, passed."""
        counts = dict(self._rows("SELECT judgement, count(*) FROM folded GROUP BY judgement"))
        flagged, unknown = counts.get(FLAGGED, 0), counts.get(UNKNOWN, 0)
        if flagged or unknown:
            identity = ", ".join(map(identifier, rule.identity))
            self._db.execute(f"""
                CREATE OR REPLACE TEMP TABLE not_passed_{self._numbers[rule.id]} AS
                SELECT row_number() OVER (ORDER BY judgement DESC, {identity}) AS n, * FROM folded WHERE judgement > 0
            """)
        self._db.execute("DROP TABLE folded")
        return flagged, unknown, counts.get(0, 0)

    def not_passed(self, rule: BoundRule) -> Iterator[NotPassed]:
        """The flagged, then the unknown identities of a rule, each with its evidence and extent."""
        number, columns = self._numbers[rule.rule.id], evidence_columns(rule.rule)
        one, member = self._shared.pop(rule.rule.id, (None, None))
        if one and member and member.whole:
            self._gather_kept(one, member, number)
        else:
            self._gather(rule, number)
        if one and not any(other is one for other, _ in self._shared.values()):
            self._db.execute(f"DROP TABLE {one.table}")
        self._measure(rule.rule, sized=member is not None and member.sized)
        self._weigh(columns)
        self._db.execute("DROP TABLE evidence")
        (count,) = self._rows(f"SELECT count(*) FROM not_passed_{number}")[0]
        identity = ", ".join(f"k.{identifier(column)}" for column in rule.rule.identity)
        width = len(rule.rule.identity)
        for begin in range(1, count + 1, _BATCH):
            among = f"BETWEEN {begin} AND {begin + _BATCH - 1}"
            shown = ", ".join(map(identifier, columns))
            pieces = {
                n: [piece[2:] for piece in some]
                for n, some in groupby(
                    self._rows(f"SELECT n, place, {shown} FROM pieces WHERE n {among} ORDER BY n, place"), itemgetter(0)
                )
            }
            for n, judgement, *values in self._rows(f"""
                SELECT k.n, k.judgement, {identity}, e.* EXCLUDE (n)
                FROM not_passed_{number} AS k JOIN extents AS e ON e.n = k.n WHERE k.n {among} ORDER BY k.n
            """):
                yield NotPassed(JUDGEMENTS[judgement], values[:width], pieces[n], _extent(*values[width:]))
        for table in (f"not_passed_{number}", "extents", "pieces"):
            self._db.execute(f"DROP TABLE {table}")

    def judgements_of(self, rule: BoundRule, identities: Sequence[Sequence[str]]) -> dict[tuple[str, ...], Judgement]:
        """What became of given identities; one that is not in the snapshot is left out."""
        columns = [(f"c{index}", column, is_uid(column)) for index, column in enumerate(rule.rule.identity)]
        spec = ", ".join(f"{name} {'BIGINT' if keyed else 'VARCHAR'}" for name, _, keyed in columns)
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE asked (n BIGINT, {spec})")
        values: dict[str, list[Any]] = {
            name: [key_for(identity[index]) if keyed else identity[index] for identity in identities]
            for index, (name, _, keyed) in enumerate(columns)
        }
        unnested = ", ".join(f"unnest(${name}::{'BIGINT' if keyed else 'VARCHAR'}[])" for name, _, keyed in columns)
        self._db.execute(
            f"INSERT INTO asked SELECT unnest($numbers::BIGINT[]), {unnested}",
            {"numbers": list(range(len(identities))), **values},
        )
        same = " AND ".join(
            f"coalesce(f.{identifier(column)}, {key_for('')}) = a.{name}"
            if keyed
            else f"coalesce(CAST(f.{identifier(column)} AS VARCHAR), '') = a.{name}"
            for name, column, keyed in columns
        )
        joined = f"SELECT a.n, f.judgement FROM ({folded(rule.rule)}) AS f JOIN asked AS a ON {same}"
        rows = self._run(rule, joined).fetchall()
        self._db.execute("DROP TABLE asked")
        return {tuple(identities[n]): JUDGEMENTS[judgement] for n, judgement in rows}

    def known_of(self, keys: AbstractSet[int]) -> duckdb.DuckDBPyConnection:  # noqa: ARG002 - all of it is here
        """The snapshot's own connection."""
        return self._db

    def _gather(self, rule: BoundRule, number: int) -> None:
        same = " AND ".join(
            f"q.{column} IS NOT DISTINCT FROM k.{column}" for column in map(identifier, rule.rule.identity)
        )
        columns = ", ".join(f"q.{identifier(column)}" for column in rule.rule.columns)
        self._run(
            rule,
            f"""CREATE OR REPLACE TEMP TABLE evidence AS
            SELECT k.n, k.judgement, {columns}
            FROM ({rule.rule.sql}) AS q JOIN not_passed_{number} AS k ON {same}
            WHERE (k.judgement = {FLAGGED} AND q.flagged) OR (k.judgement = {UNKNOWN} AND q.flagged IS NULL)""",
        )

    def _gather_kept(self, one: Pass, member: Member, number: int) -> None:
        same = " AND ".join(
            f"q.{column} IS NOT DISTINCT FROM k.{identifier(name)}"
            for column, name in zip(one.identity(member), member.rule.rule.identity, strict=True)
        )
        self._db.execute(f"""
            CREATE OR REPLACE TEMP TABLE evidence AS
            SELECT k.n, k.judgement, {one.yields(member)}
            FROM {one.table} AS q JOIN not_passed_{number} AS k ON {same} AND q.{member.weight} = k.judgement
            WHERE q.{member.weight} > 0
        """)

    def _measure(self, rule: Rule, *, sized: bool) -> None:
        """Make the table `extents`, its columns in the order of `_extent`."""
        has = set(rule.columns)
        since = next((column for column in ("since", "granted_on") if column in has), "")
        own, lowers = rule.likelihood, "likelihood" in has
        parts = [
            "count(*) AS rows",
            f"max(audience) FILTER (judgement = {FLAGGED})" if "audience" in has else "NULL",
            f"max(access) FILTER (judgement = {FLAGGED})" if "access" in has else "NULL",
            f"min({identifier(since)})" if since else "NULL",
            "max(rank)" if "rank" in has else "NULL",
            # A row that says nothing has the rule's own; a row may lower that, never raise it.
            f"max(greatest(1, least(coalesce(likelihood, {own}), {own})))" if lowers else "NULL",
            "sum(size_bytes)" if "size_bytes" in has else "NULL",
        ]
        nothing = "SELECT NULL::BIGINT AS n, NULL AS resources, NULL AS bytes, NULL AS rank, NULL AS people WHERE FALSE"
        resources = _resources(grants="grant_uid" in has, sized=sized) if "resource_uid" in has else nothing
        people = _PEOPLE if "principal_uid" in has else nothing
        self._db.execute(f"""
            CREATE OR REPLACE TEMP TABLE extents AS
            SELECT b.n, b.rows, b.audience, b.access, b.since, greatest(b.rank, r.rank) AS rank, b.likelihood,
                   coalesce(r.resources, 1) AS resources, {"r.bytes" if "resource_uid" in has else "b.bytes"} AS bytes,
                   p.people
            FROM (SELECT n, {", ".join(parts)} FROM evidence GROUP BY n)
                 AS b(n, rows, audience, access, since, rank, likelihood, bytes)
            LEFT JOIN ({resources}) AS r ON r.n = b.n LEFT JOIN ({people}) AS p ON p.n = b.n
        """)

    def _weigh(self, columns: Sequence[str]) -> None:
        """Make the table `pieces`."""
        order = ", ".join(
            (identifier(column) if column else "resource_uid = origin_uid") + (" DESC NULLS LAST" if descends else "")
            for column, descends in evidence_order(columns)
        )
        self._db.execute(f"""
            CREATE OR REPLACE TEMP TABLE pieces AS
            SELECT n, row_number() OVER (PARTITION BY n ORDER BY {order}) AS place,
                   {", ".join(map(identifier, columns))}
            FROM evidence QUALIFY place <= {EVIDENCE}
        """)

    def _run(self, rule: BoundRule, sql: str) -> duckdb.DuckDBPyConnection:
        return run(self._db, rule.rule, rule.values, sql)

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._db.execute(sql).fetchall()


def _resources(*, grants: bool, sized: bool) -> str:
    """Resources with what is counted inside them, unless every grant on one opens an uncounted part of it only.

    Of several containers all count with their contents or none: the sum would rise whenever one is counted at last.
    """
    in_part = "SELECT n, resource_uid FROM evidence WHERE FALSE"
    if grants:
        in_part = f"""SELECT e.n, e.resource_uid FROM evidence AS e
            JOIN counted AS c ON c.uid = e.resource_uid LEFT JOIN grants AS g ON g.uid = e.grant_uid
            GROUP BY ALL HAVING bool_and(coalesce(g.detail->>'{OF_A_PART}', 'false') = 'true')"""
    rows, size, rank, of = (
        (
            f'n, resource_uid, any_value("{SIZE}") AS size_bytes, any_value("{RANK}") AS rank',
            "p.size_bytes",
            "p.rank",
            "",
        )
        if sized
        else ("n, resource_uid", "r.size_bytes", "r.rank", "LEFT JOIN resources AS r ON r.uid = p.resource_uid")
    )
    return f"""SELECT n, if(uncounted, resources, inside) AS resources, if(uncounted, NULL, size) AS bytes, rank
        FROM (
            SELECT p.n, count(*) AS resources, sum(greatest(1, coalesce(c.objects, 1)))::BIGINT AS inside,
                   sum({size}) AS size, max({rank}) AS rank,
                   bool_or(c.uid IS NOT NULL) AND bool_or({size} IS NULL OR q.n IS NOT NULL) AS uncounted
            FROM (SELECT {rows} FROM evidence WHERE resource_uid IS NOT NULL GROUP BY n, resource_uid) AS p
            {of} LEFT JOIN counted AS c ON c.uid = p.resource_uid
            LEFT JOIN ({in_part}) AS q ON q.n = p.n AND q.resource_uid = p.resource_uid
            GROUP BY p.n)"""


_PEOPLE: Final = """SELECT n, count(DISTINCT coalesce(m.member_uid, p.principal_uid)) AS people
    FROM (SELECT DISTINCT n, principal_uid FROM evidence WHERE principal_uid IS NOT NULL) AS p
    LEFT JOIN people_in AS m ON m.group_uid = p.principal_uid
    GROUP BY n"""


def _extent(
    rows: int, audience: str | None, access: str | None, since: object, rank: int | None, likelihood: int | None,
    resources: int, size: int | None, people: int | None,
) -> Extent:  # fmt: skip
    return Extent(
        rows=rows,
        audience=Audience(audience) if audience else None,
        access=Access(access) if access else None,
        since=since.replace(tzinfo=UTC) if isinstance(since, datetime) else None,
        rank=rank,
        likelihood=likelihood,
        resources=resources,
        bytes=size,
        people=people,
    )


def _find_counted(db: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary table `counted`, once for all rules: the containers whose contents are known as a number.

    They are few, and looking for them reads the `detail` of every resource.
    """
    db.execute(
        f"""CREATE OR REPLACE TEMP TABLE counted AS SELECT * FROM (
                SELECT uid, TRY_CAST(detail->>'{OBJECTS_INSIDE}' AS BIGINT) AS objects FROM resources
            ) WHERE objects IS NOT NULL"""
    )


def _find_people(db: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary table `people_in`, once for all rules."""
    db.execute(
        "CREATE OR REPLACE TEMP TABLE people_in AS "
        "SELECT * FROM members WHERE member_uid NOT IN (SELECT group_uid FROM members)"
    )


def _platforms(db: duckdb.DuckDBPyConnection) -> Mapping[str, AbstractSet[str]]:
    """The platforms in each table that has any rows of them. An exposure's platform is its resource's."""
    platforms = {
        table: {name for (name,) in db.execute(f"SELECT DISTINCT platform FROM {table}").fetchall()}
        for table in ("resources", "principals")
    }
    return {**platforms, "exposures": platforms["resources"]}


def _has_nothing_to_judge(rule: Rule, platforms: Mapping[str, AbstractSet[str]]) -> bool:
    """Planning a query over an empty platform costs as much as running it, and most companies use one or two."""
    return any(table in platforms and platforms[table].isdisjoint(wanted) for table, wanted in rule.confined)
