"""The health of the nightly scans, in one word for monitoring. Pure functions over what the ledger remembers.

The words and codes are those of monitoring plugins (Monitoring Plugins Development Guidelines): OK 0, WARNING 1,
CRITICAL 2, UNKNOWN 3.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Final

import msgspec

from cloudscan.channel import Channel, ChannelKind
from cloudscan.facts import Outcome
from cloudscan.finding import Severity
from cloudscan.nightly.metrics import Metric, one
from cloudscan.report import GapState, Scan, ScanFigures
from cloudscan.sentence import Sentence, joined, say

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCK_DRIFT: Final = timedelta(hours=1)  # by which clocks may differ


class Level(IntEnum):
    """How bad it is, and the exit code."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What is tolerated."""

    max_age: timedelta = timedelta(hours=26)
    drop_percent: float = 20.0  # fewer scopes or resources than in the previous scan
    throttle_percent: float = 10.0  # of the requests


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one check."""

    name: str
    level: Level
    message: Sentence


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The results of all checks, and the worst of their levels."""

    level: Level
    checks: Sequence[Check]
    age_seconds: float | None  # of the last scan; None: there is none

    @property
    def line(self) -> Sentence:
        """One line: the level, what is wrong (or else the state), and numbers for a plugin's graphs."""
        bad = [check.message for check in self.checks if check.level is not Level.OK]
        message = joined(bad or [check.message for check in self.checks], "; ")
        age = "" if self.age_seconds is None else f" | age={self.age_seconds:.0f}s"
        return joined((f"CLOUDSCAN {self.level.name} - ", message, age), "")


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What earlier scans left in the folder of scans."""

    hidden: bool = False  # the folder cannot be read
    running: bool = False
    interrupted_on: datetime | None = None  # when an unfinished scan began
    unrecorded: int = 0  # snapshots that are not recorded in the ledger yet


class Informed(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told of scans, and who should be."""

    channels: Sequence[Channel] = ()
    notified: bool = False  # every scan should be followed by notifications
    trackers: Sequence[str] = ()  # should be up to date with a scan that is not older than `Limits.max_age`


def verdict(
    scans: Sequence[Scan], left: Left, now: datetime, limits: Limits, informed: Informed | None = None
) -> Health:
    """Check the last of the scans (given in the order of their start), what is left in the folder, who was told."""
    last = scans[-1] if scans else None
    checks = [_age(last, left, now, limits), *_leftovers(left)]
    if last:
        checks += [_complete(last), *_figures(last, scans[-2] if len(scans) > 1 else None, limits)]
        if informed and not left.running:
            checks += [*_notified(informed, scans), *_up_to_date(informed, scans, limits)]
    age = (now - _ended(last)).total_seconds() if last else None
    return Health(level=max(check.level for check in checks), checks=checks, age_seconds=age)


def unknown(why: Sentence) -> Health:
    """The result if the ledger cannot be read."""
    return Health(
        level=Level.UNKNOWN, checks=[Check(name="ledger", level=Level.UNKNOWN, message=why)], age_seconds=None
    )


def metrics(health: Health) -> Sequence[Metric]:
    """The results in numbers."""
    gauges = [
        one("health_status", "0 OK, 1 warning, 2 critical, 3 unknown.", int(health.level)),
        Metric(
            name="health_check",
            description="The level of each check.",
            values={check.name: int(check.level) for check in health.checks},
            label="check",
        ),
    ]
    if health.age_seconds is not None:
        gauges.append(one("health_scan_age_seconds", "How long ago the last scan ended.", round(health.age_seconds)))
    return gauges


def _age(last: Scan | None, left: Left, now: datetime, limits: Limits) -> Check:
    now_running = say("; a scan is running") if left.running else ""
    if last is None:
        return Check(
            name="age", level=Level.CRITICAL, message=say("no scan was ever recorded{running}", running=now_running)
        )
    age = now - _ended(last)
    if age < -_CLOCK_DRIFT:
        when = f"{_ended(last):%Y-%m-%d %H:%M} UTC"
        message = say("the last scan is dated {when}, later than now; see `cloudscan ledger repair`", when=when)
        return Check(name="age", level=Level.CRITICAL, message=message)
    when = f"{_ended(last):%Y-%m-%d %H:%M} UTC"
    message = say("the last scan ended {when}, {age} ago", when=when, age=_span(age))
    if age > limits.max_age:
        late = say(
            "{message}, more than {limit}{running}", message=message, limit=_span(limits.max_age), running=now_running
        )
        return Check(name="age", level=Level.CRITICAL, message=late)
    return Check(name="age", level=Level.OK, message=message)


def _leftovers(left: Left) -> Iterator[Check]:
    if left.hidden:
        message = say("the folder of snapshots cannot be read: whether a later scan died is not known")
        yield Check(name="died", level=Level.OK, message=message)
    if left.running:
        return
    if left.interrupted_on is not None:
        message = say(
            "the scan that began {when} UTC did not finish: it was killed, or ended with an error; start "
            "`cloudscan scan` again, which resumes it or says why",
            when=f"{left.interrupted_on:%Y-%m-%d %H:%M}",
        )
        yield Check(name="died", level=Level.CRITICAL, message=message)
    if left.unrecorded:
        message = say(
            "{count} snapshot(s) not recorded in the ledger; start `cloudscan scan` again", count=left.unrecorded
        )
        yield Check(name="unrecorded", level=Level.CRITICAL, message=message)


