"""The hand-outs as HTML pages that print well: no script, nothing from a network, nothing that a name could run."""

import base64
import hashlib
from collections.abc import Iterator
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from cloudscan.report import HandoutFormat, Report, Terms
from cloudscan_reports import handouts, texts
from cloudscan_reports.texts import Texts
from cloudscan_reports.visible import carriable, visible

_FOLDER = "handout"


def write(report: Report, lang: str, terms: Terms) -> Iterator[tuple[str, str]]:
    """The pages by file name: one an owner, one for what nobody is known to own, and an index."""
    return pages(carriable(report), texts.load(lang), terms, suffix=".html", links=True)


def pages(report: Report, words: Texts, terms: Terms, *, suffix: str, links: bool) -> Iterator[tuple[str, str]]:
    """The same with links to the platforms or without; the index names files with `suffix`."""
    made = handouts.handouts(report, words, terms)
    shared = {"report": report, "terms": terms, "links": links}
    for handout in made:
        yield f"{handout.stem}{suffix}", rendered("handout.html", words, handout=handout, **shared)
    yield f"{handouts.INDEX}{suffix}", rendered("index.html", words, handouts=made, suffix=suffix, **shared)


def rendered(template: str, words: Texts, **values: Any) -> str:
    """One of the templates in `handout/`, in one language."""
    style = asset("print.css")
    return (
        environment(words).get_template(template).render(lang=words.lang, style=style, digest=_digest(style), **values)
    )


def environment(words: Texts) -> jinja2.Environment:
    """Every value is made visible and then escaped; `safe` stands only behind our own style sheet."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("cloudscan_reports", _FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        t=words.say, count=words.count, name=words.name, plural=words.plural, day=words.day, moment=words.moment,
        number=texts.number,
    )  # fmt: skip
    return made


def asset(name: str) -> str:
    return resources.files("cloudscan_reports").joinpath(_FOLDER, name).read_text("utf-8").strip()


def _seen(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _digest(style: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


HTML = HandoutFormat(name="html", title="HTML", suffix=".html", write=write)
