"""PDF: a page for the director with the findings after it, and the hand-outs. Fonts are embedded, nothing is fetched.

WeasyPrint, which lays out the pages, is the extra `pdf` and is imported only here; it needs the system library Pango.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from cloudscan.errors import ConfigurationError
from cloudscan.finding import Finding
from cloudscan.report import HandoutFormat, Report, ReportFormat, Terms
from cloudscan.sentence import say
from cloudscan_reports.handout import html as handout_pages
from cloudscan_reports.handout.rendering import Medium, rendered
from cloudscan_reports.summary import charts, first_page
from cloudscan_reports.summary.counts import direction
from cloudscan_reports.summary.gaps import asked_of, nothing_missing
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts, load
from cloudscan_wording.visible import carriable, visible

# Latin, Greek, Cyrillic, punctuation, signs and shapes, and what Chinese, Japanese and Korean are written with.
_NO_GLYPH: Final = re.compile(
    "[^\\n -~\xa0-\u017f\u0391-\u03c9\u0400-\u045f\u2010-\u2026\u2030-\u203b\u20ac\u2100-\u2122\u2190-\u2193"
    "\u21d2\u21d4\u2200-\u22a5\u2460-\u2473\u2500-\u254b\u25a0-\u25ef\u27e6\u27e7\u3000-\u3029\u3041-\u3096"
    "\u309b-\u30ff\u3220-\u3243\u3280-\u33fe\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufa6d\uff01-\uff9f\uffe0-\uffe6"
    "\U00020000-\U0002a6df]"
)
_BEHIND: Final = {chr(0x2400 + n): chr(n) for n in range(0x20)} | {
    "\u2421": "\x7f"
}  # what a picture of a control shows
_FIRST = 4
_MOST_FINDINGS = 200
_MOST_GAPS = 25
_MOST_RESOLVED = 20
_MOST_MESSAGE = 160


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A line of the table of findings."""

    severity: str
    message: str
    owner: str
    account: str
    opened: str


def write(report: Report, lang: str) -> bytes:
    """The report on paper: one page that answers a director, then the first findings, then what could not be seen.

    Raises ModuleNotFoundError if WeasyPrint is not installed, ConfigurationError if Pango is not.
    """
    texts = load(lang, report.timezone)
    report = carriable(report)
    summary = first_page.first_page(report, texts)
    work = summary.needing_work
    risks, trend = first_page.risk_chart(summary.causes, texts), first_page.trend_chart(report, texts)
    return printed(
        rendered(
            "director.html",
            texts,
            _PAPER,
            report=report,
            summary=summary,
            waived_by=partial(phrases.waived_by, texts),
            asked_of=partial(asked_of, texts=texts),
            direction=partial(direction, texts=texts),
            complete=first_page.completeness(report, texts),
            nothing_missing=nothing_missing(summary.unseen, texts),
            risk_chart=charts.on_paper(risks) if risks else None,
            trend_chart=charts.on_paper(trend) if trend else None,
            trend_notes=first_page.trend_notes(report, texts) if trend else (),
            first=summary.start[:_FIRST],
            findings=[_row(finding, texts) for finding in work[:_MOST_FINDINGS]],
            findings_left=max(len(work) - _MOST_FINDINGS, 0),
            most_resolved=_MOST_RESOLVED,
            most_gaps=_MOST_GAPS,
        )
    )


def _row(finding: Finding, texts: Texts) -> _Row:
    subject = finding.verdict.subject
    return _Row(
        severity=texts.name("severity", finding.severity),
        message=phrases.message_of(finding, texts.lang)[:_MOST_MESSAGE],
        owner=subject.owner,
        account=subject.account,
        opened=texts.day(finding.verdict.since or finding.first_seen_on),
    )


def write_handouts(report: Report, lang: str, terms: Terms) -> Iterator[tuple[str, bytes]]:
    """The hand-outs by file name. Raises as `write` does."""
    pages = handout_pages.pages(carriable(report), load(lang, report.timezone), terms, _PAPER)
    return ((name, printed(page)) for name, page in pages)


def printable(text: str) -> str:
    """The text made visible, and letters that common fonts lack replaced by their code point.

    One letter without a glyph makes the text of its whole font unreadable to search, copy and screen readers. Letters
    that some systems store as a base and its marks are composed first.
    """
    whole = unicodedata.normalize("NFC", visible(text))
    return _NO_GLYPH.sub(lambda letter: f"⟦U+{ord(_BEHIND.get(letter[0], letter[0])):04X}⟧", whole)


def printed(page: str) -> bytes:
    """A page of ours as PDF. No address in it is fetched: no protocol is allowed."""
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except OSError as error:
        raise ConfigurationError(
            say(
                "PDF needs the library Pango, which cannot be loaded ({error}); on Debian: apt-get "
                "install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0, and a font: "
                "fonts-noto-cjk.",
                error=str(error).splitlines()[0],
            )
        ) from error
    made: bytes = HTML(string=page, url_fetcher=URLFetcher(allowed_protocols=())).write_pdf(pdf_tags=True)
    return made


_PAPER: Final = Medium(suffix=".pdf", links=False, seen=printable)
PDF = ReportFormat(name="pdf", title="PDF", suffix=".pdf", write=write, packages=("weasyprint",))
HANDOUTS = HandoutFormat(name="pdf", title="PDF", suffix=".pdf", write=write_handouts)
