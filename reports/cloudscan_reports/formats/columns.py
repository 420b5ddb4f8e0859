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
    """One column: its name, its value, and for an id the group of the catalogue that has a word for it."""

    key: str
    value: Callable[[WordedFinding], Cell]
    words: str = ""


def columns(texts: Texts) -> Sequence[Column]:
    """All columns, the ones that a reader wants first at the left."""
    return (
        Column(key="order", value=lambda it: it.order),
        Column(key="severity", value=lambda it: it.finding.severity, words="severity"),
        Column(key="state", value=lambda it: it.finding.state, words="state"),
        Column(key="change", value=lambda it: it.change, words="change"),
        Column(key="message", value=lambda it: it.message),
        Column(key="reach", value=lambda it: phrases.reach(texts, it.verdict)),
        Column(key="platform", value=lambda it: it.verdict.subject.platform, words="platform"),
        Column(key="account", value=lambda it: it.verdict.subject.account),
        Column(key="kind", value=lambda it: it.verdict.subject.kind, words="kind"),
        Column(key="name", value=lambda it: it.verdict.subject.name),
        Column(key="path", value=lambda it: it.verdict.subject.path),
        Column(key="owner", value=lambda it: it.verdict.subject.owner),
        Column(key="ticket", value=lambda it: " ".join(each.key for each in it.tickets)),
        Column(key="ticket_state", value=_ticket_state, words="ticket_state"),
        Column(key="ticket_as_of", value=lambda it: it.tickets[0].as_of if it.tickets else None),
        Column(key="ticket_url", value=_ticket_urls),
        Column(key="score", value=lambda it: it.finding.score),
        Column(key="likelihood", value=lambda it: it.finding.likelihood),
        Column(key="impact", value=lambda it: it.finding.impact),
        Column(key="confidence", value=lambda it: it.rule.confidence if it.rule else "", words="level"),
        Column(key="effort", value=lambda it: it.rule.effort if it.rule else "", words="level"),
        Column(key="cause", value=lambda it: it.cause, words="cause"),
        Column(key="rule", value=lambda it: it.verdict.rule_id),
        Column(key="title", value=lambda it: it.title),
        Column(key="audience", value=lambda it: phrases.standing_of(it.verdict), words="audience"),
        Column(key="access", value=lambda it: it.verdict.access or "", words="access"),
        Column(key="resources", value=lambda it: it.verdict.resources),
        Column(key="bytes", value=lambda it: it.verdict.bytes),
        Column(key="people", value=lambda it: it.verdict.people),
        Column(key="rank", value=lambda it: it.verdict.rank),
        Column(key="since", value=lambda it: it.verdict.since),
        Column(key="first_seen", value=lambda it: it.finding.first_seen_on),
        Column(key="last_seen", value=lambda it: it.finding.last_seen_on),
        Column(key="verified", value=lambda it: it.finding.verified),
        Column(key="frameworks", value=lambda it: " ".join(it.frameworks)),
        Column(key="fix", value=lambda it: it.fix.replace("\n", " / ")),
        Column(key="url", value=lambda it: it.verdict.subject.url),
        Column(key="uid", value=lambda it: it.verdict.subject.uid),
        Column(key="fingerprint", value=lambda it: it.finding.fingerprint),
    )


def _ticket_state(each: WordedFinding) -> Cell:
    """Of the first, an open one before a closed one."""
    return ("open" if each.tickets[0].open else "closed") if each.tickets else ""


def _ticket_urls(each: WordedFinding) -> Cell:
    return " ".join(filter(None, (openable(ticket.url) for ticket in each.tickets)))
