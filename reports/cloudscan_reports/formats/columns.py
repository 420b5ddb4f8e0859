"""The findings as a table: the columns that CSV and the workbook share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cloudscan.text import openable
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts
from cloudscan_wording.worded_finding import WordedFinding

Cell = str | int | float | bool | datetime | None


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: its name, its value, and for an id the catalogue's group with the words for it."""

    key: str
    value: Callable[[WordedFinding], Cell]
    group: str = ""


def columns(texts: Texts) -> Sequence[Column]:
    """All columns, the most important ones first."""
    return (
        Column(key="order", value=lambda worded: worded.order),
        Column(key="severity", value=lambda worded: worded.finding.severity, group="severity"),
        Column(key="state", value=lambda worded: worded.finding.state, group="state"),
        Column(key="change", value=lambda worded: worded.change, group="change"),
        Column(key="rejudged", value=lambda worded: phrases.rejudged(texts, worded.rejudged)),
        Column(key="message", value=lambda worded: worded.message),
        Column(key="reach", value=lambda worded: phrases.reach(texts, worded.verdict)),
        Column(key="platform", value=lambda worded: worded.verdict.subject.platform, group="platform"),
        Column(key="account", value=lambda worded: worded.verdict.subject.account),
        Column(key="kind", value=lambda worded: worded.verdict.subject.kind, group="kind"),
        Column(key="name", value=lambda worded: worded.verdict.subject.name),
        Column(key="path", value=lambda worded: worded.verdict.subject.path),
        Column(key="owner", value=lambda worded: worded.verdict.subject.owner),
        Column(key="ticket", value=lambda worded: " ".join(ticket.key for ticket in worded.tickets)),
        Column(key="ticket_state", value=_ticket_state, group="ticket_state"),
        Column(key="ticket_as_of", value=lambda worded: worded.tickets[0].as_of if worded.tickets else None),
        Column(key="ticket_url", value=_ticket_urls),
        Column(key="score", value=lambda worded: worded.finding.score),
        Column(key="likelihood", value=lambda worded: worded.finding.likelihood),
        Column(key="impact", value=lambda worded: worded.finding.impact),
        Column(key="confidence", value=lambda worded: worded.rule.confidence if worded.rule else "", group="level"),
        Column(key="effort", value=lambda worded: worded.rule.effort if worded.rule else "", group="level"),
        Column(key="cause", value=lambda worded: worded.cause, group="cause"),
        Column(key="rule", value=lambda worded: worded.verdict.rule_id),
        Column(key="title", value=lambda worded: worded.title),
        Column(key="audience", value=lambda worded: phrases.audience_of(worded.verdict), group="audience"),
        Column(key="access", value=lambda worded: worded.verdict.access or "", group="access"),
        Column(key="resources", value=lambda worded: worded.verdict.resources),
        Column(key="bytes", value=lambda worded: worded.verdict.bytes),
        Column(key="people", value=lambda worded: worded.verdict.people),
        Column(key="rank", value=lambda worded: worded.verdict.rank),
        Column(key="since", value=lambda worded: worded.verdict.since),
        Column(key="first_seen", value=lambda worded: worded.finding.first_seen_on),
        Column(key="last_seen", value=lambda worded: worded.finding.last_seen_on),
        Column(key="verified", value=lambda worded: worded.finding.verified),
        Column(key="frameworks", value=lambda worded: " ".join(worded.frameworks)),
        Column(key="fix", value=lambda worded: worded.fix.replace("\n", " / ")),
        Column(key="url", value=lambda worded: worded.verdict.subject.url),
        Column(key="uid", value=lambda worded: worded.verdict.subject.uid),
        Column(key="fingerprint", value=lambda worded: worded.finding.fingerprint),
    )


def _ticket_state(worded: WordedFinding) -> Cell:
    """The state of the first ticket; open tickets come before closed ones."""
    return ("open" if worded.tickets[0].open else "closed") if worded.tickets else ""


def _ticket_urls(worded: WordedFinding) -> Cell:
    return " ".join(filter(None, (openable(ticket.url) for ticket in worded.tickets)))
