"""A Spark session: on a cluster that is there already, or on this machine.

Only what Spark Connect has, too, is used of a session, so that it does not matter which kind it is.
"""

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final
from urllib.parse import urlsplit

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from cloudscan.errors import ConfigurationError
from cloudscan.sentence import Sentence, say
from cloudscan.text import first_line

_SECONDS: Final = 10.0  # to reach a master or a server
_PORTS: Final = {"spark": 7077, "sc": 15002}

_SETTINGS: Final = {
    "spark.app.name": "cloudscan",
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}
_OF_A_CLUSTER: Final = {
    # A twin of a slow task would ask every question twice, and a scope has retries of its own.
    "spark.speculation": "false",
    "spark.task.maxFailures": "2",
}
_OF_THIS_MACHINE: Final = {"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1"}


@contextmanager
def opened(*, master: str = "", remote: str = "") -> Iterator[SparkSession]:
    """A session for the block: at a Connect server (`remote`), else at a master, else as Spark is set up here.

    What Spark's own configuration says (``spark-defaults.conf``, PYSPARK_SUBMIT_ARGS) holds, except for what a scan
    depends on. Without any, this machine is all there is. Raises `ConfigurationError` without Java, or if nobody
    answers.
    """
    _refuse_unreachable(remote or master)
    if not remote and not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        raise ConfigurationError(
            say(
                "Spark needs a Java runtime (17 or newer) on this machine, and there is none; install one "
                "(Debian: default-jre-headless), or name a Spark Connect server with --remote."
            )
        )
    with ExitStack() as stack:
        builder = SparkSession.builder
        if remote:
            builder = builder.remote(remote)
            settings = {key: value for key, value in _SETTINGS.items() if key.startswith("spark.sql.")}
        else:
            builder = builder.master(master) if master else builder
            settings = {**_SETTINGS, **_OF_A_CLUSTER}
            if master.startswith("local") or not (master or "MASTER" in os.environ):
                settings |= _OF_THIS_MACHINE
                _work_below(stack.enter_context(tempfile.TemporaryDirectory(prefix="cloudscan-spark-")))
        for key, value in settings.items():
            builder = builder.config(key, value)
        try:
            spark = builder.getOrCreate()
        except (PySparkException, OSError, RuntimeError) as error:
            raise ConfigurationError(_no_session(remote or master, first_line(error))) from error
        stack.callback(spark.stop)
        yield spark


def _work_below(folder: str) -> None:
    """Let Spark on this machine write below a folder of ours, and run the Python that we are.

    Otherwise it writes into the installed package, and starts whatever is called python3.
    """
    for name in ("SPARK_WORKER_DIR", "SPARK_LOCAL_DIRS"):
        os.environ.setdefault(name, folder)
    for name in ("PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON"):
        os.environ.setdefault(name, sys.executable)


def _refuse_unreachable(address: str) -> None:
    """Ask once whether anybody listens: Spark itself asks for minutes."""
    parts = urlsplit(address)
    if parts.scheme not in _PORTS:
        return
    hosts = (urlsplit(f"//{host}") for host in parts.netloc.split(","))  # a master may have stand-ins
    reasons = []
    for host in hosts:
        try:
            port = host.port or _PORTS[parts.scheme]
            socket.create_connection((host.hostname or "", port), timeout=_SECONDS).close()
        except (OSError, ValueError) as error:
            reasons.append(first_line(error))
        else:
            return
    raise ConfigurationError(_no_session(address, "; ".join(reasons)))


def _no_session(address: str, why: str) -> Sentence:
    return say(
        "There is no Spark at {address} ({why}); check the address, and that this machine may connect to it.",
        address=address or "local",
        why=why,
    )
