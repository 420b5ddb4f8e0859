"""What the page shows of a finding that is open: evidence, chain, history. In parcels that are unpacked one by one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cloudscan.finding import Evidence, Finding
from cloudscan.report import Event, Report
from cloudscan_reports.page.list_data import PARCEL, evidence_columns, seconds, slots_of, tickets_of
from cloudscan_reports.page.string_table import Slots, Strings
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts


def parcels(report: Report, texts: Texts, most: int) -> Iterator[dict[str, Any]]:
    """The details in the order of the findings, `PARCEL` of them at a time, each parcel with strings of its own.

    Of a finding's evidence come at most so many pieces.
    """
    columns = evidence_columns(report)
    happened: dict[str, list[Event]] = {}
    for event in report.events:
        happened.setdefault(event.fingerprint, []).append(event)
    for begin in range(0, len(report.findings), PARCEL):
        yield _parcel(report, report.findings[begin : begin + PARCEL], columns, happened, texts, most)


def _parcel(
    report: Report,
    findings: Sequence[Finding],
    columns: Mapping[str, Sequence[str]],
    happened: Mapping[str, Sequence[Event]],
    texts: Texts,
    most: int,
) -> dict[str, Any]:
    strings = Strings()
    slots = [slots_of(each) for each in findings]
    pasts = [_past(each, happened.get(each.fingerprint, ())) for each in findings]
    return {
        "numbers": {
            **{name: [column(each) for each in findings] for name, column in _NUMBERS.items()},
            "left": [max(len(each.verdict.evidence) - most, 0) for each in findings],
            "happened": [[seconds(event.on) for event in past] for past in pasts],
        },
        "strings": {
            "accepted": [strings.number(phrases.accepted(texts, each)) for each in findings],
            "tickets": [
                [
                    [
                        strings.number(ticket.key),
                        strings.number(ticket.url),
                        strings.number(ticket.tracker),
                        strings.number(phrases.ticket_state(texts, ticket)),
                    ]
                    for ticket in tickets_of(report, each)
                ]
                for each in findings
            ],
            "size": [strings.number(_size(each)) for each in findings],
            "url": [strings.around(each.verdict.subject.url, own) for each, own in zip(findings, slots, strict=True)],
            "events": [
                [[strings.number(event.kind), strings.number(event.reason)] for event in past] for past in pasts
            ],
            "evidence": [
                [
                    _evidence(piece, columns[each.verdict.rule_id], texts.lang, strings, own)
                    for piece in each.verdict.evidence[:most]
                ]
                for each, own in zip(findings, slots, strict=True)
            ],
        },
        **strings.tables(),
    }


_NUMBERS: Mapping[str, Callable[[Finding], Any]] = {
    "likelihood": lambda each: each.likelihood,
    "impact": lambda each: round(each.impact, 1),
    "last": lambda each: seconds(each.last_seen_on),
    "people": lambda each: each.verdict.people,
    "rank": lambda each: each.verdict.rank,
    "rows": lambda each: each.verdict.rows,
}


def _size(finding: Finding) -> str | None:
    return None if finding.verdict.bytes is None else phrases.size(finding.verdict.bytes)


def _past(finding: Finding, events: Sequence[Event]) -> Sequence[Event]:
    """What befell a finding. That it was once opened is told by the day on which it was first seen."""
    if len(events) == 1 and events[0].kind == "opened" and events[0].on == finding.first_seen_on:
        return ()
    return events


def _evidence(evidence: Evidence, columns: Sequence[str], lang: str, strings: Strings, slots: Slots) -> list[Any]:
    """First the chain, then a value per column."""
    values = (evidence.row.get(name) for name in columns)
    return [
        [strings.around(sentence, slots) for sentence in phrases.chain_of(evidence.chain, lang)],
        *(strings.around(None if value is None else phrases.plain(value), slots) for value in values),
    ]
