"""The findings as CSV (RFC 4180), one finding a row, for spreadsheets.

The head and the ids are the same in every language; sentences are in the report's. The file begins with a byte order
mark: without it Excel reads UTF-8 as the machine's own code page, and Japanese becomes noise. Text that a spreadsheet
would run is changed (OWASP, "CSV Injection"; ASVS 5.0, 1.2.10): who needs names to the letter reads NDJSON.
"""

import csv
import io
from datetime import datetime

from cloudscan.report import Report, ReportFormat
from cloudscan.text import BYTE_ORDER_MARK, MOST, unformulaic
from cloudscan_reports.formats.columns import Cell, columns
from cloudscan_wording.texts import load
from cloudscan_wording.visible import shortened, visible
from cloudscan_wording.worded_finding import iso, worded_findings


def write(report: Report, lang: str) -> str:
    """The whole table, its head included, with CRLF ends."""
    texts = load(lang)
    shown = columns(texts)
    out = io.StringIO(newline="")
    out.write(BYTE_ORDER_MARK)
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow([column.key for column in shown])
    writer.writerows([_cell(column.value(worded)) for column in shown] for worded in worded_findings(report, lang))
    return out.getvalue()


def harmless(text: str) -> str:
    """The text as no spreadsheet runs it: an apostrophe stands before what could begin a formula."""
    return unformulaic(shortened(visible(text), MOST))


def _cell(value: Cell) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            return iso(value)
        case str():
            return harmless(value)
        case _:
            return str(value)


CSV = ReportFormat(name="csv", title="CSV", suffix=".csv", write=write)
