"""What a pack says to people, in both languages: the README and the page of controls."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from importlib import resources

import jinja2

from cloudscan.audit.signature import NAMESPACE
from cloudscan.framework import FrameworkResult
from cloudscan.report import Report
from cloudscan.text import catalogue, plain


def readme(language: str, report: Report, *, redacted: bool, signed: bool, differing: Sequence[str]) -> str:
    """The contents of the pack, and how to check it with standard tools."""
    message = _messages(language)
    environment = jinja2.Environment(
        autoescape=jinja2.select_autoescape(default_for_string=False), undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    return environment.from_string(_file("README.md")).render(
        t=message,
        organisation=_quoted(report.organisation),
        scan=_quoted(report.scan.id),
        started=f"{report.scan.started_on:%Y-%m-%d %H:%M} UTC",
        finished=f"{report.scan.finished_on:%Y-%m-%d %H:%M} UTC",
        complete=message("readme.complete" if report.complete else "readme.incomplete"),
        tool=_quoted(report.tool),
        findings=len(report.findings),
        unknowns=len(report.unknowns),
        redacted=redacted,
        signed=signed,
        namespace=NAMESPACE,
        differing=", ".join(differing),
    )


def controls_page(language: str, report: Report, frameworks: Sequence[FrameworkResult]) -> str:
    """The framework coverage table as one HTML page without script."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        finalize=lambda value: plain(value) if type(value) is str else value,
    )  # fmt: skip
    style = _file("controls.css").strip()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.from_string(_file("controls.html")).render(
        t=_messages(language),
        lang=language,
        style=style,
        digest=digest,
        organisation=report.organisation,
        scan=report.scan,
        frameworks=frameworks,
    )


def _quoted(text: str) -> str:
    """A text as a Markdown code span; what could end the span or the line is taken out."""
    return "`" + plain(text[:200]).replace("`", "'").replace("\n", " ").strip() + "`" if text.strip() else "–"


def _messages(language: str) -> Callable[..., str]:
    """A function that gives the message at a key, its fields filled."""
    table = catalogue.table(resources.files("cloudscan.audit").joinpath("texts"), language)
    return lambda key, **values: catalogue.fill(catalogue.at(table, key), **values)


def _file(name: str) -> str:
    return resources.files("cloudscan.audit").joinpath("texts", name).read_text("utf-8")
