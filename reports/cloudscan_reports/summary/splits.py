"""Where the work is: by platform, account and department, and how much of each platform was read."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, TypeVar

from cloudscan.finding import Severity
from cloudscan.report import Report
from cloudscan_reports.summary.counts import by_severity
from cloudscan_reports.summary.open_fixes import OpenFix, department_of
from cloudscan_wording.texts import Texts

MOST_ROWS: Final = 8
"""Rows of a split; the others are summed up in one."""

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, kw_only=True)
class SplitRow:
    """The open fixes of one part of the estate."""

    name: str
    fixes: int
    findings: int
    severities: Mapping[Severity, int]  # fixes by severity, worst first, zeros included
    overdue: int
    median_age: float  # days


@dataclass(frozen=True, kw_only=True)
class Split:
    """The open fixes by one criterion: platform, account or department."""

    by: str
    rows: Sequence[SplitRow]  # the most critical ones first


@dataclass(frozen=True, kw_only=True)
class PlatformRead:
    """How much of a platform was read: its scopes, such as accounts, drives, sites."""

    name: str
    total: int
    whole: int
    partly: int
    kinds: Sequence[tuple[str, int, int]]  # name, read completely, of how many

    @property
    def share(self) -> float:
        """Read completely, 0 to 1."""
        return self.whole / self.total if self.total else 0.0


def splits(waiting: Sequence[OpenFix], texts: Texts) -> Sequence[Split]:
    """The splits that say something: those with more than one row, and by platform in any case."""
    made = [
        _split("platform", waiting, lambda one: one.worst.verdict.subject.platform, _platform(texts), texts),
        _split("account", waiting, _account, lambda key: _account_name(key, texts), texts),
        _split("department", waiting, lambda one: department_of(one.worst.verdict), _department(texts), texts),
    ]
    return [split for split in made if split.rows and (split.by == "platform" or len(split.rows) > 1)]


def platforms_read(report: Report, texts: Texts) -> Sequence[PlatformRead]:
    """How much of each platform was read; empty if an older cloudscan did not count."""
    by_platform = defaultdict(list)
    for read in report.scan.read:
        by_platform[read.platform].append(read)
    return [
        PlatformRead(
            name=texts.name("platform", platform),
            total=sum(one.total for one in kinds),
            whole=sum(one.whole for one in kinds),
            partly=sum(one.partly for one in kinds),
            kinds=[
                (texts.plural("kind", one.kind, one.total), one.whole, one.total)
                for one in sorted(kinds, key=lambda one: (one.whole - one.total, one.kind))
            ],
        )
        for platform, kinds in sorted(by_platform.items())
    ]


def _split(
    by: str, waiting: Sequence[OpenFix], key: Callable[[OpenFix], Key], name: Callable[[Key], str], texts: Texts
) -> Split:
    groups: dict[Key, list[OpenFix]] = defaultdict(list)
    for one in waiting:
        groups[key(one)].append(one)
    ordered = sorted(groups.items(), key=lambda group: (*_gravity(group[1]), str(group[0])))
    rows = [_row(name(identity), group) for identity, group in ordered[:MOST_ROWS]]
    rest = [one for _, group in ordered[MOST_ROWS:] for one in group]
    if rest:
        rows.append(_row(texts.count("splits.others", len(ordered) - MOST_ROWS), rest))
    return Split(by=by, rows=rows)


def _gravity(group: Sequence[OpenFix]) -> tuple[int, ...]:
    return tuple(-n for n in by_severity(group).values())


def _row(name: str, group: Sequence[OpenFix]) -> SplitRow:
    return SplitRow(
        name=name,
        fixes=len(group),
        findings=sum(len(one.fix.findings) for one in group),
        severities=by_severity(group),
        overdue=sum(one.overdue for one in group),
        median_age=median(one.age for one in group),
    )


def _account(one: OpenFix) -> tuple[str, str]:
    return one.worst.verdict.subject.platform, one.worst.verdict.subject.account


def _account_name(key: tuple[str, str], texts: Texts) -> str:
    platform, account = key
    name = texts.name("platform", platform)
    return texts.say("splits.account", platform=name, account=account) if account else name


def _platform(texts: Texts) -> Callable[[str], str]:
    return lambda platform: texts.name("platform", platform)


def _department(texts: Texts) -> Callable[[str], str]:
    return lambda department: department or texts.say("splits.no_department")
