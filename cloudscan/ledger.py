"""The ledger: what became of the judgements, night after night.

A finding is *open* when it is first flagged, *resolved* when the thing was looked at again and passed, or is gone and
nothing unread could hide it, and *reopened* when it comes back. What could not be looked at stays open, unverified:
an outage closes nothing. Every change is an event, and events are only ever added.

What happens to a finding is decided in `cloudscan.life`; here it is written down, in one transaction a scan.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url

from cloudscan import __version__, life
from cloudscan.errors import LedgerError
from cloudscan.finding import State, Verdict
from cloudscan.judge import Verdicts
from cloudscan.life import Entry
from cloudscan.report import Coverage, Report
from cloudscan.snapshot import Snapshot

HEAD: Final = "0001"
SCHEMA = sa.MetaData()
_SCANS = sa.Table(
    "scans",
    SCHEMA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("started_on", sa.DateTime, nullable=False),
    sa.Column("finished_on", sa.DateTime, nullable=False),
    sa.Column("complete", sa.Boolean, nullable=False),
    sa.Column("snapshot", sa.Text, nullable=False),
    sa.Column("report", sa.LargeBinary),  # of the last scan only, compressed
)
_FINDINGS = sa.Table(
    "findings",
    SCHEMA,
    sa.Column("fingerprint", sa.String(64), primary_key=True),
    sa.Column("rule_id", sa.String(200), nullable=False, index=True),
    sa.Column("platform", sa.String(50), nullable=False),
    sa.Column("account", sa.String(200), nullable=False),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("verified", sa.Boolean, nullable=False),
    sa.Column("first_seen_on", sa.DateTime, nullable=False),
    sa.Column("last_seen_on", sa.DateTime, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
)
_EVENTS = sa.Table(
    "events",
    SCHEMA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("fingerprint", sa.String(64), nullable=False, index=True),
    sa.Column("scan_id", sa.String(64), nullable=False),
    sa.Column("on_time", sa.DateTime, nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.UniqueConstraint("fingerprint", "scan_id", "kind"),
)
_AT_ONCE: Final = 500  # values in one IN (…)


@dataclass(frozen=True, kw_only=True)
class Event:
    """A change in a finding's life."""

    fingerprint: str
    scan_id: str
    on: datetime
    kind: str  # opened, resolved, reopened


class Ledger:
    """The ledger behind a database URL: a SQLite file, or PostgreSQL. Its tables are made on first use."""

    def __init__(self, url: str) -> None:
        try:
            self._url = make_url(url)
            self._engine = _engine(self._url)
        except (sa.exc.ArgumentError, ImportError, OSError) as error:
            raise LedgerError(
                f"The ledger's URL cannot be used ({_first_line(error)}); write sqlite:///FILE or "
                "postgresql+psycopg://HOST/DATABASE (needs cloudscan[postgres]) under [ledger] in cloudscan.toml."
            ) from error

    def record(self, snapshot: Snapshot, verdicts: Verdicts, *, organisation: str = "") -> Report:
        """Enter what the rules said about a snapshot, and give the report. Entering it again changes nothing.

        Raises `LedgerError` where the database cannot be used or belongs to a newer cloudscan, and where a later
        scan has been entered already: history is not rewritten.
        """
        scan = snapshot.scan
        with self._transaction() as db:
            if report := self._recorded(db, scan.id, scan.started_on):
                return report
            coverage = snapshot.coverage()
            before = _entries(db, [verdict.fingerprint for verdict in verdicts.flagged])
            changes = life.after(
                before,
                verdicts.flagged,
                verdicts.judgements_of,
                applied={rule.id for rule in verdicts.rules},
                seen=life.sight(coverage, _containers(snapshot)),
                moment=scan.started_on,
            )
            _write(db, {entry.fingerprint for entry in before}, changes, scan.id, scan.started_on)
            report = Report(
                tool=f"cloudscan {__version__}",
                generated_on=datetime.now(UTC),
                organisation=organisation or _accounts(coverage),
                scan=scan,
                rules=verdicts.summaries(),
                findings=life.findings((change.entry for change in changes), verdicts, scan.started_on),
                unknowns=verdicts.unknown,
                coverage=life.condensed(coverage),
            )
            db.execute(sa.update(_SCANS).values(report=None))
            db.execute(
                sa.insert(_SCANS).values(
                    id=scan.id,
                    started_on=_naive(scan.started_on),
                    finished_on=_naive(scan.finished_on),
                    complete=scan.complete,
                    snapshot=str(snapshot.path),
                    report=zlib.compress(msgspec.json.encode(report)),
                )
            )
            return report

    def latest(self) -> Report | None:
        """The report of the last scan that was entered; None where there was none."""
        with self._transaction() as db:
            kept = db.execute(sa.select(_SCANS.c.report).order_by(_SCANS.c.started_on.desc()).limit(1)).scalar()
        return None if kept is None else _report(kept)

    def events(self, fingerprint: str | None = None) -> list[Event]:
        """What happened, in order: to one finding, or to all."""
        query = sa.select(_EVENTS).order_by(_EVENTS.c.id)
        if fingerprint is not None:
            query = query.where(_EVENTS.c.fingerprint == fingerprint)
        with self._transaction() as db:
            return [
                Event(fingerprint=row.fingerprint, scan_id=row.scan_id, on=_aware(row.on_time), kind=row.kind)
                for row in db.execute(query)
            ]

    def _recorded(self, db: Connection, scan_id: str, started_on: datetime) -> Report | None:
        last = db.execute(sa.select(_SCANS).order_by(_SCANS.c.started_on.desc()).limit(1)).first()
        if last is None:
            return None
        if last.id == scan_id:
            return _report(last.report)
        if _aware(last.started_on) >= started_on:
            raise LedgerError(
                f"The ledger has a later scan already (of {_aware(last.started_on):%Y-%m-%d %H:%M} UTC), and "
                "history is not rewritten. To look at an older snapshot, use `cloudscan judge` without --record."
            )
        return None

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as db:
                _migrate(db)
                yield db
        except sa.exc.SQLAlchemyError as error:
            shown = self._url.render_as_string(hide_password=True)
            raise LedgerError(
                f"The ledger {shown} cannot be used: {_first_line(getattr(error, 'orig', None) or error)}. "
                "Check the URL, the server and the rights."
            ) from error


