"""The ledger: what became of the judgements, night after night.

A finding is *open* when it is first flagged, *resolved* when the thing was looked at again and passed, or is gone from
an account that was read completely, and *reopened* when it comes back. What could not be looked at stays open,
unverified: an outage closes nothing. Every change is an event, and events are only ever added.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url

from cloudscan.errors import LedgerError
from cloudscan.facts import Outcome
from cloudscan.finding import Finding, Judgement, State, Verdict
from cloudscan.judge import Verdicts, message
from cloudscan.report import Coverage, Report, RuleSummary
from cloudscan.score import impact, score
from cloudscan.snapshot import Snapshot

HEAD = "0001"
_META = sa.MetaData()
_SCANS = sa.Table(
    "scans",
    _META,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("started_on", sa.DateTime),
    sa.Column("finished_on", sa.DateTime),
    sa.Column("complete", sa.Boolean),
    sa.Column("snapshot", sa.Text),
    sa.Column("report", sa.Text),
)
_FINDINGS = sa.Table(
    "findings",
    _META,
    sa.Column("fingerprint", sa.String(64), primary_key=True),
    sa.Column("rule_id", sa.String(200)),
    sa.Column("platform", sa.String(50)),
    sa.Column("account", sa.String(200)),
    sa.Column("state", sa.String(20)),
    sa.Column("verified", sa.Boolean),
    sa.Column("first_seen_on", sa.DateTime),
    sa.Column("last_seen_on", sa.DateTime),
    sa.Column("verdict", sa.Text),
)
_EVENTS = sa.Table(
    "events",
    _META,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("fingerprint", sa.String(64)),
    sa.Column("scan_id", sa.String(64)),
    sa.Column("on_time", sa.DateTime),
    sa.Column("kind", sa.String(20)),
)
_STANDING = (State.OPEN, State.REOPENED)


@dataclass(frozen=True, kw_only=True)
class Event:
    """A change in a finding's life."""

    fingerprint: str
    scan_id: str
    on: datetime
    kind: str  # opened, resolved, reopened


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A finding as the ledger keeps it."""

    fingerprint: str
    state: State
    verified: bool
    first_seen_on: datetime
    last_seen_on: datetime
    verdict: Verdict


class Ledger:
    """The ledger behind a database URL: a SQLite file, or PostgreSQL."""

    def __init__(self, url: str) -> None:
        try:
            self._url = make_url(url)
            if self._url.get_backend_name() == "sqlite" and self._url.database:
                file = Path(self._url.database)
                file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                file.touch(mode=0o600)
            self._engine: Engine = sa.create_engine(self._url)
        except (sa.exc.ArgumentError, ImportError, OSError) as error:
            raise LedgerError(
                f"The ledger's URL cannot be used ({error}); write sqlite:///FILE or "
                "postgresql+psycopg://HOST/DATABASE under [ledger] in cloudscan.toml."
            ) from error

    def record(self, snapshot: Snapshot, verdicts: Verdicts, *, organisation: str = "", tool: str = "") -> Report:
        """Enter what the rules said about a snapshot, and give the report. Entering it again changes nothing.

        Raises `LedgerError` where the database cannot be reached or belongs to a newer cloudscan.
        """
        scan = snapshot.scan
        with self._transaction() as db:
            kept = db.execute(sa.select(_SCANS.c.report).where(_SCANS.c.id == scan.id)).scalar()
            if kept is not None:
                return msgspec.json.decode(kept, type=Report)
            coverage = snapshot.coverage()
            rows = _aged(self._rows(db), verdicts, coverage, scan.started_on)
            self._write(db, rows, scan.id, scan.started_on)
            report = Report(
                tool=tool,
                generated_on=datetime.now(UTC),
                organisation=organisation,
                scan=scan,
                rules=verdicts.summaries(),
                findings=_findings([row for row, _ in rows], verdicts, scan.started_on),
                unknowns=verdicts.unknown,
                coverage=condensed(coverage),
            )
            db.execute(
                sa.insert(_SCANS).values(
                    id=scan.id,
                    started_on=_naive(scan.started_on),
                    finished_on=_naive(scan.finished_on),
                    complete=scan.complete,
                    snapshot=str(snapshot.path),
                    report=msgspec.json.encode(report).decode(),
                )
            )
            return report

    def latest(self) -> Report | None:
        """The report of the last scan that was entered; None where there was none."""
        with self._transaction() as db:
            query = sa.select(_SCANS.c.report).order_by(_SCANS.c.started_on.desc()).limit(1)
            kept = db.execute(query).scalar()
        return None if kept is None else msgspec.json.decode(kept, type=Report)

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

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as db:
                _migrate(db)
                yield db
        except sa.exc.SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            shown = self._url.render_as_string(hide_password=True)
            raise LedgerError(
                f"The ledger {shown} cannot be used: {reason}. Check the URL, the server, the rights."
            ) from error

    def _rows(self, db: Connection) -> list[_Row]:
        return [
            _Row(
                fingerprint=row.fingerprint,
                state=State(row.state),
                verified=row.verified,
                first_seen_on=_aware(row.first_seen_on),
                last_seen_on=_aware(row.last_seen_on),
                verdict=msgspec.json.decode(row.verdict, type=Verdict),
            )
            for row in db.execute(sa.select(_FINDINGS))
        ]

    def _write(self, db: Connection, rows: Sequence[tuple[_Row, str]], scan_id: str, moment: datetime) -> None:
        known = set(db.execute(sa.select(_FINDINGS.c.fingerprint)).scalars())
        fresh = [_values(row) for row, _ in rows if row.fingerprint not in known]
        changed = [_values(row) | {"key": row.fingerprint} for row, _ in rows if row.fingerprint in known]
        if fresh:
            db.execute(sa.insert(_FINDINGS), fresh)
        if changed:
            db.execute(sa.update(_FINDINGS).where(_FINDINGS.c.fingerprint == sa.bindparam("key")), changed)
        events = [
            {"fingerprint": row.fingerprint, "scan_id": scan_id, "on_time": _naive(moment), "kind": event}
            for row, event in rows
            if event
        ]
        if events:
            db.execute(sa.insert(_EVENTS), events)


def condensed(coverage: Sequence[Coverage]) -> list[Coverage]:
    """One row for each thing that is not complete; what is complete is summed by account and table."""
    gaps = [row for row in coverage if row.outcome is not Outcome.COMPLETE]
    sums: dict[tuple[str, str, str], Coverage] = {}
    for row in coverage:
        if row.outcome is Outcome.COMPLETE:
            key = (row.platform, row.account, row.table)
            before = sums.get(key)
            sums[key] = Coverage(
                scope_uid=f"{row.platform}:account/{row.account}",
                scope_name=row.account or row.platform,
                platform=row.platform,
                account=row.account,
                table=row.table,
                outcome=Outcome.COMPLETE,
                facts=row.facts + (before.facts if before else 0),
                requests=row.requests + (before.requests if before else 0),
            )
    return [*gaps, *sums.values()]


def _aged(
    before: Sequence[_Row], verdicts: Verdicts, coverage: Sequence[Coverage], moment: datetime
) -> list[tuple[_Row, str]]:
    """Every finding after this scan, with the event that befell it (empty: none)."""
    old = {row.fingerprint: row for row in before}
    rows: list[tuple[_Row, str]] = []
    for verdict in verdicts.flagged:
        was = old.pop(verdict.fingerprint, None)
        state, event = State.OPEN, "opened"
        if was is not None:
            back = was.state is State.RESOLVED
            state, event = (State.REOPENED, "reopened") if back else (was.state, "")
        row = _Row(
            fingerprint=verdict.fingerprint,
            state=state,
            verified=True,
            first_seen_on=was.first_seen_on if was else moment,
            last_seen_on=moment,
            verdict=verdict,
        )
        rows.append((row, event))
    covered = _covered(coverage)
    said = _judgements(verdicts, (row for row in old.values() if row.state in _STANDING))
    for row in old.values():
        if row.state not in _STANDING:
            rows.append((row, ""))
            continue
        judgement = said.get(row.fingerprint)
        applied = any(rule.id == row.verdict.rule_id for rule in verdicts.rules)
        gone = judgement is None and applied and (row.verdict.subject.platform, row.verdict.subject.account) in covered
        if judgement is Judgement.PASSED or gone:
            rows.append((replace(row, state=State.RESOLVED, verified=True), "resolved"))
        else:
            rows.append((replace(row, verified=False), ""))
    return rows


def _covered(coverage: Sequence[Coverage]) -> set[tuple[str, str]]:
    """The accounts of which every scope was read: what is not there any more is really gone.

    A single answer that is missing inside a scope (`resource_uid`) hides no resource.
    """
    seen = {(row.platform, row.account) for row in coverage}
    short = {
        (row.platform, row.account)
        for row in coverage
        if row.outcome is not Outcome.COMPLETE and row.resource_uid is None
    }
    return seen - short


def _judgements(verdicts: Verdicts, rows: Iterable[_Row]) -> dict[str, Judgement]:
    by_rule: dict[str, list[_Row]] = {}
    for row in rows:
        by_rule.setdefault(row.verdict.rule_id, []).append(row)
    return {
        row.fingerprint: judgements[tuple(row.verdict.identity)]
        for rule_id, group in by_rule.items()
        for judgements in [verdicts.judgements_of(rule_id, [row.verdict.identity for row in group])]
        for row in group
        if tuple(row.verdict.identity) in judgements
    }


def _findings(rows: Sequence[_Row], verdicts: Verdicts, moment: datetime) -> list[Finding]:
    """What stands open, highest score first."""
    rules = {rule.id: rule for rule in verdicts.rules}
    summaries: Mapping[str, RuleSummary] = {summary.id: summary for summary in verdicts.summaries()}
    found = []
    for row in rows:
        rule = rules.get(row.verdict.rule_id)
        if row.state not in _STANDING or rule is None:
            continue
        verdict, summary = row.verdict, summaries[rule.id]
        opened = min(each for each in (row.first_seen_on, verdict.since) if each is not None)
        weight = impact(
            summary.severity,
            audience=verdict.audience,
            access=verdict.access,
            resources=verdict.resources,
            size_bytes=verdict.bytes,
            people=verdict.people,
            rank=verdict.rank,
            days_open=max(0.0, (moment - opened).total_seconds() / 86400),
        )
        found.append(
            Finding(
                fingerprint=row.fingerprint,
                verdict=verdict,
                severity=summary.severity,
                score=score(summary.likelihood, weight),
                likelihood=summary.likelihood,
                impact=weight,
                state=row.state,
                verified=row.verified,
                first_seen_on=row.first_seen_on,
                last_seen_on=row.last_seen_on,
                message={language: message(rule, verdict, language) for language in rule.text},
            )
        )
    return sorted(found, key=lambda each: (-each.score, each.verdict.rule_id, each.fingerprint))


def _values(row: _Row) -> dict[str, object]:
    return {
        "fingerprint": row.fingerprint,
        "rule_id": row.verdict.rule_id,
        "platform": row.verdict.subject.platform,
        "account": row.verdict.subject.account,
        "state": row.state.value,
        "verified": row.verified,
        "first_seen_on": _naive(row.first_seen_on),
        "last_seen_on": _naive(row.last_seen_on),
        "verdict": msgspec.json.encode(row.verdict).decode(),
    }


def _migrate(db: Connection) -> None:
    """Bring the schema up to date. Alembic is imported only where there is something to do."""
    inspector = sa.inspect(db)
    if inspector.has_table("alembic_version"):
        at = db.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        if at == HEAD:
            return
        if at is not None and at > HEAD:
            raise LedgerError(f"The ledger was written by a newer cloudscan (schema {at}); update this one.")
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = db
    command.upgrade(config, "head")


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
