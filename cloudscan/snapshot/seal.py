"""From a spool of JSON lines to a snapshot: Parquet tables, keys for ids, exposures computed once.

The lines are read in a single pass into Parquet, ids hashed to keys on the way. Everything after that works
on columns and keys. DuckDB keeps to a memory limit and spills into the snapshot's own folder. The snapshot
appears at the end, by rename.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import duckdb
import msgspec

from cloudscan import __version__
from cloudscan.connector import Spent
from cloudscan.coverage import Coverage, ScanSummary
from cloudscan.errors import SnapshotError
from cloudscan.facts import Outcome
from cloudscan.files import write_private
from cloudscan.snapshot import incremental, log_facts, spool
from cloudscan.snapshot.database import MEMORY, literal, set_up, typed, views_sql
from cloudscan.snapshot.manifest import FORMAT, Manifest
from cloudscan.snapshot.spool import ScanRecord
from cloudscan.snapshot.tables import BASE, FACTS, is_uid, key_of

WORK: Final = ".sealing"
_COMMON: Final = "small.jsonl"
_SMALL: Final = 256 * 1024  # bytes
_TAG: Final = {"resources": "resource", "principals": "principal", "grants": "grant", "memberships": "membership",
               "settings": "setting", "activity": "activity"}  # fmt: skip
_DEEPEST: Final = 128  # levels of folders to climb for a grant's origin


@dataclass(frozen=True, kw_only=True)
class SealOptions:
    """How much of the machine sealing may use."""

    memory: str = MEMORY
    threads: int = 2
    in_memory: int = 8 * 1024 * 1024  # bytes of spool up to which lines are staged in memory; beyond, in a file
    keep_spool: bool = False


def seal(folder: Path, options: SealOptions | None = None, *, clock: Callable[[], datetime] = spool.now) -> Manifest:
    """Make the spool inside `folder` a snapshot in the same folder; the spool is gone afterwards.

    Interrupted at any point it can be called again. Raises `SnapshotError` where there is no spool, or where two
    different ids share a key.
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
        rows, coverage = _Sealing(db, lines, work, options.in_memory).run()
        kinds = dict(db.execute("SELECT kind, count(*) FROM resources GROUP BY kind ORDER BY kind").fetchall())
    manifest = Manifest(
        format=FORMAT,
        tool=f"cloudscan {__version__}",
        scan=_summary(record, lines, coverage, kinds, clock()),
        connectors=record.connectors,
        settings=record.settings,
        tables=rows,
    )
    for path in sorted(lines.glob("*.jsonl")):
        report = spool.report_of(path)
        if report.cursor and report.outcome is Outcome.COMPLETE:
            incremental.keep(path, report, work / incremental.FOLDER)
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
    in_memory: int

    def run(self) -> tuple[dict[str, int], list[Coverage]]:
        coverage = [row for report in spool.reports(self.lines) for row in spool.coverage_of(report)]
        self._stage()
        coverage += self._malformed()
        rows = {
            table: self._table(table) for table in ("resources", "principals", "memberships", "settings", "activity")
        }
        rows["grants"] = self._grants()
        coverage += self._homeless_grants()
        self.db.execute(views_sql())
        rows["members"] = self._write("members", "SELECT * FROM members")
        rows["exposures"] = self._write("exposures", "SELECT * FROM exposures")
        rows["coverage"] = self._coverage(coverage)
        rows["ids"] = self._ids()
        return rows, coverage

    def _stage(self) -> None:
        """Read every line once. Ids become keys; their text stays beside them for the table of ids."""
        columns = {"type": "VARCHAR", "scope_file": "VARCHAR", **log_facts.COLUMNS}
        for fields in BASE.values():
            for name, kind in fields.items():
                columns[name] = "VARCHAR" if is_uid(name) or kind.endswith("_ladder") else kind
        spec = ", ".join(f"{name}: '{kind}'" for name, kind in columns.items())
        uids = [name for name in columns if is_uid(name)]
        keyed = ", ".join(f"{key_of(name)} AS {name}, {name} AS {name}_text" for name in uids)
        paths = list(self._sources())
        sources = ", ".join(literal(path) for path in paths)
        known = ", ".join(literal(tag) for tag in (*_TAG.values(), *log_facts.TAGS, "gone"))
        lines = f"""
            SELECT * EXCLUDE ({", ".join(uids)}, filename, type, scope_file), {keyed},
                   coalesce(scope_file, parse_filename(filename)) AS scope_file,
                   CASE WHEN type IN ({known}) THEN type ELSE 'malformed' END AS type
            FROM read_json([{sources}], format = 'newline_delimited', ignore_errors = true,
                           filename = true, columns = {{{spec}}})
            WHERE type IS DISTINCT FROM 'report'
        """
        if sum(path.stat().st_size for path in paths) <= self.in_memory:
            self.db.execute(f"CREATE TEMP TABLE stage AS {lines}")
        else:
            stage = literal(self.work / "stage.parquet")
            self.db.execute(f"COPY ({lines}) TO {stage} (FORMAT parquet, COMPRESSION lz4)")
            self.db.execute(f"CREATE VIEW stage AS SELECT * FROM read_parquet({stage})")
        for table, tag in _TAG.items():
            mine = [name for name in BASE[table] if not is_uid(name)]
            mine += [f"{name}, {name}_text" for name in BASE[table] if is_uid(name)]
            self.db.execute(
                f"CREATE VIEW staged_{table} AS "
                f"SELECT {', '.join(mine)}, scope_file FROM stage WHERE type = {literal(tag)}"
            )

    def _sources(self) -> Iterator[Path]:
        """The files to read: large ones as they are, small ones in one.

        DuckDB takes some 3 ms to open a file with this many columns, which a thousand buckets would feel. In the common
        file each line says which scope it is from.
        """
        common = self.work / _COMMON
        with common.open("wb") as file:
            for path in sorted(self.lines.glob("*.jsonl")):
                if path.stat().st_size > _SMALL:
                    yield path
                else:
                    mark = b'{"scope_file":"' + path.name.encode() + b'","type":'
                    # A line end inside a JSON string is written \\n, so this is found at the start of lines only.
                    file.write((b"\n" + path.read_bytes()).replace(b'\n{"type":', b"\n" + mark)[1:])
        yield common

    def _malformed(self) -> Iterator[Coverage]:
        """Lines that are not JSON: a disk that ran full, an editor. They cost a row, not the snapshot."""
        counts = dict(
            self.db.execute(
                "SELECT scope_file, count(*) FROM stage WHERE type = 'malformed' GROUP BY ALL ORDER BY ALL"
            ).fetchall()
        )
        if counts.pop(_COMMON, 0):
            counts |= {path.name: broken for path in self._small() if (broken := spool.broken_lines(path))}
        for name, count in counts.items():
            reason = f"{count} line(s) of the spool could not be read; scan this scope again"
            yield self._partial(name, spool.WHOLE, reason)

    def _small(self) -> list[Path]:
        return [path for path in sorted(self.lines.glob("*.jsonl")) if path.stat().st_size <= _SMALL]

    def _partial(self, scope_file: str, table: str, reason: str) -> Coverage:
        scope = spool.report_of(self.lines / scope_file).scope
        return Coverage(
            scope_uid=scope.uid,
            scope_name=scope.name,
            platform=scope.platform,
            account=scope.account,
            table=table,
            outcome=Outcome.PARTIAL,
            reason=reason,
        )

    def _table(self, table: str) -> int:
        told = self._once(table)
        if table == "principals":
            told = log_facts.principals_with_sightings(self.db, told)
        return self._write(table, f"SELECT {_columns(table)} FROM ({told})", extra=_text_id(table))

    def _once(self, table: str) -> str:
        """A staged table with every fact once, whoever told it how often.

        Of several tellings of one thing the one that knows most wins, then the one that admits more people.
        """
        staged = f"staged_{table}"
        if table == "settings":
            return f"SELECT scope_uid, name, max(value) AS value FROM {staged} GROUP BY scope_uid, name"
        if "uid" not in BASE[table]:
            return f"SELECT DISTINCT {', '.join(BASE[table])} FROM {staged}"
        self.db.execute(f"CREATE TEMP TABLE twice_{table} AS SELECT uid FROM {staged} GROUP BY uid HAVING count(*) > 1")
        if not self._count(f"SELECT count(*) FROM twice_{table}"):
            return f"SELECT * FROM {staged}"
        self._refuse_shared_keys(table)
        known = " + ".join(
            f"(CASE WHEN {name} IS NULL OR CAST({name} AS VARCHAR) IN ('', '{{}}') THEN 0 ELSE 1 END)"
            for name in BASE[table]
        )
        widest = "list_position($audiences, audience) DESC NULLS FIRST, effective DESC NULLS FIRST, "
        widest = widest.replace("$audiences", _audiences()) if table == "grants" else ""
        return f"""
            SELECT * FROM {staged} AS s WHERE NOT EXISTS (SELECT 1 FROM twice_{table} AS t WHERE t.uid = s.uid)
            UNION ALL
            SELECT * FROM (
                SELECT * FROM {staged} AS s WHERE EXISTS (SELECT 1 FROM twice_{table} AS t WHERE t.uid = s.uid)
                QUALIFY row_number() OVER (
                    PARTITION BY uid ORDER BY {known} DESC, {widest} md5(CAST(s AS VARCHAR))
                ) = 1
            )
        """

    def _refuse_shared_keys(self, table: str) -> None:
        shared = self.db.execute(f"""
            SELECT min(uid_text), max(uid_text) FROM staged_{table} JOIN twice_{table} USING (uid)
            GROUP BY uid HAVING min(uid_text) <> max(uid_text) LIMIT 1
        """).fetchone()
        if shared:
            raise SnapshotError(
                f"The ids {shared[0]!r} and {shared[1]!r} have the same key; please report this as a bug."
            )

    def _grants(self) -> int:
        """Grants, every one with the resource where it was given."""
        self._climb()
        given = f"""
            SELECT s.* REPLACE (coalesce(s.origin_uid, o.origin_uid, s.resource_uid) AS origin_uid)
            FROM ({self._once("grants")}) AS s LEFT JOIN origins AS o ON o.grant_uid = s.uid
        """
        told = log_facts.grants_with_openings(self.db, given)
        return self._write("grants", f"SELECT {_columns('grants')} FROM ({told})", extra=_text_id("grants"))

    def _climb(self) -> None:
        """Find the origin of inherited grants that name none: the nearest ancestor with the same grant of its own.

        Only folders hold own grants that others inherit, so each level is a small join.
        """
        self.db.execute("CREATE TEMP TABLE origins (grant_uid BIGINT, origin_uid BIGINT)")
        self.db.execute("""
            CREATE TEMP TABLE climbing AS
            SELECT g.uid AS grant_uid, r.parent_uid AS at_uid, g.principal_uid, g.audience, g.access
            FROM staged_grants AS g JOIN resources AS r ON r.uid = g.resource_uid
            WHERE g.inherited AND g.origin_uid IS NULL AND r.parent_uid IS NOT NULL
        """)
        for _ in range(_DEEPEST):
            if not self._count("SELECT count(*) FROM climbing"):
                break
            self.db.execute("""
                INSERT INTO origins
                SELECT DISTINCT c.grant_uid, c.at_uid
                FROM climbing AS c JOIN staged_grants AS g
                  ON g.resource_uid = c.at_uid AND NOT g.inherited AND g.access = c.access
                 AND g.principal_uid IS NOT DISTINCT FROM c.principal_uid
                 AND g.audience IS NOT DISTINCT FROM c.audience
            """)
            self.db.execute("""
                CREATE OR REPLACE TEMP TABLE climbing AS
                SELECT c.grant_uid, r.parent_uid AS at_uid, c.principal_uid, c.audience, c.access
                FROM climbing AS c JOIN resources AS r ON r.uid = c.at_uid
                WHERE r.parent_uid IS NOT NULL
                  AND NOT EXISTS (SELECT 1 FROM origins AS o WHERE o.grant_uid = c.grant_uid)
            """)

    def _homeless_grants(self) -> Iterator[Coverage]:
        """Grants on resources that nobody told of: no rule can see them, so the report has to say so."""
        counts = self.db.execute("""
            SELECT scope_file, count(*) FROM staged_grants AS g
            WHERE NOT EXISTS (SELECT 1 FROM resources AS r WHERE r.uid = g.resource_uid)
            GROUP BY scope_file ORDER BY scope_file
        """).fetchall()
        for name, count in counts:
            reason = f"{count} grant(s) concern resources that were not told, so no rule can judge them"
            yield self._partial(name, "resources", reason)

    def _coverage(self, rows: Sequence[Coverage]) -> int:
        path = self.work / "coverage.jsonl"
        path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
        columns = {
            "scope_uid": "VARCHAR", "scope_name": "VARCHAR", "platform": "VARCHAR", "account": "VARCHAR",
            "table": "VARCHAR", "outcome": "VARCHAR", "reason": "VARCHAR", "needs": "VARCHAR",
            "resource_uid": "VARCHAR", "seen": "BIGINT", "total": "BIGINT", "facts": "BIGINT", "requests": "BIGINT",
        }  # fmt: skip
        spec = ", ".join(f"\"{name}\": '{kind}'" for name, kind in columns.items())
        return self._write(
            "coverage",
            f"""SELECT {key_of("scope_uid")} AS scope_uid, scope_uid AS scope_text, scope_name, platform, account,
                       "table" AS table_name, outcome, coalesce(reason, '') AS reason, coalesce(needs, '') AS needs,
                       {key_of("resource_uid")} AS resource_uid, resource_uid AS resource_text,
                       seen, total, coalesce(facts, 0) AS facts, coalesce(requests, 0) AS requests
                FROM read_json({literal(path)}, format = 'newline_delimited', columns = {{{spec}}})""",
        )

    def _ids(self) -> int:
        """Texts of ids that are mentioned but not told: those told have theirs in their own table."""
        mentioned = [
            f"SELECT {name} AS key, {name}_text AS uid FROM staged_{table} WHERE {name} IS NOT NULL"
            for table in BASE
            for name in self._mentioning(table)
        ]
        mentioned.append("SELECT scope_uid AS key, scope_text AS uid FROM coverage")
        mentioned.append("SELECT resource_uid, resource_text FROM coverage WHERE resource_uid IS NOT NULL")
        return self._write(
            "ids",
            f"""SELECT DISTINCT key, uid FROM ({" UNION ALL ".join(mentioned)}) AS m
                WHERE NOT EXISTS (SELECT 1 FROM (SELECT uid FROM resources UNION ALL SELECT uid FROM principals) AS k
                                  WHERE k.uid = m.key)""",
        )

    def _mentioning(self, table: str) -> list[str]:
        """The columns of a staged table that mention the id of something else in at least one row."""
        names = [name for name in BASE[table] if is_uid(name) and name != "uid"]
        counts = self.db.execute(f"SELECT {', '.join(f'count({name})' for name in names)} FROM staged_{table}")
        return [name for name, count in zip(names, counts.fetchone() or (), strict=True) if count]

    def _write(self, table: str, query: str, extra: str = "") -> int:
        """Write a table; from then on the connection knows it by its name."""
        path = self.work / "tables" / f"{table}.parquet"
        query = query.replace("SELECT ", f"SELECT {extra}", 1) if extra else query
        rows = self._count(f"COPY ({query}) TO {literal(path)} (FORMAT parquet, COMPRESSION zstd)")
        path.chmod(0o600)
        if table not in ("members", "exposures"):
            self.db.execute(f"CREATE VIEW {table} AS SELECT {typed(table)} FROM read_parquet({literal(path)})")
        return rows

    def _count(self, query: str) -> int:
        row = self.db.execute(query).fetchone()
        return int(row[0]) if row else 0


