"""The findings as JSON lines, one finding per line: for log pipelines, `grep` and `jq`.

A line is the finding as in the JSON report (`report.schema.json`, definition `Finding`), with its scan, its change
since the previous scan, its tickets, and those properties of its rule that are worth filtering by.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from cloudscan.report import Report, ReportFormat
from cloudscan_reports.formats.streamed import json_lines
from cloudscan_wording.visible import carriable
from cloudscan_wording.worded_finding import WordedFinding, worded_findings

_OF_THE_RULE = ("version", "confidence", "cause", "effort", "frameworks")


def write(report: Report, lang: str) -> Iterator[bytes]:
    """One line per finding, most urgent first; empty if there is none. The rule's title is in `lang`."""
    report = carriable(report)
    scan = {
        "schema": report.schema,
        "scan": report.scan.id,
        "organisation": report.organisation,
        "generated_on": report.generated_on,
    }
    return json_lines(_line(worded, scan) for worded in worded_findings(report, lang))


def _line(worded: WordedFinding, scan: Mapping[str, Any]) -> dict[str, Any]:
    rule: dict[str, Any] = {"title": worded.title}
    if worded.rule:
        rule |= {name: getattr(worded.rule, name) for name in _OF_THE_RULE}
    beside = {"change": worded.change, "tickets": worded.tickets}
    known = {name: value for name, value in beside.items() if value}
    return {**scan, **msgspec.structs.asdict(worded.finding), **known, "rule": rule}


NDJSON = ReportFormat(name="ndjson", title="JSON lines", suffix=".ndjson", write=write)
