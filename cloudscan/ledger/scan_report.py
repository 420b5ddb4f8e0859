"""The report of one scan by itself: what was judged, as findings that the ledger knows."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from cloudscan import __version__
from cloudscan.coverage import Coverage
from cloudscan.days import Calendar, day_of
from cloudscan.engine import framework_coverage
from cloudscan.engine.framework_file import Framework
from cloudscan.engine.judge import Verdicts
from cloudscan.engine.opinion_summary import second_opinions
from cloudscan.engine.partner_summary import partner_summaries
from cloudscan.finding import Waiver
from cloudscan.ledger import lifecycle
from cloudscan.ledger.lifecycle import Entry
from cloudscan.report import Report
from cloudscan.snapshot.snapshot import Snapshot


def report_of(
    snapshot: Snapshot,
    verdicts: Verdicts,
    entries: Iterable[Entry],
    waivers: Mapping[int, Waiver],
    *,
    coverage: list[Coverage],
    organisation: str,
    frameworks: Iterable[Framework],
    calendar: Calendar,
) -> Report:
    """The report of one scan by itself; `entries` are the ledger's after it."""
    summaries = verdicts.summaries()
    findings = lifecycle.findings(entries, verdicts, snapshot.scan.started_on, waivers)
    return Report(
        tool=f"cloudscan {__version__}",
        generated_on=datetime.now(UTC),
        organisation=organisation or _name_of_accounts(coverage),
        scan=snapshot.scan,
        rules=summaries,
        findings=findings,
        unknowns=verdicts.unknown,
        coverage=lifecycle.condensed(coverage),
        frameworks=framework_coverage.results(frameworks, summaries, findings, verdicts.unknown),
        partners=partner_summaries(snapshot, findings, day_of(snapshot.scan.started_on, calendar.timezone)),
        opinions=second_opinions(snapshot),
        timezone=calendar.timezone,
        deadlines=calendar.deadlines,
        rank_deadlines=calendar.rank_deadlines,
    )


def _name_of_accounts(coverage: Iterable[Coverage]) -> str:
    """A name for an organisation that has none in the configuration: its first accounts."""
    accounts = sorted({row.account for row in coverage if row.account})
    return ", ".join(accounts[:3]) + (" …" if len(accounts) > 3 else "")
