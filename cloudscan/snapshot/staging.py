"""Staging: the lines of a spool, read in a single pass into columns that DuckDB works on.

`stage` has a row for each line; ``staged_<table>`` those of one kind of fact, in the columns of its table. Every id is
there twice: as a key (`resource_uid`) and as text (`resource_uid_text`). Beside the files of scopes a spool may have
lines that another machine has staged: ``*.parquet``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from cloudscan.snapshot import log_facts, spool
from cloudscan.snapshot.database import column_types, literal, statement
from cloudscan.snapshot.tables import BASE, is_uid, key_of

_TAGS: Final[Mapping[str, str]] = {
    "resources": "resource",
    "principals": "principal",
    "grants": "grant",
    "memberships": "membership",
    "settings": "setting",
    "activity": "activity",
}
_COMMON: Final = "small.jsonl"
_SMALL: Final = 256 * 1024  # bytes


@dataclass(frozen=True)
class Staging:
    """One spool on one connection."""

    db: duckdb.DuckDBPyConnection
    lines: Path
    work: Path  # for files that the connection reads from then on
    in_memory: int  # bytes of spool up to which lines are staged in memory; beyond, in a file

    def read(self) -> None:
        """Make the tables known to the connection."""
        paths = list(self._files())
        uids = [name for name in _columns() if is_uid(name)]
        lines = statement(
            "stage",
            uids=", ".join(uids),
            keyed_uids=", ".join(f"{key_of(name)} AS {name}, {name} AS {name}_text" for name in uids),
            known_types=", ".join(literal(tag) for tag in (*_TAGS.values(), *log_facts.TAGS, "gone")),
            files=", ".join(map(literal, paths)),
            columns=column_types(_columns()),
        )
        staged = sorted(self.lines.glob("*.parquet"))
        if staged:
            # By other machines: nearly all lines. Here are those of what was asked for again, and of lists in doubt.
            files = ", ".join(map(literal, staged))
            self.db.execute(f"CREATE TEMP TABLE stage_here AS {lines}")
            self.db.execute(
                f"CREATE VIEW stage AS SELECT * FROM stage_here UNION ALL BY NAME SELECT * FROM read_parquet([{files}])"
            )
        elif sum(path.stat().st_size for path in paths) <= self.in_memory:
            self.db.execute(f"CREATE TEMP TABLE stage AS {lines}")
        else:
            target = literal(self.work / "stage.parquet")
            self.db.execute(f"COPY ({lines}) TO {target} (FORMAT parquet, COMPRESSION lz4)")
            self.db.execute(f"CREATE VIEW stage AS SELECT * FROM read_parquet({target})")
        for table, tag in _TAGS.items():
            columns = [name for name in BASE[table] if not is_uid(name)]
            columns += [f"{name}, {name}_text" for name in BASE[table] if is_uid(name)]
            self.db.execute(
                f"CREATE VIEW staged_{table} AS "
                f"SELECT {', '.join(columns)}, scope_file FROM stage WHERE type = {literal(tag)}"
            )

    def malformed_lines(self) -> dict[str, int]:
        """How many lines of each spool file are not records: a disk that ran full, an editor."""
        counts = dict(self.db.execute(statement("malformed_lines")).fetchall())
        if counts.pop(_COMMON, 0):
            counts |= {path.name: broken for path in self._small() if (broken := spool.broken_lines(path))}
        return counts

    def _files(self) -> Iterator[Path]:
        """The files to read: large ones as they are, small ones in one.

        DuckDB takes some 3 ms to open a file with this many columns, which is noticeable with a thousand buckets. In
        the common file each line names the scope that it is from.
        """
        common = self.work / _COMMON
        with common.open("wb") as file:
            for path in sorted(self.lines.glob("*.jsonl")):
                if path.stat().st_size > _SMALL:
                    yield path
                else:
                    tag = b'{"scope_file":"' + path.name.encode() + b'","type":'
                    # A line end inside a JSON string is written \\n, so this is found at the start of lines only.
                    file.write((b"\n" + path.read_bytes()).replace(b'\n{"type":', b"\n" + tag)[1:])
        yield common

    def _small(self) -> list[Path]:
        return [path for path in sorted(self.lines.glob("*.jsonl")) if path.stat().st_size <= _SMALL]


def _columns() -> dict[str, str]:
    """All columns that a line may have, and the types they are read as."""
    columns = {"type": "VARCHAR", "scope_file": "VARCHAR", **log_facts.COLUMNS}
    for fields in BASE.values():
        for name, kind in fields.items():
            columns[name] = "VARCHAR" if is_uid(name) or kind.endswith("_ladder") else kind
    return columns
