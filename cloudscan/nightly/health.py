"""Whether the nights go well, in one word for a monitoring system. Pure functions over what the ledger remembers.

The words and codes are those of monitoring plugins (Monitoring Plugins Development Guidelines): OK 0, WARNING 1,
CRITICAL 2, UNKNOWN 3.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import IntEnum

import msgspec

from cloudscan.facts import Outcome
from cloudscan.finding import Severity
from cloudscan.nightly.metrics import Metric, one
from cloudscan.report import Scan, ScanFigures


class Level(IntEnum):
    """How bad it is, and the exit code."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """From where on it is bad."""

    max_age: timedelta = timedelta(hours=26)
    drop_percent: float = 20.0  # fewer scopes or resources than in the scan before
    throttle_percent: float = 10.0  # of the requests


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    name: str
    level: Level
    words: str


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict."""

    level: Level
    checks: Sequence[Check]
    age_seconds: float | None  # of the last scan; None: there is none

    @property
    def line(self) -> str:
        """One line: the word, what is wrong (or the state of things), and numbers for a plugin's graphs."""
        bad = [check.words for check in self.checks if check.level is not Level.OK]
        words = "; ".join(bad or [check.words for check in self.checks])
        age = "" if self.age_seconds is None else f" | age={self.age_seconds:.0f}s"
        return f"CLOUDSCAN {self.level.name} - {words}{age}"


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be seen in the folder of scans."""

    running: bool = False
    interrupted_on: datetime | None = None  # when a scan began that nobody finished
    unentered: int = 0  # snapshots that wait for the ledger


def verdict(scans: Sequence[Scan], left: Left, now: datetime, limits: Limits) -> Health:
    """Judge the last of the scans (the oldest first) and what is left in the folder."""
    last = scans[-1] if scans else None
    checks = [_age(last, left, now, limits), *_leftovers(left)]
    if last:
        checks += [_complete(last), *_night(last, scans[-2] if len(scans) > 1 else None, limits)]
    age = (now - _ended(last)).total_seconds() if last else None
    return Health(level=max(check.level for check in checks), checks=checks, age_seconds=age)


def unknown(why: str) -> Health:
    """The verdict where nothing can be looked at."""
    return Health(level=Level.UNKNOWN, checks=[Check(name="ledger", level=Level.UNKNOWN, words=why)], age_seconds=None)


def metrics(health: Health) -> Sequence[Metric]:
    """The verdict in numbers."""
    found = [
        one("health_status", "0 OK, 1 warning, 2 critical, 3 unknown.", int(health.level)),
        Metric(
            name="health_check",
            told="The same for each thing that is looked at.",
            values={check.name: int(check.level) for check in health.checks},
            label="check",
        ),
    ]
    if health.age_seconds is not None:
        found.append(one("health_scan_age_seconds", "How long ago the last scan ended.", round(health.age_seconds)))
    return found


def _age(last: Scan | None, left: Left, now: datetime, limits: Limits) -> Check:
    now_running = "; a scan is running" if left.running else ""
    if last is None:
        return Check(name="age", level=Level.CRITICAL, words=f"no scan was ever entered{now_running}")
    age = now - _ended(last)
    words = f"the last scan ended {_ended(last):%Y-%m-%d %H:%M} UTC, {_span(age)} ago"
    if age > limits.max_age:
        return Check(name="age", level=Level.CRITICAL, words=f"{words}, more than {_span(limits.max_age)}{now_running}")
    return Check(name="age", level=Level.OK, words=words)


def _leftovers(left: Left) -> Iterator[Check]:
    if left.running:
        return
    if left.interrupted_on is not None:
        words = f"the scan that began {left.interrupted_on:%Y-%m-%d %H:%M} UTC died; start `cloudscan scan` again"
        yield Check(name="died", level=Level.CRITICAL, words=words)
    if left.unentered:
        words = f"{left.unentered} snapshot(s) not entered into the ledger; start `cloudscan scan` again"
        yield Check(name="unentered", level=Level.CRITICAL, words=words)


def _complete(last: Scan) -> Check:
    scopes = last.figures.scopes if last.figures and last.figures.scopes else {}
    unread = sum(count for outcome, count in scopes.items() if outcome not in (Outcome.COMPLETE, Outcome.SKIPPED))
    if last.complete:
        work = sum(last.figures.findings.values()) if last.figures else 0
        urgent = last.figures.findings.get(Severity.CRITICAL, 0) if last.figures else 0
        return Check(name="complete", level=Level.OK, words=f"all was read; {work} finding(s), {urgent} critical")
    how = f"{unread} of {sum(scopes.values())} scopes" if unread else "parts of what was in scope"
    return Check(name="complete", level=Level.WARNING, words=f"{how} could not be read")


def _night(last: Scan, before: Scan | None, limits: Limits) -> Iterator[Check]:
    now = last.figures
    if now is None:
        return
    if before is not None and before.figures is not None:
        yield from _covered(now, before.figures, limits)
    if now.requests and now.throttles is not None:
        percent = 100 * now.throttles / now.requests
        level = Level.WARNING if percent > limits.throttle_percent else Level.OK
        yield Check(name="throttled", level=level, words=f"{percent:.0f}% of the requests were throttled")


def _covered(now: ScanFigures, before: ScanFigures, limits: Limits) -> Iterator[Check]:
    pairs = {"scopes": (_read(before), _read(now)), "resources": (before.resources, now.resources)}
    for what, (then, today) in pairs.items():
        if then is None or today is None:
            continue
        level = Level.CRITICAL if today < then * (1 - limits.drop_percent / 100) else Level.OK
        fell = "fell" if today < then else "went"
        yield Check(name=what, level=level, words=f"{what} {fell} from {then} to {today}")


def _read(figures: ScanFigures) -> int | None:
    return None if figures.scopes is None else figures.scopes.get(Outcome.COMPLETE, 0)


def _ended(scan: Scan) -> datetime:
    return scan.finished_on or scan.started_on


def _span(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:.0f} h" if hours >= 1 else f"{hours * 60:.0f} min"
