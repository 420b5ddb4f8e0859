"""The hand-outs as HTML pages that print well."""

from collections.abc import Iterator
from typing import Final

from cloudscan.report import HandoutFormat, Report, Terms
from cloudscan_reports.handout import addressees, checklist, contents
from cloudscan_reports.handout.rendering import SCREEN, Medium, rendered
from cloudscan_reports.summary.partners import worded_partners
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts, load
from cloudscan_wording.visible import carriable

_MOST_FOUND: Final = 20  # findings of a partner


def write(report: Report, lang: str, terms: Terms) -> Iterator[tuple[str, str]]:
    """The pages by file name: one per owner, one without a known owner, one per partner, and an index."""
    return pages(carriable(report), load(lang, report.timezone), terms, SCREEN)


def pages(report: Report, texts: Texts, terms: Terms, medium: Medium) -> Iterator[tuple[str, str]]:
    """The same for a medium; the index names files with its suffix."""
    made = contents.handouts(report, texts, terms)
    suffix = medium.suffix
    shared = {"report": report, "terms": terms, "links": medium.links}
    for handout in made:
        yield f"{handout.stem}{suffix}", rendered("handout.html", texts, medium, handout=handout, **shared)
    partners = [(f"partner-{addressees.stem(one.partner.uid)}{suffix}", one) for one in worded_partners(report, texts)]
    for name, one in partners:
        found = [
            (finding.severity, phrases.message_of(finding, texts.lang), finding.fingerprint[:8])
            for finding in one.findings[:_MOST_FOUND]
        ]
        yield name, rendered("partner.html", texts, medium, one=one, found=found, **shared)
    yield (
        f"{contents.INDEX}{suffix}",
        rendered(
            "index.html",
            texts,
            medium,
            handouts=made,
            without_page=addressees.without_page(report, texts, terms),
            partners=partners,
            suffix=suffix,
            **shared,
        ),
    )


HTML = HandoutFormat(name="html", title="HTML", suffix=".html", write=write, checklists=checklist.write)
