"""The frameworks of a report as the page shows them, control by control."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cloudscan.framework import ControlResult, ControlStanding
from cloudscan.report import Report
from cloudscan.text import openable


@dataclass(frozen=True, kw_only=True)
class PageControl:
    """A control that a rule is mapped to."""

    key: str  # by which the list is filtered
    id: str
    title: str
    standing: ControlStanding
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
    covered: Sequence[PageControl]  # in the catalogue's order
    not_covered: Sequence[str]  # ids


def page_frameworks(report: Report) -> Sequence[PageFramework]:
    """The frameworks, those without a covered control left out."""
    return [
        PageFramework(
            title=framework.title,
            url=openable(framework.url),
            counts=framework.counts,
            covered=[_control(control, framework.id) for control in framework.controls if _is_covered(control)],
            not_covered=[control.id for control in framework.controls if not _is_covered(control)],
        )
        for framework in report.frameworks
        if any(map(_is_covered, framework.controls))
    ]


def _is_covered(control: ControlResult) -> bool:
    return control.standing is not ControlStanding.NOT_COVERED


def _control(control: ControlResult, framework: str) -> PageControl:
    return PageControl(
        key=f"{framework}#{control.id}",
        id=control.id,
        title=control.title,
        standing=control.standing,
        flagged=control.flagged,
        waived=control.waived,
        unknown=control.unknown,
        passed=control.passed,
    )