def _complete(last: Scan) -> Check:
    """Waived gaps are decisions; all others are a warning, and the new ones are named first."""
    counts = last.figures.gaps if last.figures and last.figures.gaps else {}
    waived = counts.get(GapState.WAIVED, 0)
    but = say(" but for {count} waived gap(s)", count=waived) if waived else ""
    if last.complete:
        work = sum(last.figures.findings.values()) if last.figures else 0
        urgent = last.figures.findings.get(Severity.CRITICAL, 0) if last.figures else 0
        message = say(
            "everything was read{but}; {work} finding(s), {urgent} critical", but=but, work=work, urgent=urgent
        )
        return Check(name="complete", level=Level.OK, message=message)
    new, known = counts.get(GapState.NEW, 0), counts.get(GapState.KNOWN, 0)
    scopes = last.figures.scopes if last.figures and last.figures.scopes else {}
    unread = sum(count for outcome, count in scopes.items() if Outcome(outcome).is_gap)
    how = [say("{count} new gap(s)", count=new)] if new else []
    how += [say("{count} known gap(s)", count=known)] if known else []
    how += (
        [say("{unread} of {all} scopes could not be read", unread=unread, all=sum(scopes.values()))] if unread else []
    )
    message = joined(how, ", ") if how else say("parts of what was in scope could not be read")
    return Check(name="complete", level=Level.WARNING, message=message)


def _notified(informed: Informed, scans: Sequence[Scan]) -> Iterator[Check]:
    """Whether every address was told of the last scan, and of all before it."""
    addresses = [one for one in informed.channels if one.kind is ChannelKind.ADDRESS]
    behind = [
        one for one in addresses if one.failing_since or (informed.notified and one.id and one.scan_id != scans[-1].id)
    ]
    if informed.notified and not addresses:
        yield Check(name="notified", level=Level.WARNING, message=say("nobody was notified of any scan yet"))
    elif behind:
        since = min((_scan_of(one, scans) for one in behind), key=lambda scan: scan.started_on if scan else _LONG_AGO)
        message = say(
            "{count} of {all} notification address(es) {when}",
            count=len(behind),
            all=len(addresses),
            when=_last_informed(since),
        )
        yield Check(name="notified", level=Level.WARNING, message=message)
    elif addresses:
        yield Check(name="notified", level=Level.OK, message=say("everybody was notified of the last scan"))


def _up_to_date(informed: Informed, scans: Sequence[Scan], limits: Limits) -> Iterator[Check]:
    """Whether the tickets of every tracker follow the scans."""
    known = {one.id: one for one in informed.channels if one.kind is ChannelKind.TRACKER}
    for name in informed.trackers:
        channel = known.get(name)
        scan = _scan_of(channel, scans) if channel else None
        age = scans[-1].started_on - (scan or scans[0]).started_on
        late = (channel is not None and channel.failing_since is not None) or age > limits.max_age
        behind = say("the tracker {name} {when}", name=name, when=_last_informed(scan))
        message = behind if late else say("the tracker {name} follows the scans", name=name)
        yield Check(name=f"tracker-{name}", level=Level.WARNING if late else Level.OK, message=message)


def _scan_of(channel: Channel, scans: Sequence[Scan]) -> Scan | None:
    return next((scan for scan in scans if scan.id == channel.scan_id), None)


def _last_informed(scan: Scan | None) -> Sentence:
    if scan is None:
        return say("was told of no scan yet")
    return say("was last told of the scan of {when} UTC", when=f"{scan.started_on:%Y-%m-%d %H:%M}")


def _figures(last: Scan, before: Scan | None, limits: Limits) -> Iterator[Check]:
    now = last.figures
    if now is None:
        return
    if before is not None and before.figures is not None:
        yield from _drops(now, before.figures, limits)
    if now.requests and now.throttles is not None:
        percent = 100 * now.throttles / now.requests
        level = Level.WARNING if percent > limits.throttle_percent else Level.OK
        yield Check(
            name="throttled",
            level=level,
            message=say("{percent}% of the requests were throttled", percent=f"{percent:.0f}"),
        )


def _drops(now: ScanFigures, before: ScanFigures, limits: Limits) -> Iterator[Check]:
    pairs = {
        "scopes": (say("scopes"), _read(before), _read(now)),
        "resources": (say("resources"), before.resources, now.resources),
    }
    for name, (what, then, today) in pairs.items():
        if then is None or today is None:
            continue
        level = Level.CRITICAL if today < then * (1 - limits.drop_percent / 100) else Level.OK
        fell = say("{what} fell from {then} to {today}", what=what, then=then, today=today)
        went = say("{what} went from {then} to {today}", what=what, then=then, today=today)
        yield Check(name=name, level=level, message=fell if today < then else went)


def _read(figures: ScanFigures) -> int | None:
    return None if figures.scopes is None else figures.scopes.get(Outcome.COMPLETE, 0)


def _ended(scan: Scan) -> datetime:
    return scan.finished_on or scan.started_on


def _span(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:.0f} h" if hours >= 1 else f"{hours * 60:.0f} min"
