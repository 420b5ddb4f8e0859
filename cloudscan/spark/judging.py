"""Judging on Spark: the same rule files over the same tables, folded, counted and measured there.

What comes back is small: a row a rule, then for each verdict its extent and at most 20 pieces of evidence. Verdicts
are built of it as always (`cloudscan.engine.evidence`).
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pyarrow as pa
from pyspark.errors import (
    AnalysisException,
    ArithmeticException,
    DateTimeException,
    NumberFormatException,
    PySparkException,
    SparkRuntimeException,
)

from cloudscan.engine.folding import JUDGEMENTS, BoundRule, Extent, NotPassed, Tally, evidence_columns
from cloudscan.errors import RuleError, SnapshotError
from cloudscan.facts import Access, Audience
from cloudscan.finding import Judgement
from cloudscan.sentence import say
from cloudscan.snapshot.tables import enum_statements, is_uid, ladder_type
from cloudscan.snapshot.tables import key as key_for
from cloudscan.spark import extents, functions
from cloudscan.spark.dialect import Kind, Untranslatable
from cloudscan.spark.functions import name
from cloudscan.spark.known import Known
from cloudscan.spark.passes import Asked, Pass, alone, asked, passes, weight_by_identity
from cloudscan.spark.tables import Files, open_tables
from cloudscan.text import first_line

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_AT_ONCE: Final = 4
"""Jobs side by side while rules are counted."""

_BATCH: Final = 10_000

_OF_THE_QUERY: Final = (
    AnalysisException,
    ArithmeticException,
    DateTimeException,
    NumberFormatException,
    SparkRuntimeException,
)
"""What a query's own values and words lead to."""


