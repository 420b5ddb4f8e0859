"""A session on a Spark cluster that is there already, or on this machine's own cores.

Only what a session, its frames and its SQL can do is used anywhere here, so that Spark Connect serves as well.
"""

import contextlib
import logging
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from cloudscan.errors import ConfigurationError
from cloudscan.installation import install_hint
from cloudscan.sentence import say
from cloudscan.text import first_line

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_THIS_MACHINE: Final = "local[*]"
_SECONDS: Final = 10.0  # to reach a master or a server
_PORTS: Final = {"spark": 7077, "sc": 15002}

_MEANING: Final[Mapping[str, str]] = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "false",
    "spark.sql.ansi.enforceReservedKeywords": "false",
    "spark.sql.caseSensitive": "false",
    "spark.sql.groupByOrdinal": "true",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.parser.quotedRegexColumnNames": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.variable.substitute": "false",
}
"""What the meaning of a translated query depends on, whatever a cluster's own default is."""


_CARE: Final[Mapping[str, str]] = {
    # A twin of a slow task would ask every question twice, and a scope has retries of its own.
    "spark.speculation": "false",
    "spark.task.maxFailures": "2",
}
"""What a cluster may do with a task that reads a platform."""

_MODEST: Final[Mapping[str, str]] = {
    # Spark's pages remember a thousand queries, each with the whole text of its plans.
    "spark.sql.maxPlanStringLength": "10000",
    "spark.sql.ui.retainedExecutions": "20",
    "spark.ui.retainedJobs": "100",
    "spark.ui.retainedStages": "100",
    "spark.ui.retainedTasks": "1000",
}
"""What a driver remembers of queries that are done."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Where Spark runs. Neither: as the environment says (`spark-submit`, `SPARK_REMOTE`), else on this machine."""

    master: str = ""  # spark://host:7077, yarn, k8s://…, local[2]
    remote: str = ""  # sc://host:15002, Spark Connect

    @property
    def name(self) -> str:
        """What it is called in a sentence."""
        return self.remote or self.master or os.environ.get("SPARK_REMOTE") or os.environ.get("MASTER") or _THIS_MACHINE

    @property
    def is_here(self) -> bool:
        """Whether all its machines are this one."""
        return self.name.startswith("local")


@contextlib.contextmanager
def session(cluster: Cluster) -> Iterator["SparkSession"]:
    """A session, closed at the end of the block. One that is there already, as in a notebook, is taken and left open.

    Spark's own messages stay in a file that is removed with it. Raises `ConfigurationError` where there is no
    PySpark, no Java, or nobody answers.
    """
    builder = _builder(cluster)
    _refuse_unreachable(cluster)
    there = _session_of(cluster)
    with tempfile.TemporaryDirectory(prefix="cloudscan-spark-") as folder:
        noise = Path(folder) / "spark.log"
        try:
            with _quiet(noise):
                if cluster.is_here:
                    _work_below(folder)
                opened = builder.getOrCreate()
                for name, value in _MEANING.items():
                    opened.conf.set(name, value)
                opened.sql("SELECT 1").collect()
        except Exception as error:  # PySpark raises Java's, gRPC's and its own
            raise ConfigurationError(
                say(
                    "Spark at {where} cannot be used ({why}); check the address and that it is running, or leave "
                    "--engine out.",
                    where=cluster.name,
                    why=_why(error, noise),
                )
            ) from error
        try:
            yield opened
        finally:
            if there is None:
                with contextlib.suppress(Exception):  # it may be gone already
                    opened.stop()


def _builder(cluster: Cluster) -> "SparkSession.Builder":
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise ConfigurationError(
            say("Spark needs PySpark, which is not installed; {hint}.", hint=install_hint("spark"))
        ) from error
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)  # writes stack traces to stderr
    builder = SparkSession.builder.appName("cloudscan")
    if cluster.remote:
        return builder.remote(cluster.remote)
    if "SPARK_REMOTE" not in os.environ and not _java():
        raise ConfigurationError(
            say("Spark needs Java 17 or newer, which is not installed; install it, or name a server with --remote.")
        )
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = builder.config("spark.ui.showConsoleProgress", "false").config("spark.log.level", "OFF")
    for name, value in {**_MEANING, **_CARE, **_MODEST}.items():
        builder = builder.config(name, value)
    if cluster.master:
        return builder.master(cluster.master)
    return builder


def _session_of(cluster: Cluster) -> "SparkSession | None":
    """The session that this process has on the cluster; None if it has none."""
    from pyspark.sql import SparkSession

    there = SparkSession.getActiveSession()
    if there is None or cluster.remote:
        return None
    return there if cluster.master in ("", there.conf.get("spark.master", "")) else None


def _work_below(folder: str) -> None:
    """Let Spark on this machine write below a folder of ours: it would write into the installed package."""
    for name in ("SPARK_WORKER_DIR", "SPARK_LOCAL_DIRS"):
        os.environ.setdefault(name, folder)


def _refuse_unreachable(cluster: Cluster) -> None:
    """Ask once whether anybody listens: Spark itself asks for minutes. Raises `ConfigurationError`."""
    parts = urlsplit(cluster.name)
    if parts.scheme not in _PORTS:
        return
    reasons: list[str] = []
    for host in parts.netloc.split(","):  # a master may have stand-ins
        try:
            address = urlsplit(f"//{host}")
            port = address.port or _PORTS[parts.scheme]
            socket.create_connection((address.hostname or "", port), timeout=_SECONDS).close()
        except (OSError, ValueError) as error:
            reasons.append(getattr(error, "strerror", None) or first_line(error))
        else:
            return
    raise ConfigurationError(
        say(
            "Spark at {where} cannot be used ({why}); check the address and that it is running, or leave --engine out.",
            where=cluster.name,
            why="; ".join(reasons),
        )
    )


def _java() -> bool:
    home = os.environ.get("JAVA_HOME")
    return bool(shutil.which("java") or (home and (Path(home) / "bin" / "java").exists()))


@contextlib.contextmanager
def _quiet(file: Path) -> Iterator[None]:
    """Let a process that is started in the block write its errors into a file: Java has much to say to a terminal."""
    sys.stderr.flush()
    kept = os.dup(2)
    with file.open("wb") as target:
        os.dup2(target.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)


def _why(error: Exception, noise: Path) -> str:
    """What went wrong, in one line: what Spark said, or else the last thing that was written."""
    said = first_line(error)
    if "Py4J" in said or "JAVA_GATEWAY" in said or not said:
        lines = [line for line in noise.read_text("utf-8", "replace").splitlines() if line.strip()]
        said = lines[-1].strip() if lines else said
    return said[:300]
