"""What the page shows of a finding that the reader opens: evidence, reasoning, history.

It comes in parcels that the page unpacks one by one; `docs/page-format.md` specifies them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cloudscan.finding import Evidence, Finding
from cloudscan.report import Event, Report
from cloudscan_reports.page.list_data import PARCEL, evidence_columns, seconds, slots_of, tickets_of
from cloudscan_reports.page.string_table import Slots, Strings
from cloudscan_wording import evidence, phrases
from cloudscan_wording.texts import Texts


def parcels(report: Report, texts: Texts, most: int) -> Iterator[dict[str, Any]]:
    """The details in the order of the findings, `PARCEL` of them at a time, each parcel with its own strings.

    At most `most` pieces of each finding's evidence are included.
    """
    columns = evidence_columns(report)
    events: dict[str, list[Event]] = {}
    for event in report.events:
        events.setdefault(event.fingerprint, []).append(event)
    for begin in range(0, len(report.findings), PARCEL):
        yield _parcel(report, report.findings[begin : begin + PARCEL], columns, events, texts, most)


def _parcel(
    report: Report,
    findings: Sequence[Finding],
    columns: Mapping[str, Sequence[str]],
    events: Mapping[str, Sequence[Event]],
    texts: Texts,
    most: int,
) -> dict[str, Any]:
    strings = Strings()
    slots = [slots_of(finding) for finding in findings]
    pasts = [_past(finding, events.get(finding.fingerprint, ())) for finding in findings]
    return {
        "numbers": {
            **{name: [column(finding) for finding in findings] for name, column in _NUMBERS.items()},
            "left": [max(len(finding.verdict.evidence) - most, 0) for finding in findings],
            "happened": [[seconds(event.on) for event in past] for past in pasts],
        },
        "strings": {
            "waived": [strings.number(phrases.waived(texts, finding)) for finding in findings],
            "tickets": [
                [
                    [
                        strings.number(ticket.key),
                        strings.number(ticket.url),
                        strings.number(ticket.tracker),
                        strings.number(phrases.ticket_state(texts, ticket)),
                    ]
                    for ticket in tickets_of(report, finding)
                ]
                for finding in findings
            ],
            "size": [strings.number(_size(finding)) for finding in findings],
            "url": [
                strings.around(finding.verdict.subject.url, own) for finding, own in zip(findings, slots, strict=True)
            ],
            "events": [
                [
                    [
                        strings.number(event.kind),
                        strings.number(event.reason),
                        strings.number(phrases.rejudged(texts, event.rejudged)),
                    ]
                    for event in past
                ]
                for past in pasts
            ],
            "entries": [
                [
                    [strings.number(entry.title), strings.around(entry.text, own), strings.number(_cut(entry, texts))]
                    for entry in (evidence.quoted(finding, texts) if most else ())
                ]
                for finding, own in zip(findings, slots, strict=True)
            ],
            "evidence": [
                [
                    _evidence(piece, columns[finding.verdict.rule_id], finding, texts, strings, own)
                    for piece in finding.verdict.evidence[:most]
                ]
                for finding, own in zip(findings, slots, strict=True)
            ],
        },
        **strings.tables(),
    }


_NUMBERS: Mapping[str, Callable[[Finding], Any]] = {
    "likelihood": lambda finding: finding.likelihood,
    "impact": lambda finding: round(finding.impact, 1),
    "last": lambda finding: seconds(finding.last_seen_on),
    "people": lambda finding: finding.verdict.people,
    "rank": lambda finding: finding.verdict.rank,
    "rows": lambda finding: finding.verdict.rows,
}


def _size(finding: Finding) -> str | None:
    return None if finding.verdict.bytes is None else phrases.size(finding.verdict.bytes)


def _past(finding: Finding, events: Sequence[Event]) -> Sequence[Event]:
    """A finding's events. A lone opening is omitted: the day on which it was first seen says the same.

    Unless it is only judged differently since then.
    """
    opened = events[0] if len(events) == 1 else None
    if opened and opened.kind == "opened" and opened.on == finding.first_seen_on and not opened.rejudged:
        return ()
    return events


def _cut(entry: evidence.QuotedEntry, texts: Texts) -> str:
    return "" if entry.whole else texts.say("finding.entry_cut")


def _evidence(
    piece: Evidence, columns: Sequence[str], finding: Finding, texts: Texts, strings: Strings, slots: Slots
) -> list[Any]:
    """The chain of reasoning, then a value per column: in words, or an id as it is."""
    platform = finding.verdict.subject.platform

    def shown(name: str) -> str | None:
        value = piece.row.get(name)
        if value is None:
            return None
        return phrases.plain(value) if evidence.is_raw(name) else evidence.cell(name, value, texts, platform)

    return [
        [strings.around(sentence, slots) for sentence in phrases.chain_of(piece.chain, texts.lang)],
        *(strings.around(shown(name), slots) for name in columns),
    ]