def _columns(table: str) -> str:
    """A fact's columns as they are sealed; a word left out of a line is its default, not an unknown one."""
    defaults = {field.name: field.default for field in msgspec.structs.fields(FACTS[table])}

    def column(name: str, kind: str) -> str:
        if kind == "JSON":
            return f"coalesce({name}, '{{}}') AS {name}"
        default = defaults[name]
        return f"coalesce({name}, {literal(default)}) AS {name}" if isinstance(default, str) else name

    return ", ".join(column(name, kind) for name, kind in BASE[table].items())


def _text_id(table: str) -> str:
    return "uid_text AS id, " if "uid" in BASE[table] else ""


def _audiences() -> str:
    from cloudscan.facts import Audience

    return "[" + ", ".join(f"'{rung}'" for rung in Audience) + "]"


def _summary(
    record: ScanRecord, lines: Path, coverage: Sequence[Coverage], kinds: Mapping[str, int], finished_on: datetime
) -> ScanSummary:
    scopes: dict[str, int] = {}
    spent = Spent(requests=0)
    for report in spool.reports(lines):
        scopes[report.outcome] = scopes.get(report.outcome, 0) + 1
        spent = spent.plus(Spent(requests=report.requests, throttles=report.throttles, retries=report.retries))
    return ScanSummary(
        id=record.id,
        started_on=record.started_on,
        finished_on=finished_on,
        # What was left out on purpose (a budget, a setting) is said, and is no failure to see.
        complete=all(row.outcome in (Outcome.COMPLETE, Outcome.SKIPPED) for row in coverage),
        resources=kinds,
        scopes=scopes,
        requests=spent.requests,
        throttles=spent.throttles,
        retries=spent.retries,
    )


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
