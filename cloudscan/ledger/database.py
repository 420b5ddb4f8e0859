"""The ledger's database: a SQLite file or PostgreSQL, in transactions, with its schema up to date."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url

from cloudscan.errors import LedgerError, LedgerUnreachable
from cloudscan.ledger.schema import HEAD
from cloudscan.sentence import say
from cloudscan.text import first_line

Result = TypeVar("Result")
_PAUSE: Final = 2.0  # seconds between two attempts to reach the database
_LONGEST_LOCK: Final = 60  # seconds to wait for another writer
_ONE_WRITER: Final = 0x636C6F7564  # number of PostgreSQL's advisory lock
_KEEPALIVE: Final[Mapping[str, int]] = {
    # libpq would wait for hours for a server that the network has swallowed.
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}


class Database:
    """The database behind a URL. Its tables are created on first use."""

    def __init__(self, url: str) -> None:
        """Raises `LedgerError` for a URL that cannot be used."""
        try:
            self._url = make_url(url)
            self._engine = _engine(self._url)
        except (sa.exc.ArgumentError, ImportError, OSError) as error:
            raise LedgerError(
                say(
                    "The ledger's URL cannot be used ({error}); write sqlite:///FILE or "
                    "postgresql+psycopg://HOST/DATABASE (needs cloudscan[postgres]) under [ledger] in "
                    "cloudscan.toml.",
                    error=first_line(error),
                )
            ) from error

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction, in which no other process writes. Raises `LedgerError`, `LedgerUnreachable`."""
        try:
            with self._engine.begin() as db:
                if db.dialect.name == "postgresql":
                    db.execute(sa.text(f"SET LOCAL lock_timeout = '{_LONGEST_LOCK}s'"))
                    db.execute(sa.select(sa.func.pg_advisory_xact_lock(_ONE_WRITER)))
                _migrate(db)
                yield db
        except sa.exc.SQLAlchemyError as error:
            shown = self._url.render_as_string(hide_password=True)
            kind = LedgerUnreachable if _is_transient(error) else LedgerError
            raise kind(
                say(
                    "The ledger {ledger} cannot be used: {error}. Check the URL, the server and the permissions.",
                    ledger=shown,
                    error=first_line(getattr(error, "orig", None) or error),
                )
            ) from error


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


def _engine(url: sa.URL) -> Engine:
    """An engine that connects for each transaction: a command has few, and leaves no open connection behind."""
    if url.get_backend_name() == "postgresql":
        keepalive = {name: value for name, value in _KEEPALIVE.items() if name not in url.query}
        return sa.create_engine(url, connect_args=keepalive, poolclass=sa.NullPool)
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, poolclass=sa.NullPool)
    if url.database:
        file = Path(url.database)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
    engine = sa.create_engine(url, poolclass=sa.NullPool)

    # Python's driver begins a transaction only before the first write, which would let two writers read the same state.
    @sa.event.listens_for(engine, "connect")
    def _no_implicit_begin(connection: Any, _record: object) -> None:
        connection.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def _begin_immediate(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


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


def _migrate(db: Connection) -> None:
    """Bring the schema up to date. Alembic takes half a second to import: only where there is something to do."""
    if sa.inspect(db).has_table("alembic_version"):
        at = db.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        if at == HEAD:
            return
        if at is not None and at > HEAD:
            raise LedgerError(say("The ledger was written by a newer cloudscan (schema {at}); update this one.", at=at))
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = db
    command.upgrade(config, "head")
