"""The options of commands that can work on Spark, and the session that they ask for."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Final

import click

from cloudscan.cli.options import Selection
from cloudscan.config import Config
from cloudscan.errors import ConfigurationError
from cloudscan.sentence import say

if TYPE_CHECKING:
    from cloudscan.engine.folding import Folding
    from cloudscan.nightly.selection import ScopeSelection
    from cloudscan.snapshot.collect import Reader
    from cloudscan.snapshot.snapshot import Snapshot

_ENGINES: Final = click.Choice(["here", "spark"])


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Where to work."""

    name: str  # here, spark
    master: str  # of Spark; empty: as Spark is set up on this machine
    remote: str  # a Spark Connect server; empty: none
    store: str  # the address of the shared store; empty: a folder of this machine

    @property
    def is_spark(self) -> bool:
        """Whether it is Spark."""
        return self.name == "spark"


def engine_options(command: Callable[..., int]) -> Callable[..., int]:
    """``--engine`` and what belongs to it, handed to the command as one `Engine`."""

    @wraps(command)
    def with_engine(*arguments: object, engine_name: str, master: str, remote: str, store: str, **others: Any) -> int:
        engine = Engine(name=engine_name, master=master, remote=remote, store=store)
        if not engine.is_spark and (master or remote or store):
            raise ConfigurationError(say("--master, --remote and --store belong to --engine spark; add it."))
        if master and remote:
            raise ConfigurationError(say("--master and --remote are two ways to one Spark; leave one of them out."))
        return command(*arguments, engine=engine, **others)

    for option in (
        click.option("--store", default="", help="Where the machines of a Spark put what they read: a folder that all "
                     "of them mount, or s3://bucket/prefix.  [default: a folder here]"),
        click.option("--remote", default="", help="A Spark Connect server (sc://host:port), for --engine spark."),
        click.option("--master", default="", help="Spark's master, for --engine spark.  [default: as Spark is set up]"),
        click.option("--engine", "engine_name", type=_ENGINES, default="here", show_default=True,
                     help="Where to read: in this process, or on the machines of a Spark cluster."),
    ):  # fmt: skip
        with_engine = option(with_engine)
    return with_engine


def judging_options(command: Callable[..., int]) -> Callable[..., int]:
    """``--engine`` for a command that judges a snapshot, handed to it as one `Engine`."""

    @wraps(command)
    def with_engine(*arguments: object, engine_name: str, master: str, remote: str, **others: Any) -> int:
        engine = Engine(name=engine_name, master=master, remote=remote, store="")
        if not engine.is_spark and (master or remote):
            raise ConfigurationError(say("--master and --remote belong to --engine spark; add it."))
        if master and remote:
            raise ConfigurationError(say("--master and --remote are two ways to one Spark; leave one of them out."))
        return command(*arguments, engine=engine, **others)

    for option in (
        click.option("--remote", default="", help="A Spark Connect server (sc://host:port), for --engine spark."),
        click.option("--master", default="", help="Spark's master, for --engine spark.  [default: as Spark is set up]"),
        click.option("--engine", "engine_name", type=_ENGINES, default="here", show_default=True,
                     help="Where rules run: in this process, or on a Spark cluster whose machines reach the snapshot's "
                     "folder by the same path."),
    ):  # fmt: skip
        with_engine = option(with_engine)
    return with_engine


@contextmanager
def folding(engine: Engine, snapshot: "Snapshot") -> "Iterator[Folding]":
    """What runs rules over a snapshot, for the block. Raises `ConfigurationError` where there is no Spark."""
    from cloudscan.engine.local_folding import LocalFolding

    if not engine.is_spark:
        yield LocalFolding(snapshot.db)
        return
    from cloudscan import plugins

    plugins.check_packages("--engine spark", "spark", ("pyspark", "pyarrow"))
    from cloudscan.spark.judging import SparkFolding
    from cloudscan.spark.session import Cluster, session
    from cloudscan.spark.tables import files_of

    with (
        session(Cluster(master=engine.master, remote=engine.remote)) as spark,
        closing(SparkFolding(spark, files_of(snapshot.path))) as folded,
    ):
        yield folded


@contextmanager
def reader(
    engine: Engine,
    config: Config,
    config_path: str | None,
    selection: Selection,
    chosen: "ScopeSelection",
    *,
    full: bool = False,
) -> "Iterator[Reader]":
    """What reads the scopes, for the block. Raises `ConfigurationError` where there is no Spark."""
    from cloudscan import plugins
    from cloudscan.cli.opening import open_on_any_machine, open_store
    from cloudscan.snapshot.collect import read_here

    if not engine.is_spark:
        yield read_here
        return
    plugins.check_packages("--engine spark", "spark", ("pyspark", "pyarrow"))
    from cloudscan.spark import source
    from cloudscan.spark.collecting import ReadOnMachines
    from cloudscan.spark.session import Cluster, session

    cluster = Cluster(master=engine.master, remote=engine.remote)
    if not engine.store and not cluster.is_here:
        raise ConfigurationError(
            say("--store is missing: name a folder that all machines of the cluster mount, or s3://bucket/prefix.")
        )
    store = engine.store or str((config.folder / "store").absolute())
    open_store(store)
    with session(cluster) as spark:
        yield ReadOnMachines(
            carry_out=partial(source.carry_out, spark),
            open_store=partial(open_store, store),
            open_connector=partial(open_on_any_machine, config, config_path, chosen, selection.only_shared),
            full=full,
        )
