"""The frameworks of a report as the page shows them, control by control."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cloudscan.framework import ControlResult, ControlStanding, Extent, FrameworkResult
from cloudscan.report import Report
from cloudscan.text import openable


@dataclass(frozen=True, kw_only=True)
class PageControl:
    """A control, whether or not a rule is mapped to it."""

    key: str  # by which the list is filtered
    id: str
    title: str
    standing: ControlStanding
    extent: Extent | None
    unseen: str  # what no rule can see of it, and why; empty if nothing, or if its catalogue does not say
    flagged: int
    waived: int
    unknown: int
    passed: int


@dataclass(frozen=True, kw_only=True)
class PageFramework:
    """One catalogue of controls."""

    title: str
    url: str  # empty if it is not safe to open
    counts: Mapping[ControlStanding, int]
    extents: Mapping[Extent, int]
    covered: Sequence[PageControl]  # in the catalogue's order
    not_covered: Sequence[PageControl]


def page_frameworks(report: Report, lang: str) -> Sequence[PageFramework]:
    """The frameworks in a language, those without a covered control left out."""
    return [
        PageFramework(
            title=framework.title_in(lang),
            url=openable(framework.url),
            counts=framework.counts,
            extents=framework.extents,
            covered=[_control(control, framework, lang) for control in framework.controls if _is_covered(control)],
            not_covered=[
                _control(control, framework, lang) for control in framework.controls if not _is_covered(control)
            ],
        )
        for framework in report.frameworks
        if any(map(_is_covered, framework.controls))
    ]


def _is_covered(control: ControlResult) -> bool:
    return control.standing is not ControlStanding.NOT_COVERED


def _control(control: ControlResult, framework: FrameworkResult, lang: str) -> PageControl:
    return PageControl(
        key=f"{framework.id}#{control.id}",
        id=control.id,
        title=control.title_in(lang),
        standing=control.standing,
        extent=control.extent,
        unseen=control.unseen_in(lang),
        flagged=control.flagged,
        waived=control.waived,
        unknown=control.unknown,
        passed=control.passed,
    )
