"""The report as a value: the only thing that formats and trackers receive."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import msgspec

from cloudscan.facts import Outcome
from cloudscan.finding import Confidence, Finding, Severity, Verdict

SCHEMA_VERSION = "1.0"


class RuleText(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule says to people, in one language. `message` may hold ``{column}`` fields."""

    title: str
    message: str
    why: str
    fix: str  # steps, one a line; a line in backticks is a command to run


class RuleSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that was applied, and how it came out."""

    id: str
    version: str  # hash of the rule file
    severity: Severity
    confidence: Confidence
    cause: str
    likelihood: int
    effort: str
    text: Mapping[str, RuleText]
    frameworks: Sequence[str] = ()
    needs: Mapping[str, str] = {}  # by language: which right is missing when the answer is unknown
    flagged: int = 0
    unknown: int = 0
    passed: int = 0


class Coverage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far one table of one scope was read, and why not further."""

    scope_uid: str
    scope_name: str
    platform: str
    account: str
    table: str
    outcome: Outcome
    reason: str = ""
    needs: str = ""
    resource_uid: str | None = None
    seen: int | None = None
    total: int | None = None
    facts: int = 0
    requests: int = 0


class ScanSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One run: when, what, how much."""

    id: str
    started_on: datetime
    finished_on: datetime
    complete: bool
    resources: Mapping[str, int]  # by kind
    scopes: Mapping[str, int]  # by outcome
    requests: int
    throttles: int = 0  # answers that asked for a pause
    retries: int = 0  # requests that were made again


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was scanned, what was found in the order of work, what could not be told."""

    schema: str = SCHEMA_VERSION
    tool: str  # "cloudscan 0.1.0"
    generated_on: datetime
    organisation: str
    scan: ScanSummary
    rules: Sequence[RuleSummary]
    findings: Sequence[Finding]  # highest score first
    unknowns: Sequence[Verdict]  # not evaluated, and why
    coverage: Sequence[Coverage]  # one row per scope and table that is not complete, complete ones summed per account


class NoOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a format without options takes."""


@dataclass(frozen=True, kw_only=True)
class ReportFormat:
    """What the entry point group `cloudscan.reports` resolves to: one way to write a report down."""

    name: str  # as in ``--format html``
    title: str
    suffix: str  # of the file, with the dot
    write: Callable[[Report, str], str | bytes]  # (report, language) to the whole file; bytes where it is no text
    show: "Show | None" = None  # the same for a terminal, where the format has a way to show itself there
    options: type[msgspec.Struct] = NoOptions  # the keys of ``[reports.<name>]``
    using: "Callable[[Any], ReportFormat] | None" = None  # the same format with such options


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What hand-outs say that no scan can know: whom to ask, and how many days there are to put something right."""

    contact: str = ""
    days: Mapping[Severity, int]


@dataclass(frozen=True, kw_only=True)
class HandoutFormat:
    """What the entry point group `cloudscan.handouts` resolves to: one way to write down a page an owner."""

    name: str  # as in ``--format html``
    title: str
    suffix: str
    write: Callable[
        [Report, str, Terms], Iterable[tuple[str, str | bytes]]
    ]  # file names, safe everywhere, and contents


class Show(Protocol):
    """A report for a terminal: in colour or not, for so many columns."""

    def __call__(self, report: Report, lang: str, /, *, colour: bool, width: int) -> str: ...
