"""The findings as CSV (RFC 4180), one finding per row, for spreadsheets.

The header and the ids are the same in every language; sentences are in the report's language. The file begins with a
byte order mark: without it Excel reads UTF-8 as the machine's own code page, and Japanese is garbled. Text that a
spreadsheet would run is changed (OWASP, "CSV Injection"; ASVS 5.0, 1.2.10): NDJSON has names exactly as they are.
"""

from collections.abc import Iterator
from datetime import datetime

from cloudscan.report import Report, ReportFormat
from cloudscan.text import MOST, csv_lines, unformulaic
from cloudscan_reports.formats.columns import Cell, columns
from cloudscan_reports.formats.streamed import in_pieces
from cloudscan_wording.texts import load
from cloudscan_wording.visible import shortened, visible
from cloudscan_wording.worded_finding import iso, worded_findings


def write(report: Report, lang: str) -> Iterator[bytes]:
    """The whole table with its header; lines end with CRLF."""
    shown = columns(load(lang, report.timezone))
    rows = ([_in_utc(column.value(finding)) for column in shown] for finding in worded_findings(report, lang))
    lines = csv_lines([column.key for column in shown], rows, readable=_readable)
    return in_pieces(line.encode("utf-8", "backslashreplace") for line in lines)


def harmless(text: str) -> str:
    """The text with an apostrophe in front if it could begin a formula, so that no spreadsheet runs it."""
    return unformulaic(_readable(text))


def _readable(text: str) -> str:
    return shortened(visible(text), MOST)


def _in_utc(value: Cell) -> Cell:
    return iso(value) if isinstance(value, datetime) else value


CSV = ReportFormat(name="csv", title="CSV", suffix=".csv", write=write)
