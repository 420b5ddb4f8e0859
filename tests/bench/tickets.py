"""How long it takes to plan tickets, no network: findings that have their tickets, and tickets to close."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from cloudscan.finding import Finding, Severity, State
from cloudscan.report import Report, Terms
from cloudscan.ticketing.plan import Plan, TrackerState, plan
from cloudscan.ticketing.policy import Policy
from cloudscan.tracker import ExistingTicket
from cloudscan_trackers.markup import WIKI
from cloudscan_trackers.wording import wording
from tests.reports.synthetic import employee, report, with_past

GroupBy = Literal["fix", "owner"]
_TERMS = Terms(days=dict.fromkeys(Severity, 30), domains=("example.co.jp",))


@dataclass(frozen=True, kw_only=True)
class Night:
    """A report, and the tickets that are there."""

    report: Report
    tickets: Sequence[ExistingTicket]
    group_by: GroupBy

    def planned(self) -> Plan:
        """What is to be done."""
        return _plan(self.report, self.tickets, self.group_by)


def night(findings: int, gone: int, *, group_by: GroupBy = "fix") -> Night:
    """The night after every one of the findings got its ticket: `gone` tickets are about nothing that is left."""
    before = with_past(report(findings))
    before = msgspec.structs.replace(
        before, findings=[_owned(one, at) for at, one in enumerate(before.findings)], changes=None
    )
    created = [action.ticket for action in _plan(before, (), group_by).actions if action.ticket]
    tickets = [
        ExistingTicket(key=f"OPS-{number}", body=ticket.body, marker=ticket.marker, open=True)
        for number, ticket in enumerate(created, 1)
    ]
    closed = {fingerprint for ticket in created[len(created) - gone :] for fingerprint in ticket.fingerprints}
    left = [one for one in before.findings if one.fingerprint not in closed]
    return Night(report=msgspec.structs.replace(before, findings=left), tickets=tickets, group_by=group_by)


def _owned(finding: Finding, at: int) -> Finding:
    """Open, and its owner works here; everybody owns a few."""
    owner = f"user{at // 3}@example.co.jp"
    subject = msgspec.structs.replace(finding.verdict.subject, owner=owner, responsible=employee(owner))
    return msgspec.structs.replace(
        finding, state=State.OPEN, waiver=None, verdict=msgspec.structs.replace(finding.verdict, subject=subject)
    )


def _plan(report: Report, tickets: Sequence[ExistingTicket], group_by: GroupBy) -> Plan:
    return plan(
        report,
        {"ops": TrackerState(wording=wording(WIKI), existing=tickets)},
        policy=Policy(group_by=group_by, min_severity=Severity.INFO, max_new=10**9),
        terms=_TERMS,
        routes=(),
        lang="en",
        now=report.generated_on,
    )
