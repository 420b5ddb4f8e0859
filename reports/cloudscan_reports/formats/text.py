"""The report as plain text: what the terminal shows, and what fits into a mail or a log."""

from cloudscan.report import Report, ReportFormat
from cloudscan_reports.formats import terminal

_WIDTH = 80


def write(report: Report, lang: str) -> str:
    """A summary in one language, without colours."""
    return show(report, lang, colour=False, width=_WIDTH)


def show(report: Report, lang: str, *, colour: bool, width: int) -> str:
    """The same for a terminal of `width` columns, in colour if `colour`."""
    return terminal.summary(report, lang, colour=colour, width=width) + "\n"


TEXT = ReportFormat(name="text", title="Plain text", suffix=".txt", write=write, show=show)
