"""The ledger's database: a SQLite file or PostgreSQL, in transactions, with its schema up to date.

Who reads takes no lock that a writer or another reader has to wait for, and needs no permission to write: neither to
the ledger's file nor to its folder.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url

from cloudscan.errors import LedgerError, LedgerUnreachable
from cloudscan.ledger.schema import HEAD, SCHEMA
from cloudscan.sentence import Sentence, say
from cloudscan.text import first_line

Result = TypeVar("Result")
_PAUSE: Final = 2.0  # seconds between two attempts to reach the database
_LONGEST_LOCK: Final = 60  # seconds to wait for another writer
_ONE_WRITER: Final = 0x636C6F7564  # number of PostgreSQL's advisory lock
_VERSIONS: Final = "alembic_version"  # the table in which Alembic keeps the schema's version
_ADVICE: Final[Mapping[str, Sentence]] = {
    "SQLITE_READONLY_ROLLBACK": say(
        "a command was killed while it wrote. Run `cloudscan findings` once as a user who may write to the ledger."
    ),
    "SQLITE_READONLY": say("it may only be read. Check who may write to it and to its folder."),
    "SQLITE_BUSY": say("another command is writing to it for more than a minute. Try again when it has ended."),
    "SQLITE_NOTADB": say("it is not a ledger, or damaged. Put back its last backup."),
    "SQLITE_CORRUPT": say("it is damaged. Put back its last backup."),
    "SQLITE_FULL": say("the disk is full. Free some space and run the command again."),
}  # by the beginning of the name of SQLite's error
_KEEPALIVE: Final[Mapping[str, int]] = {
    # libpq would wait for hours for a server that the network has swallowed.
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}


class Database:
    """The database behind a URL. Its tables are created when something is written for the first time."""

    def __init__(self, url: str) -> None:
        """Raises `LedgerError` for a URL that cannot be used. Nothing is opened yet."""
        try:
            self._url = make_url(url)
            self._writer = _engine(self._url)
        except (sa.exc.ArgumentError, ImportError) as error:
            raise LedgerError(
                say(
                    "The ledger's URL cannot be used ({error}); write sqlite:///FILE or "
                    "postgresql+psycopg://HOST/DATABASE (needs cloudscan[postgres]) under [ledger] in cloudscan.toml.",
                    error=first_line(error),
                )
            ) from error

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction, in which no other process writes. Raises `LedgerError`, `LedgerUnreachable`."""
        if self.file is not None:
            _make_file(self.file)
        with self._errors_in_words(), self._writer.begin() as db:
            if db.dialect.name == "postgresql":
                db.execute(sa.text(f"SET LOCAL lock_timeout = '{_LONGEST_LOCK}s'"))
                db.execute(sa.select(sa.func.pg_advisory_xact_lock(_ONE_WRITER)))
            if _is_behind(db):
                _migrate(db)
            yield db

    def upgrade(self) -> None:
        """Make the tables, or bring them up to date, where that is to be done. Raises as `transaction` does."""
        if self._is_behind():
            with self.transaction():
                pass

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One transaction that only reads: all its answers are of one moment, and nothing is created or migrated.

        A database without a ledger reads as an empty one. Raises `LedgerError`, `LedgerUnreachable`.
        """
        with self._errors_in_words(), ExitStack() as stack:
            db = stack.enter_context(self._reader().begin()) if self._exists() else None
            if db is None or not sa.inspect(db).has_table(_VERSIONS):
                db = stack.enter_context(_empty().begin())
            elif _is_behind(db):
                raise LedgerError(
                    say(
                        "The ledger was written by an older cloudscan; run `cloudscan ledger upgrade` once, as a user "
                        "who may write to it. The next scan does the same."
                    )
                )
            yield db

    @property
    def file(self) -> Path | None:
        """The file behind a SQLite URL; None for a server's database, or one in memory."""
        return Path(self._url.database) if self._url.get_backend_name() == "sqlite" and self._url.database else None

    def _exists(self) -> bool:
        """Whether there may be something to read. Raises `LedgerError` for a file that this user cannot open."""
        if self.file is None:
            return True
        try:
            with self.file.open("rb"):
                return True
        except FileNotFoundError:
            return False
        except OSError as error:
            raise LedgerError(
                say(
                    "The ledger {file} cannot be read ({error}); check the path and the permissions.",
                    file=self.file,
                    error=error.strerror,
                )
            ) from error

    def _is_behind(self) -> bool:
        if not self._exists():
            return True
        with self._errors_in_words(), self._reader().begin() as db:
            return _is_behind(db)

    def _reader(self) -> Engine:
        if self.file is not None:
            return _reading_engine(self.file)
        if self._url.get_backend_name() == "postgresql":
            return self._writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        return self._writer

    @contextmanager
    def _errors_in_words(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.SQLAlchemyError as error:
            kind = LedgerUnreachable if _is_transient(error) else LedgerError
            raise kind(self._what_is_wrong(error)) from error

    def _what_is_wrong(self, error: sa.exc.SQLAlchemyError) -> Sentence:
        cause = getattr(error, "orig", None) or error
        name = getattr(cause, "sqlite_errorname", "")
        if self.file is None:
            return say(
                "The ledger {url} cannot be used: {error}. Check the URL, the server and the permissions.",
                url=self._url.render_as_string(hide_password=True),
                error=first_line(cause),
            )
        for beginning, advice in _ADVICE.items():
            if name.startswith(beginning):
                return say("The ledger {file} cannot be used: {advice}", file=self.file, advice=advice)
        return say(
            "The ledger {file} cannot be used: {error}. Check the file, its folder and the permissions.",
            file=self.file,
            error=first_line(cause),
        )


def persistently(attempt: Callable[[], Result], wait_seconds: float) -> Result:
    """The result of `attempt`, repeated for up to `wait_seconds` while the database cannot be reached."""
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            return attempt()
        except LedgerUnreachable:
            if time.monotonic() + _PAUSE > deadline:
                raise
            time.sleep(_PAUSE)


def naive(moment: datetime) -> datetime:
    """As the tables store it: UTC without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def aware(moment: datetime) -> datetime:
    """A stored time as UTC."""
    return moment.replace(tzinfo=UTC)


MANY: Final[Mapping[str, int]] = {"yield_per": 1_000}
"""Options of a query whose rows may be many: they are fetched a thousand at a time, and never held all at once."""


class Moments(dict[datetime, datetime]):
    """Stored times as UTC, each made once: the rows of one night have the same."""

    def __missing__(self, moment: datetime) -> datetime:
        self[moment] = moment.replace(tzinfo=UTC)
        return self[moment]


def _engine(url: sa.URL) -> Engine:
    """An engine that connects for each transaction: a command has few, and leaves no open connection behind."""
    if url.get_backend_name() == "postgresql":
        keepalive = {name: value for name, value in _KEEPALIVE.items() if name not in url.query}
        return sa.create_engine(url, connect_args=keepalive, poolclass=sa.NullPool)
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, poolclass=sa.NullPool)
    return _sqlite_engine(
        sa.create_engine(url, connect_args={"timeout": _LONGEST_LOCK}, poolclass=sa.NullPool), "BEGIN IMMEDIATE"
    )


def _reading_engine(file: Path) -> Engine:
    """An engine that only reads, unless a writer died: then a user who may write has to undo what was begun."""
    left = file.with_name(f"{file.name}-journal").exists() and os.access(file, os.W_OK)
    uri = f"{file.absolute().as_uri()}?mode={'rw' if left else 'ro'}"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, timeout=_LONGEST_LOCK)

    return _sqlite_engine(sa.create_engine("sqlite://", creator=connect, poolclass=sa.NullPool), "BEGIN")


def _sqlite_engine(engine: Engine, begin: str) -> Engine:
    """The engine, whose transactions begin when we say so.

    Python's driver begins one only before the first write, which would let two writers read the same state, and let two
    answers to a reader be of different moments.
    """

    @sa.event.listens_for(engine, "connect")
    def _no_implicit_begin(connection: Any, _record: object) -> None:
        connection.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _empty() -> Engine:
    """A ledger in which there is nothing, in memory."""
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    SCHEMA.create_all(engine)
    return engine


def _make_file(file: Path) -> None:
    """Make a file that only its owner can read, where there is none. Raises `LedgerError`."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
    except OSError as error:
        raise LedgerError(
            say(
                "The ledger {file} cannot be written ({error}); check who may write to it and to its folder.",
                file=file,
                error=error.strerror,
            )
        ) from error


def _is_transient(error: sa.exc.SQLAlchemyError) -> bool:
    """Whether another attempt may succeed: no connection, a server that stops or starts, a lock held by another."""
    if not isinstance(error, sa.exc.DBAPIError):
        return False
    cause = error.orig
    if error.connection_invalidated or getattr(cause, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
        return True
    if not isinstance(error, sa.exc.OperationalError) or not hasattr(cause, "sqlstate"):
        return False
    # psycopg gives no state where no connection was made. 08: connection, 53: resources, 57: operator, 55P03: lock
    # (PostgreSQL documentation, appendix "PostgreSQL Error Codes").
    state = getattr(cause, "sqlstate", None)
    return state is None or state[:2] in ("08", "53", "57") or state == "55P03"


def _is_behind(db: Connection) -> bool:
    """Whether the tables have to be made or migrated. Raises `LedgerError` for those of a newer cloudscan."""
    if not sa.inspect(db).has_table(_VERSIONS):
        return True
    at = db.execute(sa.text(f"SELECT version_num FROM {_VERSIONS}")).scalar()
    if at is not None and at > HEAD:
        raise LedgerError(say("The ledger was written by a newer cloudscan (schema {at}); update this one.", at=at))
    return at != HEAD


def _migrate(db: Connection) -> None:
    """Bring the schema up to date. Alembic takes half a second to import: only where there is something to do."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = db
    command.upgrade(config, "head")
