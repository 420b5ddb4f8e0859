"""What there is to fix, one entry a change: how bad, since when, due when, and whose. Pure functions of a report."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import mean, median
from typing import Final

from cloudscan.days import Calendar, due_day, is_overdue
from cloudscan.finding import Finding, Severity, Verdict
from cloudscan.fix import Fix, fixes
from cloudscan.report import Report
from cloudscan_reports.summary.counts import needing_work
from cloudscan_wording.phrases import plain

_CONTAINERS: Final = ("bucket", "directory_bucket", "access_point", "multi_region_access_point")


@dataclass(frozen=True, kw_only=True)
class OpenFix:
    """One change that is still to be made."""

    fix: Fix
    worst: Finding  # the one that would hurt most
    opened_on: datetime  # when it was opened according to the platform, or else when a scan first found it
    due: date | None  # the first deadline of its findings
    overdue: bool
    age: float  # days
    severity: Severity  # that of its worst finding
    our_domains: Collection[str]  # of the whole report

    @property
    def team(self) -> "Team":
        """Who has to make the change."""
        return team_of(self.worst.verdict)


@dataclass(frozen=True, order=True)
class Team:
    """Who does the work: a department if one is known, else the people behind an account of a platform."""

    department: str = ""
    platform: str = ""  # both empty if there is a department
    account: str = ""


@dataclass(frozen=True, kw_only=True)
class Ages:
    """For how many days fixes have been waiting."""

    mean: float
    median: float
    longest: float
    overdue: int
    count: int
    has_deadlines: bool

    @property
    def share_overdue(self) -> float:
        """0 to 1."""
        return self.overdue / self.count if self.count else 0.0


def open_fixes(report: Report) -> Sequence[OpenFix]:
    """The fixes of all findings that need work, what would hurt most first."""
    calendar, domains = report.calendar, _our_domains(report)
    made = [_open(fix, report.generated_on, calendar, domains) for fix in fixes(needing_work(report))]
    return sorted(made, key=lambda one: (-one.worst.score, -one.fix.score, one.fix.key))


def ages(waiting: Sequence[OpenFix], report: Report) -> Ages | None:
    """How long fixes have been waiting; None if there are none."""
    if not waiting:
        return None
    days = [one.age for one in waiting]
    return Ages(
        mean=mean(days),
        median=median(days),
        longest=max(days),
        overdue=sum(one.overdue for one in waiting),
        count=len(waiting),
        has_deadlines=bool(report.deadlines),
    )


def department_of(verdict: Verdict) -> str:
    """The department that the subject, or the principal in question, belongs to; empty if it is not known."""
    rows = [verdict.subject.detail, *(piece.row for piece in verdict.evidence[:1])]
    return next((plain(row["department"]) for row in rows if row.get("department")), "")


def team_of(verdict: Verdict) -> Team:
    """Who has to change the subject."""
    department = department_of(verdict)
    return Team(department) if department else Team("", verdict.subject.platform, verdict.subject.account)


def is_counted(verdict: Verdict) -> bool:
    """Whether the amount behind a finding is known: of a bucket it often is not, and 1 then counts the bucket alone."""
    return verdict.resources > 1 or verdict.bytes is not None or verdict.subject.kind not in _CONTAINERS


def _our_domains(report: Report) -> Collection[str]:
    """The domains that directories are named by: those are ours."""
    of_findings = {finding.verdict.subject.account for finding in report.findings}
    accounts = of_findings | {row.account for row in report.coverage}
    return {account.lower() for account in accounts if "." in account}


def _open(fix: Fix, now: datetime, calendar: Calendar, our_domains: Collection[str]) -> OpenFix:
    opened_on = min(finding.verdict.since or finding.first_seen_on for finding in fix.findings)
    due = [day for finding in fix.findings if (day := due_day(finding, calendar))]
    return OpenFix(
        fix=fix,
        worst=max(fix.findings, key=lambda finding: (finding.score, finding.severity.rung, finding.fingerprint)),
        opened_on=opened_on,
        due=min(due, default=None),
        overdue=any(is_overdue(finding, calendar, now) for finding in fix.findings),
        age=max(0.0, (now - opened_on) / timedelta(days=1)),
        severity=fix.severity,
        our_domains=our_domains,
    )