def _engine(url: sa.URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url)
    if url.database:
        file = Path(url.database)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
    engine = sa.create_engine(url)

    # Python's driver begins a transaction only before the first write, which would let two writers read the same state.
    @sa.event.listens_for(engine, "connect")
    def _by_hand(connection: Any, _record: object) -> None:
        connection.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def _at_once(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _accounts(coverage: Iterable[Coverage]) -> str:
    """What an estate is called that nobody named: its accounts."""
    accounts = sorted({row.account for row in coverage if row.account})
    return ", ".join(accounts[:3]) + (" …" if len(accounts) > 3 else "")


def _entries(db: Connection, fingerprints: Sequence[str]) -> list[Entry]:
    """All entries that stand, and those with one of the fingerprints."""
    rows = {
        row.fingerprint: row for row in db.execute(sa.select(_FINDINGS).where(_FINDINGS.c.state.in_(life.STANDING)))
    }
    unknown = [each for each in fingerprints if each not in rows]
    for start in range(0, len(unknown), _AT_ONCE):
        some = unknown[start : start + _AT_ONCE]
        found = db.execute(sa.select(_FINDINGS).where(_FINDINGS.c.fingerprint.in_(some)))
        rows |= {row.fingerprint: row for row in found}
    return [
        Entry(
            fingerprint=row.fingerprint,
            state=State(row.state),
            verified=row.verified,
            first_seen_on=_aware(row.first_seen_on),
            last_seen_on=_aware(row.last_seen_on),
            verdict=msgspec.json.decode(row.verdict, type=Verdict),
        )
        for row in rows.values()
    ]


def _write(db: Connection, known: set[str], changes: Iterable[life.Change], scan_id: str, moment: datetime) -> None:
    changes = list(changes)
    fresh = [_values(change.entry) for change in changes if change.entry.fingerprint not in known]
    changed = [
        _values(change.entry) | {"key": change.entry.fingerprint}
        for change in changes
        if change.entry.fingerprint in known
    ]
    events = [
        {
            "fingerprint": change.entry.fingerprint,
            "scan_id": scan_id,
            "on_time": _naive(moment),
            "kind": change.event,
        }
        for change in changes
        if change.event
    ]
    if fresh:
        db.execute(sa.insert(_FINDINGS), fresh)
    if changed:
        db.execute(sa.update(_FINDINGS).where(_FINDINGS.c.fingerprint == sa.bindparam("key")), changed)
    if events:
        db.execute(sa.insert(_EVENTS), events)


def _containers(snapshot: Snapshot) -> set[str]:
    """Resources that hold others, among those about which an answer is missing."""
    rows = snapshot.query("""
        SELECT DISTINCT c.resource_uid FROM coverage AS c
        JOIN resources AS r ON c.resource_uid = r.parent_uid OR c.resource_uid = r.container_uid
        WHERE c.outcome <> 'complete'
    """).rows
    return {str(row[0]) for row in rows}


def _values(entry: Entry) -> dict[str, object]:
    return {
        "fingerprint": entry.fingerprint,
        "rule_id": entry.verdict.rule_id,
        "platform": entry.verdict.subject.platform,
        "account": entry.verdict.subject.account,
        "state": entry.state.value,
        "verified": entry.verified,
        "first_seen_on": _naive(entry.first_seen_on),
        "last_seen_on": _naive(entry.last_seen_on),
        "verdict": msgspec.json.encode(entry.verdict).decode(),
    }


def _migrate(db: Connection) -> None:
    """Bring the schema up to date. Alembic takes half a second to import: only where there is something to do."""
    if sa.inspect(db).has_table("alembic_version"):
        at = db.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        if at == HEAD:
            return
        if at is not None and at > HEAD:
            raise LedgerError(f"The ledger was written by a newer cloudscan (schema {at}); update this one.")
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = db
    command.upgrade(config, "head")


def _report(kept: bytes) -> Report:
    try:
        return msgspec.json.decode(zlib.decompress(kept), type=Report)
    except (zlib.error, msgspec.MsgspecError) as error:
        raise LedgerError(
            "The last report in the ledger was written by another cloudscan version; scan again."
        ) from error


def _first_line(error: object) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
