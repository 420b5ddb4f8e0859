"""The report as one HTML file for people. It needs no network, and no text of a third party can run in it."""

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from cloudscan.report import Report, ReportFormat
from cloudscan_reports.page import payload
from cloudscan_reports.page.model import page_model
from cloudscan_wording.texts import load, number
from cloudscan_wording.visible import carriable, shortened, visible

MOST_BYTES = 9_900_000
"""Size of the whole page that mail gateways still accept and browsers open without delay."""
_SCRIPTS = (
    *("data.js", "words.js", "commands.js", "search.js", "filters.js", "fixes.js", "evidence.js"),
    *("detail.js", "csv.js", "tools.js", "rows.js", "form.js", "page.js"),
)
_STYLES = ("page.css", "list.css", "screens.css", "print.css")


def write(report: Report, lang: str) -> str:
    """The whole page in one language, as HTML. Raises ConfigurationError for a language without texts."""
    return page(report, lang, MOST_BYTES)


def page(report: Report, lang: str, most_bytes: int) -> str:
    """The page in at most `most_bytes`, as far as omitting evidence of its last findings makes it small enough."""
    texts = load(lang, report.timezone)
    report = carriable(report)
    style = "\n".join(map(_asset, _STYLES))
    script = "\n".join(_asset(name) for name in _SCRIPTS)
    templates = _templates(lang, report.timezone)
    head = templates.get_template("page.html").render(
        page=page_model(report, texts), style=style, policy=_policy(script, style)
    )
    room = most_bytes - len(head.encode()) - len(script.encode())
    elements = payload.elements(report, texts, room)
    return head + templates.get_template("script.html").render(script=script, elements=elements)


@cache
def _templates(lang: str, timezone: str) -> jinja2.Environment:
    """The templates with the vocabulary of one language and the days of one time zone.

    Every value is made visible and then escaped; `safe` is used only for our own assets and the encoded data.
    """
    texts = load(lang, timezone)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cloudscan_reports", "page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(shortened=shortened, flat=_flat)
    environment.globals.update(
        lang=lang,
        t=texts.say,
        count=texts.count,
        name=texts.name,
        plural=texts.plural,
        moment=texts.moment,
        number=number,
    )
    return environment


def _flat(text: str) -> str:
    """The text on one line."""
    return " ".join(text.split())


def _shown(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _policy(script: str, style: str) -> str:
    """Content security policy: this script and this style sheet only, and no address to send anything to."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_digest(script)}'",
            f"style-src '{_digest(style)}'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _asset(name: str) -> str:
    return resources.files("cloudscan_reports").joinpath("page", name).read_text("utf-8").strip()


HTML = ReportFormat(name="html", title="HTML", suffix=".html", write=write)