class SparkFolding:
    """`cloudscan.engine.folding.Folding` on a Spark session. It keeps these views beside the tables:

    ================  ==============================================================================
    `counted`         the containers whose contents are known as a number
    `leaves`          the members of groups that are not groups
    `candidates_<i>`  the rows of a table that any rule of the pass number `i` flags or leaves undecided
    `evidence`        the rows behind the verdicts of one rule at a time
    ================  ==============================================================================

    Raises `SnapshotError` where the tables cannot be read.
    """

    def __init__(self, session: "SparkSession", files: Files) -> None:
        self._session = session
        self._files = files
        self._asked: dict[str, Asked] = {}
        self._candidates: dict[str, str] = {}  # by rule id, the view to read in place of the rule's table
        self._kept: list[DataFrame] = []
        for declaration in functions.declarations():
            session.sql(declaration)
        open_tables(session, files)
        self._keep("counted", extents.COUNTED)
        self._keep("leaves", extents.LEAVES)
        self._known: Known | None = None

    def close(self) -> None:
        """Let the cluster forget what it kept."""
        for frame in self._kept:
            frame.unpersist()
        if self._known:
            self._known.close()

    def tallies(self, rules: Sequence[BoundRule]) -> Mapping[str, Tally]:
        """What became of every identity, counted."""
        platforms = self._platforms()
        tallies = {rule.rule.id: Tally() for rule in rules}
        self._asked = {rule.rule.id: self._ask(rule) for rule in rules if not _is_idle(rule, platforms)}
        shared = passes(list(self._asked.values()))
        tallies |= self._counted(shared)
        for number, together in enumerate(shared):
            self._narrow(number, [one for one in together.rules if _is_found(tallies[one.rule.rule.id])])
        return tallies

    def not_passed(self, rule: BoundRule) -> Iterator[NotPassed]:
        """The flagged, then the unknown identities of a rule, each with its evidence and extent."""
        one = self._asked[rule.rule.id]
        query = one.query
        if view := self._candidates.get(rule.rule.id):
            query = one.over(view)
        evidence = self._ran(rule, extents.evidence(rule.rule, query)).persist()
        evidence.createOrReplaceTempView("evidence")
        try:
            found = self._arrow(rule, extents.found(rule.rule, query))
        finally:
            evidence.unpersist()
        yield from _in_order(found, one)

    def judgements_of(self, rule: BoundRule, identities: Sequence[Sequence[str]]) -> dict[tuple[str, ...], Judgement]:
        """What became of given identities; one that is not in the snapshot is left out."""
        one = self._ask(rule)
        columns: dict[str, pa.Array] = {"n": pa.array(range(len(identities)), pa.int64())}
        same = []
        for index, column in enumerate(rule.rule.identity):
            texts = [identity[index] for identity in identities]
            keyed = is_uid(column)
            columns[f"c{index}"] = pa.array(map(key_for, texts), pa.int64()) if keyed else pa.array(texts, pa.string())
            value = f"f.{name(column)}" if keyed else f"CAST(f.{name(column)} AS STRING)"
            nothing = key_for("") if keyed else "''"
            same.append(f"coalesce({value}, {nothing}) = a.c{index}")
        self._session.createDataFrame(pa.table(columns)).createOrReplaceTempView("asked")
        sql = f"SELECT a.n, f.weight FROM ({weight_by_identity(one)}) AS f JOIN asked AS a ON {' AND '.join(same)}"
        rows = self._arrow(rule, sql).to_pylist()
        return {tuple(identities[row["n"]]): JUDGEMENTS[row["weight"]] for row in rows}

    def known_of(self, keys: AbstractSet[int]) -> duckdb.DuckDBPyConnection:
        """A small database in this process, with what these keys lead to."""
        try:
            self._known = self._known or Known(self._session)
            return self._known.of(keys)
        except PySparkException as error:
            raise self._unreadable(error) from error

    def _platforms(self) -> Mapping[str, AbstractSet[str]]:
        """The platforms in each table that has any rows of them. An exposure's platform is its resource's."""
        sql = " UNION ALL ".join(
            f"SELECT DISTINCT '{table}' AS of, platform FROM {table}" for table in ("resources", "principals")
        )
        try:
            rows = self._session.sql(sql).collect()
        except PySparkException as error:
            raise self._unreadable(error) from error
        platforms = {
            table: {row["platform"] for row in rows if row["of"] == table} for table in ("resources", "principals")
        }
        return {**platforms, "exposures": platforms["resources"]}

    def _ask(self, rule: BoundRule) -> Asked:
        try:
            return asked(rule)
        except Untranslatable as error:
            raise _cannot_run(rule, error.args[0]) from error

    def _counted(self, shared: Sequence[Pass]) -> dict[str, Tally]:
        """The tallies of all rules. Small jobs leave most of a cluster idle, so a few run side by side."""
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            return {name: tally for tallies in pool.map(self._counted_in, shared) for name, tally in tallies.items()}

    def _counted_in(self, one: Pass) -> dict[str, Tally]:
        """The tallies of one pass. If a rule in it fails, each is asked alone: the one at fault says so."""
        try:
            counts = self._session.sql(one.sql).collect()[0]["counts"]
        except PySparkException:
            tallies: dict[str, Tally] = {}
            for rule in one.rules:
                tallies |= self._counted_alone(rule)
            return tallies
        return dict(one.tallies(counts))

    def _counted_alone(self, one: Asked) -> dict[str, Tally]:
        flagged, unknown, seen = self._arrow(one.rule, alone(one)).to_pylist()[0]["counts"]
        return {one.rule.rule.id: Tally(flagged=flagged, unknown=unknown, passed=seen - flagged - unknown)}

    def _narrow(self, number: int, rules: Sequence[Asked]) -> None:
        """Keep the rows that matter to these rules, so that the whole table is read once for all of them."""
        if len(rules) < 2 or not rules[0].reads_one:
            return
        view, source = f"candidates_{number}", rules[0].source
        self._keep(view, f"SELECT * FROM {source} WHERE {' OR '.join(one.not_passed for one in rules)}")
        for one in rules:
            self._candidates[one.rule.rule.id] = view

    def _keep(self, view: str, sql: str) -> None:
        frame = self._session.sql(sql).persist()
        frame.createOrReplaceTempView(view)
        self._kept.append(frame)

    def _ran(self, rule: BoundRule, sql: str) -> "DataFrame":
        try:
            return self._session.sql(sql)
        except PySparkException as error:
            raise self._failed(rule, error) from error

    def _arrow(self, rule: BoundRule, sql: str) -> pa.Table:
        try:
            return self._session.sql(sql).toArrow()
        except PySparkException as error:
            raise self._failed(rule, error) from error

    def _failed(self, rule: BoundRule, error: PySparkException) -> RuleError | SnapshotError:
        """What cannot be computed is the rule's fault, what cannot be read the snapshot's or the cluster's."""
        if isinstance(error, _OF_THE_QUERY) and not (error.getCondition() or "").startswith("FAILED_READ_FILE"):
            return _cannot_run(rule, first_line(error, 1_000))
        return self._unreadable(error)

    def _unreadable(self, error: PySparkException) -> SnapshotError:
        where = next((path for paths in self._files.values() for path in paths), "")
        return SnapshotError(
            say(
                "Spark cannot read the snapshot at {where} ({why}); all of its machines need to reach that place.",
                where=where.rpartition("/")[0],
                why=first_line(error, 300),
            )
        )


