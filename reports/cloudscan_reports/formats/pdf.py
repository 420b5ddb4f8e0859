"""PDF: the director's page with the findings behind it, and the hand-outs. Fonts are embedded, nothing is fetched.

WeasyPrint, which sets the pages, is the extra `pdf` and is imported only here; it needs Pango, a library of the system.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from cloudscan.errors import ConfigurationError
from cloudscan.report import HandoutFormat, Report, ReportFormat, Terms
from cloudscan_reports.handout import contents
from cloudscan_reports.handout import html as handout_pages
from cloudscan_reports.handout.html import Medium
from cloudscan_reports.summary import charts, counts, first_page, ranking
from cloudscan_wording import phrases, reasons, texts
from cloudscan_wording.visible import carriable, visible
from cloudscan_wording.worded_finding import worded_findings

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
_MOST_GONE = 20
_MOST_NAME = 160


def write(report: Report, lang: str) -> bytes:
    """The report on paper: one page that answers a director, then the first findings, then what could not be seen.

    Raises ModuleNotFoundError where WeasyPrint is not installed, ConfigurationError where Pango is not.
    """
    report = reasons.worded(carriable(report), lang)
    words = texts.load(lang)
    work = counts.standing(report)
    ranked = ranking.causes(report)
    steps = ranking.roadmap(report)
    trend = first_page.trend_chart(report, words)
    rules = {rule.id: rule for rule in report.rules}
    return printed(
        handout_pages.rendered(
            "director.html",
            words,
            _PAPER,
            report=report,
            work=work,
            severities=counts.by_severity(work),
            open_to_all=counts.open_to_all(work),
            answers=first_page.answers(report, words, ranked, steps),
            ranked=ranked,
            measure=lambda cause: first_page.measure(cause, rules, words),
            cost=lambda hours: first_page.cost(words, hours),
            percent=first_page.percent,
            risk_chart=charts.on_paper(first_page.risk_chart(ranked, words)) if ranked else "",
            trend_chart=charts.on_paper(trend) if trend else None,
            stood=first_page.stood(report),
            roadmap=steps,
            hours_a_month=ranking.HOURS_A_MONTH,
            figures=first_page.figures(lang),
            changes=counts.changed(report, words),
            most_gone=_MOST_GONE,
            gaps=counts.gaps(report),
            rights=counts.rights(report),
            untold=counts.untold(report),
            first=[each for each in worded_findings(report, lang) if each.finding.state in counts.STANDING][:_FIRST],
            most=_MOST_FINDINGS,
            most_gaps=_MOST_GAPS,
            most_name=_MOST_NAME,
            rules=rules,
            reach=lambda finding: phrases.reach(words, finding.verdict),
            message=lambda finding: phrases.message_of(finding, lang),
            since=lambda finding: contents.since(finding, words),
        )
    )


def write_handouts(report: Report, lang: str, terms: Terms) -> Iterator[tuple[str, bytes]]:
    """The hand-outs by file name. Raises as `write` does."""
    pages = handout_pages.pages(carriable(report), texts.load(lang), terms, _PAPER)
    return ((name, printed(page)) for name, page in pages)


def printable(text: str) -> str:
    """The text made visible, and letters that common fonts lack named by their number.

    One letter without a glyph makes the text of its whole font unreadable to search, copy and screen readers. What some
    systems keep in parts, a letter and its marks, is put together first.
    """
    whole = unicodedata.normalize("NFC", visible(text))
    return _NO_GLYPH.sub(lambda letter: f"⟦U+{ord(_BEHIND.get(letter[0], letter[0])):04X}⟧", whole)


def printed(page: str) -> bytes:
    """A page of ours as PDF. Whatever address it may name is not looked up: no protocol is allowed."""
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except OSError as error:
        raise ConfigurationError(
            f"PDF needs the library Pango, which cannot be loaded ({str(error).splitlines()[0]}); on Debian: "
            "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0, and a font: fonts-noto-cjk."
        ) from error
    made: bytes = HTML(string=page, url_fetcher=URLFetcher(allowed_protocols=())).write_pdf(pdf_tags=True)
    return made


_PAPER: Final = Medium(suffix=".pdf", links=False, seen=printable)
PDF = ReportFormat(name="pdf", title="PDF", suffix=".pdf", write=write)
HANDOUTS = HandoutFormat(name="pdf", title="PDF", suffix=".pdf", write=write_handouts)
