"""The hand-outs as HTML pages that print well."""

from collections.abc import Iterator

from cloudscan.report import HandoutFormat, Report, Terms
from cloudscan_reports.handout import addressees, checklist, contents
from cloudscan_reports.handout.rendering import SCREEN, Medium, rendered
from cloudscan_wording.texts import Texts, load
from cloudscan_wording.visible import carriable


def write(report: Report, lang: str, terms: Terms) -> Iterator[tuple[str, str]]:
    """The pages by file name: one per owner, one for resources without a known owner, and an index."""
    return pages(carriable(report), load(lang, report.timezone), terms, SCREEN)


def pages(report: Report, texts: Texts, terms: Terms, medium: Medium) -> Iterator[tuple[str, str]]:
    """The same for a medium; the index names files with its suffix."""
    made = contents.handouts(report, texts, terms)
    suffix = medium.suffix
    shared = {"report": report, "terms": terms, "links": medium.links}
    for handout in made:
        yield f"{handout.stem}{suffix}", rendered("handout.html", texts, medium, handout=handout, **shared)
    yield (
        f"{contents.INDEX}{suffix}",
        rendered(
            "index.html",
            texts,
            medium,
            handouts=made,
            without_page=addressees.without_page(report, texts, terms),
            suffix=suffix,
            **shared,
        ),
    )


HTML = HandoutFormat(name="html", title="HTML", suffix=".html", write=write, checklists=checklist.write)