def _cannot_run(rule: BoundRule, reason: str) -> RuleError:
    return RuleError(
        say(
            "{source}:{query_line}: the query of {id} cannot run on Spark: {reason}",
            source=rule.rule.source,
            query_line=rule.rule.query_line,
            id=rule.rule.id,
            reason=reason,
        )
    )


def _is_idle(rule: BoundRule, platforms: Mapping[str, AbstractSet[str]]) -> bool:
    """Whether a rule speaks of platforms that are not there."""
    return any(table in platforms and platforms[table].isdisjoint(wanted) for table, wanted in rule.rule.confined)


def _is_found(tally: Tally) -> bool:
    return bool(tally.flagged or tally.unknown)


def _in_order(found: pa.Table, one: Asked) -> Iterator[NotPassed]:
    """Verdicts out of the rows that Spark gave, in the order of the door, each with its evidence."""
    rule = one.rule.rule
    identity = [_shown(f"k{index}", column, one.query.columns[column]) for index, column in enumerate(rule.identity)]
    pieces = [
        _shown(f"e{index}", column, one.query.columns[column]) for index, column in enumerate(evidence_columns(rule))
    ]
    extent = [f"x_{part}" if part != "bytes" else "CAST(x_bytes AS HUGEINT)" for part in extents.EXTENT]
    with duckdb.connect(":memory:") as db:
        for statement in enum_statements():
            db.execute(statement)
        db.register("found", found)
        cursor = db.execute(
            f"""SELECT dense_rank() OVER (ORDER BY judgement DESC, {", ".join(identity)}) AS n, judgement,
                       {", ".join([*identity, *extent, *pieces])}
                FROM found ORDER BY n, place"""
        )
        width = len(identity)
        for _, rows in groupby(_fetched(cursor), key=lambda row: row[0]):
            listed = list(rows)
            _, judgement, *values = listed[0]
            yield NotPassed(
                JUDGEMENTS[judgement],
                values[:width],
                [row[2 + width + len(extent) :] for row in listed],
                _extent(*values[width : width + len(extent)]),
            )


def _fetched(cursor: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while rows := cursor.fetchmany(_BATCH):
        yield from rows


def _shown(place: str, column: str, kind: Kind) -> str:
    """A column as DuckDB has it: the type matters to its order, and to what Python gets."""
    if kind is Kind.LADDER:
        return f"CAST({place} AS {ladder_type(column)})"
    return f"CAST({place} AS HUGEINT)" if kind is Kind.HUGE else place


def _extent(
    rows: int, audience: int | None, access: int | None, since: Any, rank: int | None, likelihood: int | None,
    resources: int, size: int | None, people: int | None,
) -> Extent:  # fmt: skip
    return Extent(
        rows=rows,
        audience=list(Audience)[audience - 1] if audience else None,
        access=list(Access)[access - 1] if access else None,
        since=since.replace(tzinfo=UTC) if since else None,
        rank=rank,
        likelihood=likelihood,
        resources=resources,
        bytes=size,
        people=people,
    )
