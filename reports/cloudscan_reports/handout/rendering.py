"""Templates of hand-outs in one language: no script, no network, and nothing that a name could run."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

import jinja2

from cloudscan.text import openable
from cloudscan_wording.texts import Texts, number
from cloudscan_wording.visible import shortened, visible

_FOLDER: Final = "handout"


@dataclass(frozen=True, kw_only=True)
class Medium:
    """What the pages are for: a screen or paper."""

    suffix: str
    links: bool  # whether to link to the resources on their platforms
    seen: Callable[[str], str]  # how text of third parties is made safe to look at


SCREEN: Final = Medium(suffix=".html", links=True, seen=visible)


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
            date=texts.date,
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
