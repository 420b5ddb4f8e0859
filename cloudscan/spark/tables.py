"""The tables of a snapshot as views of a Spark session, with the names and types that rules know them by."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cloudscan.snapshot.tables import ORGANISATION_TABLES, TABLES
from cloudscan.spark.functions import name

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Files = Mapping[str, Sequence[str]]
"""The addresses of the Parquet files of each table, as the workers reach them."""

_TYPES: Final[Mapping[str, str]] = {
    "BIGINT": "BIGINT", "BOOLEAN": "BOOLEAN", "TIMESTAMP": "TIMESTAMP_NTZ", "DATE": "DATE",
}  # fmt: skip

_IDS: Final[Mapping[str, str]] = {"key": "BIGINT", "uid": "VARCHAR"}
_WITH_ID: Final = ("resources", "principals", "grants")
"""The tables with a column `id`, the text of `uid`. What else is mentioned stands in the table `ids`."""


def files_of(folder: Path) -> Files:
    """The tables of the snapshot in a folder that all machines reach by the same path."""
    return {path.stem: [path.resolve().as_uri()] for path in sorted((folder / "tables").glob("*.parquet"))}


def spark_type(kind: str) -> str:
    """Spark's type for a column of a rule's table; a ladder and JSON are texts."""
    return _TYPES.get(kind, "STRING")


def columns_of(table: str) -> Mapping[str, str]:
    """The columns of a sealed table that are read, and their types as `cloudscan.snapshot.tables` has them."""
    if table == "ids":
        return _IDS
    return {**TABLES[table], "id": "VARCHAR"} if table in _WITH_ID else TABLES[table]


def open_tables(session: "SparkSession", files: Files) -> None:
    """Make views of a snapshot's tables. One of the organisation's that an older version did not seal is empty."""
    for table in (*TABLES, "ids"):
        columns = {column: spark_type(kind) for column, kind in columns_of(table).items()}
        if table not in files and table in ORGANISATION_TABLES:
            empty = ", ".join(f"CAST(NULL AS {kind}) AS {name(column)}" for column, kind in columns.items())
            session.sql(f"SELECT {empty} WHERE FALSE").createOrReplaceTempView(table)
            continue
        schema = ", ".join(f"{name(column)} {kind}" for column, kind in columns.items())
        session.read.schema(schema).parquet(*files[table]).createOrReplaceTempView(table)
