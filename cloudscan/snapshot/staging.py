"""Staging: the lines of a spool, read in a single pass into columns that DuckDB works on.

`stage` has a row for each line, ids as text; ``staged_<table>`` those of one kind of fact, in the columns of its table.
Every id is there twice: as a key (`resource_uid`), which is worked out where it is asked for, and as text
(`resource_uid_text`). Beside the files of scopes a spool may have lines that another machine has staged: ``*.parquet``.

Most lines are resources and grants. A column that neither has costs a line as much as a number, empty as it is, so the
columns of everything else are in one, `more`, as JSON.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import msgspec

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
_MANY: Final = ("resources", "grants", "memberships")
"""Tables whose columns `stage` has as they are: what an estate has very many of."""

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
        many = (_TAGS[table] for table in _MANY)
        lines = statement(
            "stage",
            packed=", ".join(_packed()),
            many=", ".join(literal(tag) for tag in many),
            more=", ".join(f"{name} := {name}" for name in _packed()),
            known_types=", ".join(literal(tag) for tag in (*_TAGS.values(), *log_facts.COLUMNS, "gone")),
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
        unpacked = f"unnest(from_json(more, {literal(msgspec.json.encode(_packed()).decode())}))"
        self.db.execute(
            f"CREATE VIEW stage_of_few AS SELECT * EXCLUDE more, {unpacked} FROM stage WHERE more IS NOT NULL"
        )
        for table, tag in _TAGS.items():
            self._show(table, tag, list(BASE[table]), "stage" if table in _MANY else "stage_of_few")
        for tag, columns in log_facts.COLUMNS.items():
            self._show(f"{tag}s", tag, list(columns), "stage_of_few")

    def _show(self, name: str, tag: str, columns: Sequence[str], source: str) -> None:
        """Make the view of one kind of fact."""
        shown = [name for name in columns if not is_uid(name)]
        shown += [f"{key_of(name)} AS {name}, {name} AS {name}_text" for name in columns if is_uid(name)]
        self.db.execute(
            f"CREATE VIEW staged_{name} AS "
            f"SELECT {', '.join(shown)}, scope_file FROM {source} WHERE type = {literal(tag)}"
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
    columns = {"type": "VARCHAR", "scope_file": "VARCHAR"}
    for fields in (*BASE.values(), *log_facts.COLUMNS.values()):
        for name, kind in fields.items():
            columns[name] = "VARCHAR" if is_uid(name) or kind.endswith("_ladder") else kind
    return columns


def _packed() -> dict[str, str]:
    """The columns that are in `more`, and their types. JSON stays outside: a null in it would not come back as one."""
    flat = {"type", "scope_file"}.union(*(BASE[table] for table in _MANY))
    return {name: kind for name, kind in _columns().items() if name not in flat and kind != "JSON"}
