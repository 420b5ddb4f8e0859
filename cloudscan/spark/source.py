"""The partitions of a scan as a table of Spark's: reading a row of it is reading a partition.

A Python data source needs nothing but what every Spark 4 has, over Spark Connect as well; the functions that map over a
DataFrame need pandas besides, on every machine. Nothing is given as an option: options are shown in Spark's own pages.

Sources: "Python Data Source API", Spark 4.0 documentation. Each action reads a data source anew, so there is one.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import duckdb
from pyspark import TaskContext
from pyspark.sql import SparkSession
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition

from cloudscan.errors import CloudscanError, SnapshotError
from cloudscan.sentence import say
from cloudscan.spark.reading import Errand, read_partition
from cloudscan.text import first_line

_NAME: Final = "cloudscan_partitions"


def carry_out(spark: SparkSession, errand: Errand, partition_ids: Sequence[str]) -> None:
    """Have partitions read on the machines of a session. Raises `SnapshotError` if not all of them were."""
    try:
        spark.dataSource.register(_source_of(errand, partition_ids))
        rows = spark.read.format(_NAME).load().collect()
    except Exception as error:  # PySpark raises Java's, gRPC's and its own
        raise _gave_up(first_line(error)) from error
    if fault := next((row["fault"] for row in rows if row["fault"]), ""):
        raise _gave_up(fault)


def _gave_up(why: str) -> SnapshotError:
    return SnapshotError(
        say(
            "Not everything could be read on Spark ({why}). Run the same scan again: what has been read is in the "
            "store and is not read twice.",
            why=why,
        )
    )


def _source_of(errand: Errand, partition_ids: Sequence[str]) -> type[DataSource]:
    """A data source with one row for each partition: its id, and why it was not read; empty if it was."""

    class Partitions(DataSource):
        @classmethod
        def name(cls) -> str:
            return _NAME

        def schema(self) -> str:
            return "partition string, fault string"

        def reader(self, schema: object) -> DataSourceReader:
            del schema
            return Reader()

    class Reader(DataSourceReader):
        def partitions(self) -> Sequence[InputPartition]:
            return [InputPartition(one) for one in partition_ids]

        def read(self, partition: InputPartition) -> Iterator[tuple[str, str]]:
            # The base class says that it may be called with a tuple of the values, which it never is for our own.
            yield partition.value, _fault(errand, partition.value)

    return Partitions


def _fault(errand: Errand, partition_id: str) -> str:
    """Read a partition; gives what made it impossible. Anything unforeseen is raised: Spark tries once more."""
    context = TaskContext.get()
    attempt = context.attemptNumber() if context else 0
    try:
        read_partition(errand, partition_id, str(attempt))
    except (CloudscanError, OSError, duckdb.Error) as error:
        return first_line(error)
    return ""
