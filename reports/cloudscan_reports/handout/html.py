"""The hand-outs as HTML pages that print well: no script, no network, and nothing that a name could run."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

import jinja2

from cloudscan.report import HandoutFormat, Report, Terms
from cloudscan.text import openable
from cloudscan_reports.handout import addressees, contents
from cloudscan_reports.summary.partners import worded_partners
from cloudscan_wording import phrases
from cloudscan_wording.texts import Texts, load, number
from cloudscan_wording.visible import carriable, shortened, visible

_FOLDER: Final = "handout"
_MOST_FOUND: Final = 20  # findings of a partner


@dataclass(frozen=True, kw_only=True)
class Medium:
    """What the pages are for: a screen or paper."""

    suffix: str
    links: bool  # whether to link to the resources on their platforms
    seen: Callable[[str], str]  # how text of third parties is made safe to look at


SCREEN: Final = Medium(suffix=".html", links=True, seen=visible)


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


def rendered(template: str, texts: Texts, medium: Medium, **values: Any) -> str:
    """One of the templates in `handout/`, in one language."""
    style = resources.files("cloudscan_reports").joinpath(_FOLDER, "print.css").read_text("utf-8").strip()
    digest = "sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        _templates(medium)
        .get_template(template)
        .render(
            t=texts.say,
            count=texts.count,
            name=texts.name,
            day=texts.day,
            moment=texts.moment,
            lang=texts.lang,
            style=style,
            digest=digest,
            **values,
        )
    )


@cache
def _templates(medium: Medium) -> jinja2.Environment:
    """Every value is made visible and then escaped; `safe` is used only for our own style sheet."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("cloudscan_reports", _FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: medium.seen(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(shortened=shortened)
    made.globals.update(number=number, openable=openable)
    return made


HTML = HandoutFormat(name="html", title="HTML", suffix=".html", write=write)
