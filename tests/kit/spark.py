"""A real Spark cluster on this machine: a master, and workers that are processes of their own."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from cloudscan.snapshot.database import column_spec
from cloudscan.snapshot.tables import enum_statements
from cloudscan.spark import functions
from cloudscan.spark.session import Cluster, session

MASTER = "local-cluster[2,1,1024]"
ROOT = Path(__file__).parents[2]
# What is compiled for hours of work never pays off in a minute.
_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


@contextmanager
def cluster(folder: Path) -> Iterator[SparkSession]:
    """A cluster of two machines with one core each, which writes below the folder and knows the tests' modules."""
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        reason = "no Java; install a Java 17 runtime (Debian: default-jre-headless) to try Spark"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    (folder / "spark-defaults.conf").write_text(
        f"spark.driver.extraJavaOptions {_JAVA}\nspark.executor.extraJavaOptions {_JAVA}\n"
        "spark.sql.codegen.wholeStage false\nspark.sql.codegen.factoryMode NO_CODEGEN\n"
        "spark.driver.bindAddress 127.0.0.1\nspark.sql.shuffle.partitions 2\n"
    )
    modules = os.pathsep.join(str(ROOT / part) for part in ("", "connectors", "reports"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_CONF_DIR", str(folder))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("SPARK_WORKER_DIR", str(folder / "work"))
        patch.setenv("SPARK_LOCAL_DIRS", str(folder / "local"))
        patch.setenv("PYTHONPATH", modules)
        with session(Cluster(master=MASTER)) as spark:
            yield spark


@contextmanager
def on_both_engines(
    spark: SparkSession, tables: Mapping[str, tuple[Mapping[str, str], pa.Table]]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same tables, with their columns as DuckDB declares them, as views on Spark and in a database here."""
    for declaration in functions.declarations():
        spark.sql(declaration)
    with duckdb.connect(":memory:") as db:
        db.execute("SET TimeZone = 'UTC'")
        for statement in enum_statements():
            db.execute(statement)
        for name, (columns, table) in tables.items():
            spark.createDataFrame(table).createOrReplaceTempView(name)
            db.execute(f"CREATE TABLE {name} ({column_spec(columns)})")
            db.register("given", table)
            db.execute(f"INSERT INTO {name} SELECT * FROM given")
        yield db
