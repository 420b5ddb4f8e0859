"""From a spool of JSON lines to a snapshot: Parquet tables, keys for ids, exposures computed once.

The SQL is in ``statements/``, the order of steps here. DuckDB keeps to a memory limit and spills into the snapshot's
own folder. The snapshot appears at the end, by rename.
"""

import shutil
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import duckdb
import msgspec

from cloudscan import __version__
from cloudscan.connector import Spent
from cloudscan.coverage import Coverage, ScanSummary, ScopesRead
from cloudscan.errors import SnapshotError
from cloudscan.facts import Audience, Hidden, Outcome
from cloudscan.files import write_private
from cloudscan.reason import Reason
from cloudscan.sentence import say
from cloudscan.snapshot import incremental, log_facts, short_texts, spool
from cloudscan.snapshot.database import MEMORY, column_types, literal, set_up, statement, typed, views_sql
from cloudscan.snapshot.manifest import FORMAT, MEANING, Manifest
from cloudscan.snapshot.spool import ScanRecord, ScopeReport
from cloudscan.snapshot.staging import Staging
from cloudscan.snapshot.tables import BASE, FACTS, ORGANISATION_TABLES, is_uid, key_of

WORK: Final = ".sealing"
_DEEPEST: Final = 128  # levels of folders to climb for a grant's origin
_COVERAGE: Final[Mapping[str, str]] = {
    "scope_uid": "VARCHAR", "scope_name": "VARCHAR", "platform": "VARCHAR", "account": "VARCHAR", "table": "VARCHAR",
    "outcome": "VARCHAR", "gap": "VARCHAR", "question": "VARCHAR", "reason": "JSON", "hides": "JSON",
    "needs": "VARCHAR", "resource_uid": "VARCHAR", "seen": "BIGINT", "total": "BIGINT", "facts": "BIGINT",
    "requests": "BIGINT",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Joined:
    """What the organisation knows, joined with the facts of one scan."""

    tables: Mapping[str, str]  # by name, a query that gives the rows; see `cloudscan.snapshot.organisation`
    ids: str = "SELECT 0::BIGINT AS key, '' AS uid WHERE FALSE"  # a query that gives the text of all uids in them
    coverage: Sequence[Coverage] = ()  # what could not be read


Join = Callable[[duckdb.DuckDBPyConnection, ScanRecord], Joined]
"""Joins what the organisation knows with the facts, on a connection that has these as tables."""


def nothing_joined(_db: duckdb.DuckDBPyConnection, _record: ScanRecord) -> Joined:
    """The organisation says nothing."""
    return Joined(tables={})


@dataclass(frozen=True, kw_only=True)
class SealOptions:
    """What is joined with the facts, and how much of the machine sealing may use."""

    join: Join = nothing_joined

    memory: str = MEMORY
    threads: int = 2
    in_memory: int = 8 * 1024 * 1024  # bytes of spool up to which lines are staged in memory; beyond, in a file
    keep_spool: bool = False


def seal(
    folder: Path,
    options: SealOptions | None = None,
    *,
    clock: Callable[[], datetime] = spool.now,
    suspect: Container[str] = (),
    keep_more: Callable[[Path], None] = lambda _: None,
) -> Manifest:
    """Make the spool inside `folder` a snapshot in the same folder; the spool is gone afterwards.

    Of the platforms in `suspect` nothing is kept for the next scan: their lists lacked things that exist. `keep_more`
    is called with the folder in which the snapshot is made, for what else the next scan needs: it appears together
    with the snapshot.

    If interrupted at any point, call it again. Raises `SnapshotError` if there is no spool, or if two different ids
    share a key.
    """
    options = options or SealOptions()
    lines = folder / "spool"
    record = spool.record_of(lines)
    work = folder / WORK
    shutil.rmtree(work, ignore_errors=True)
    (work / "tables").mkdir(mode=0o700, parents=True)
    work.chmod(0o700)
    with duckdb.connect(":memory:") as db:
        set_up(db, work / "spill", memory=options.memory, threads=options.threads)
        rows, coverage = _Sealing(db, lines, work, options, record).run()
        kinds = dict(db.execute("SELECT kind::VARCHAR, count(*) FROM resources GROUP BY ALL ORDER BY ALL").fetchall())
    manifest = Manifest(
        format=FORMAT,
        tool=f"cloudscan {__version__}",
        scan=_summary(record, lines, coverage, kinds, clock()),
        connectors=record.connectors,
        settings=record.settings,
        tables=rows,
        meaning=MEANING,
        translations=record.translations,
    )
    for path in sorted(lines.glob("*.jsonl")):
        report = spool.report_of(path)
        if incremental.can_be_continued(report) and report.scope.platform not in suspect:
            incremental.keep(path, report, work / incremental.FOLDER)
    keep_more(work)
    _publish(folder, work, manifest)
    if not options.keep_spool:
        shutil.rmtree(lines)
    return manifest


@dataclass(frozen=True)
class _Sealing:
    """One sealing: a connection, the lines, and the folder where the tables are made."""

    db: duckdb.DuckDBPyConnection
    lines: Path
    work: Path
    options: SealOptions
    record: ScanRecord

    def run(self) -> tuple[dict[str, int], list[Coverage]]:
        """Make all tables; gives the rows in each, and the coverage."""
        coverage = [row for report in spool.reports(self.lines) for row in spool.coverage_of(report)]
        staging = Staging(self.db, self.lines, self.work, self.options.in_memory)
        staging.read()
        coverage += self._malformed(staging)
        rows = {
            table: self._table(table) for table in ("resources", "principals", "memberships", "settings", "activity")
        }
        rows["grants"] = self._grants()
        coverage += self._grants_without_resource()
        coverage += self._join(rows)
        short_texts.enumerate_few(self.db)
        self.db.execute(views_sql())
        rows["members"] = self._write("members", "SELECT * FROM members")
        rows["exposures"] = self._write("exposures", "SELECT * FROM exposures")
        rows["coverage"] = self._coverage(coverage)
        rows["ids"] = self._ids()
        return rows, coverage

    def _malformed(self, staging: Staging) -> Iterator[Coverage]:
        """Lines that are not JSON cost a row of coverage, not the snapshot."""
        for name, count in staging.malformed_lines().items():
            yield self._partial(name, spool.WHOLE, Reason(code="spool-malformed", values={"count": count}))

    def _partial(self, scope_file: str, table: str, reason: Reason) -> Coverage:
        scope = spool.report_of(self.lines / scope_file).scope
        hides = scope.hides or (Hidden(table=table),)
        return spool.coverage_row(scope, table, Outcome.PARTIAL, reason=reason, hides=hides)

    def _table(self, table: str) -> int:
        if "uid" not in BASE[table]:
            columns = ", ".join(BASE[table])
            facts = f"SELECT DISTINCT {columns} FROM staged_{table}"
            if table == "settings":
                facts = "SELECT scope_uid, name, max(value) AS value FROM staged_settings GROUP BY scope_uid, name"
            return self._write(table, f"SELECT {_columns(table)} FROM ({facts})")
        if table == "principals":
            return self._write_once(table, lambda facts: log_facts.principals_with_sightings(self.db, facts))
        return self._write_once(table, lambda facts: facts)

    def _write_once(self, table: str, complete: Callable[[str], str]) -> int:
        """Write a table of things with ids, every one once, however often it was yielded.

        `complete` gives a query with what is to be added to a query over the staged table. Whether anything is there
        twice is asked of the keys that were written, which is cheaper than to work them out again.
        """
        select = f"SELECT uid_text AS id, {_columns(table)} FROM"
        rows = self._write(table, f"{select} ({complete(f'SELECT * FROM staged_{table}')})")
        self.db.execute(f"CREATE TEMP TABLE twice_{table} AS SELECT uid FROM {table} GROUP BY uid HAVING count(*) > 1")
        if not self._is_repeated(table):
            return rows
        self._refuse_shared_keys(table)
        once = statement("once", table=table, values=_number_of_values(table), widest=_widest_first(table))
        return self._write(table, f"{select} ({complete(once)})")

    def _is_repeated(self, table: str) -> bool:
        return bool(self._count(f"SELECT count(*) FROM twice_{table}"))

    def _refuse_shared_keys(self, table: str) -> None:
        shared = self.db.execute(statement("shared_keys", table=table)).fetchone()
        if shared:
            raise SnapshotError(
                say(
                    "The ids {shared} and {shared_other} have the same key; please report this as a bug.",
                    shared=repr(shared[0]),
                    shared_other=repr(shared[1]),
                )
            )

    def _grants(self) -> int:
        """Grants, every one with the resource where it was given."""
        self._climb()
        return self._write_once(
            "grants",
            lambda facts: log_facts.grants_with_openings(self.db, statement("grants_with_origins", grants=facts)),
        )

    def _climb(self) -> None:
        """Find the origin of inherited grants that name none: the nearest ancestor with the same grant of its own.

        Only folders have grants of their own that others inherit, so each level is a small join.
        """
        self.db.execute("CREATE TEMP TABLE origins (grant_uid BIGINT, origin_uid BIGINT)")
        self.db.execute(statement("climb_start"))
        for _ in range(_DEEPEST):
            if not self._count("SELECT count(*) FROM climbing"):
                break
            self.db.execute(statement("climb_match"))
            self.db.execute(statement("climb_up"))

    def _grants_without_resource(self) -> Iterator[Coverage]:
        """Grants on resources that were not yielded: no rule can see them, so the report has to say so."""
        if not self._is_repeated("grants") and not self._count(statement("grants_outside")):
            return
        for name, count in self.db.execute(statement("grants_without_resource")).fetchall():
            yield self._partial(name, "resources", Reason(code="grants-without-resource", values={"count": count}))

    def _join(self, rows: dict[str, int]) -> Sequence[Coverage]:
        """Write what the organisation knows; what is ranked gets its rank. Gives what could not be read."""
        joined = self.options.join(self.db, self.record)
        for table, columns in ORGANISATION_TABLES.items():
            empty = ", ".join(f"NULL::{kind} AS {name}" for name, kind in columns.items())
            query = joined.tables.get(table, f"SELECT {empty} WHERE FALSE")
            rows[table] = self._write(table, f"SELECT {', '.join(columns)} FROM ({query})")
        self.db.execute(f"CREATE TEMP TABLE organisation_ids AS {joined.ids}")
        if rows["ranks"]:
            self._rank_resources()
        return joined.coverage

    def _rank_resources(self) -> None:
        """Write the resources once more, with their ranks."""
        path = self.work / "tables" / "resources.parquet"
        ranked = path.with_suffix(".ranked")
        self.db.execute(
            f"""COPY (SELECT r.* REPLACE (coalesce(k.rank, r.rank) AS rank)
                      FROM resources AS r LEFT JOIN ranks AS k ON k.resource_uid = r.uid)
                TO {literal(ranked)} (FORMAT parquet, COMPRESSION zstd)"""
        )
        ranked.chmod(0o600)
        ranked.replace(path)

    def _coverage(self, rows: Sequence[Coverage]) -> int:
        path = self.work / "coverage.jsonl"
        path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
        query = statement(
            "coverage",
            scope_key=key_of("scope_uid"),
            resource_key=key_of("resource_uid"),
            file=literal(path),
            columns=column_types(_COVERAGE),
        )
        return self._write("coverage", query)

    def _ids(self) -> int:
        mentioned = [
            f"SELECT {name} AS key, {name}_text AS uid FROM staged_{table} WHERE {name}_text IS NOT NULL"
            for table, name in self._mentioning()
        ]
        mentioned.append("SELECT scope_uid AS key, scope_text AS uid FROM coverage")
        mentioned.append("SELECT resource_uid, resource_text FROM coverage WHERE resource_uid IS NOT NULL")
        mentioned.append("SELECT key, uid FROM organisation_ids")
        return self._write("ids", statement("ids", mentioned=" UNION ALL ".join(mentioned)))

    def _mentioning(self) -> list[tuple[str, str]]:
        """The columns, with their tables, that mention something which no fact describes.

        Asked of the keys that were written: most columns name nothing new, and the texts of those are left alone.
        Where a table had versions of one thing, a version that was left out may name something, too.
        """
        columns = [(table, name) for table in BASE for name in BASE[table] if is_uid(name) and name != "uid"]
        keys = " UNION ALL ".join(
            f"SELECT {number} AS number, {name} AS key FROM {table} WHERE {name} IS NOT NULL"
            for number, (table, name) in enumerate(columns)
        )
        new = {number for (number,) in self.db.execute(statement("mentioning", keys=keys)).fetchall()}
        return [
            (table, name)
            for number, (table, name) in enumerate(columns)
            if number in new or ("uid" in BASE[table] and self._is_repeated(table))
        ]

    def _write(self, table: str, query: str) -> int:
        """Write a table and make it known to the connection by its name; gives the number of rows."""
        path = self.work / "tables" / f"{table}.parquet"
        rows = self._count(f"COPY ({query}) TO {literal(path)} (FORMAT parquet, COMPRESSION zstd)")
        path.chmod(0o600)
        if table not in ("members", "exposures"):
            self.db.execute(
                f"CREATE OR REPLACE VIEW {table} AS SELECT {typed(table)} FROM read_parquet({literal(path)})"
            )
        return rows

    def _count(self, query: str) -> int:
        row = self.db.execute(query).fetchone()
        return int(row[0]) if row else 0


def _columns(table: str) -> str:
    """A fact's columns as they are sealed; a text that a line leaves out is the field's default, not unknown."""
    defaults = {field.name: field.default for field in msgspec.structs.fields(FACTS[table])}

    def column(name: str, kind: str) -> str:
        if kind == "JSON":
            return f"coalesce({name}, '{{}}') AS {name}"
        default = defaults[name]
        return f"coalesce({name}, {literal(default)}) AS {name}" if isinstance(default, str) else name

    return ", ".join(column(name, kind) for name, kind in BASE[table].items())


def _number_of_values(table: str) -> str:
    """How many columns of a row say something, as SQL."""
    return " + ".join(
        f"(CASE WHEN {name} IS NULL OR CAST({name} AS VARCHAR) IN ('', '{{}}') THEN 0 ELSE 1 END)"
        for name in BASE[table]
    )


def _widest_first(table: str) -> str:
    """The part of an ORDER BY that prefers the grant that admits more people; empty for other tables."""
    if table != "grants":
        return ""
    audiences = ", ".join(literal(rung) for rung in Audience)
    return f"list_position([{audiences}], audience) DESC NULLS FIRST, effective DESC NULLS FIRST, "


def _summary(
    record: ScanRecord, lines: Path, coverage: Sequence[Coverage], kinds: Mapping[str, int], finished_on: datetime
) -> ScanSummary:
    scopes: dict[str, int] = {}
    read: dict[tuple[str, str], list[ScopeReport]] = {}
    spent = Spent(requests=0)
    for report in spool.reports(lines):
        if report.outcome is Outcome.COMPLETE or report.outcome.is_gap:
            read.setdefault((report.scope.platform, report.scope.kind), []).append(report)
        scopes[report.outcome] = scopes.get(report.outcome, 0) + 1
        spent = spent.plus(Spent(requests=report.requests, throttles=report.throttles, retries=report.retries))
    return ScanSummary(
        id=record.id,
        started_on=record.started_on,
        finished_on=finished_on,
        # What was left out on purpose (a budget, a setting) or does not exist does not make the scan incomplete.
        complete=bool(kinds) and not any(row.outcome.is_gap for row in coverage),
        resources=kinds,
        scopes=scopes,
        requests=spent.requests,
        throttles=spent.throttles,
        retries=spent.retries,
        read=[
            ScopesRead(
                platform=platform,
                kind=kind,
                total=len(reports),
                whole=sum(report.is_whole for report in reports),
                partly=sum(_is_partly_read(report) for report in reports),
            )
            for (platform, kind), reports in sorted(read.items())
        ],
    )


def _is_partly_read(report: ScopeReport) -> bool:
    return not report.is_whole and report.outcome in (Outcome.COMPLETE, Outcome.PARTIAL)


def _publish(folder: Path, work: Path, manifest: Manifest) -> None:
    """Tables first, manifest last: a folder with a manifest is a whole snapshot."""
    tables = folder / "tables"
    shutil.rmtree(tables, ignore_errors=True)
    (work / "tables").rename(tables)
    if (work / incremental.FOLDER).exists():
        shutil.rmtree(folder / incremental.FOLDER, ignore_errors=True)
        (work / incremental.FOLDER).rename(folder / incremental.FOLDER)
    write_private(folder / "manifest.json", msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
    folder.chmod(0o700)
    shutil.rmtree(work)
