"""The organisation's days: which day a moment belongs to where the organisation works, and by when a fix is due.

Moments are stored and exchanged in UTC. A day is a day of people: at 00:30 in Tokyo it is still the day before in UTC,
and a deadline ends when the organisation's day ends.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from cloudscan.errors import ConfigurationError
from cloudscan.finding import Finding, Severity
from cloudscan.sentence import say
from cloudscan.text import suggestion

UTC_NAME: Final = "UTC"


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """Where the organisation's days begin, and how many there are to fix a finding."""

    timezone: str = UTC_NAME  # a name of the IANA database: Asia/Tokyo
    deadlines: Mapping[Severity, int] = {}  # from the day a finding was first seen; empty: none
    rank_deadlines: Mapping[int, Mapping[Severity, int]] = {}  # what is otherwise for resources of a rank


@cache
def zone(timezone: str) -> ZoneInfo:
    """The zone of that name. Raises `ConfigurationError`, with the nearest name, where there is none."""
    try:
        return ZoneInfo(timezone)
    except (OSError, ValueError, KeyError) as error:  # KeyError: not found; the others: a folder, a path
        sentence = say("There is no time zone {name}; {near}.", name=repr(timezone), near=nearest_zone(timezone))
        raise ConfigurationError(sentence) from error


def nearest_zone(name: str) -> str:
    """What to write instead of a name that no time zone has."""
    return suggestion(name, sorted(available_timezones()))


def day_of(moment: datetime, timezone: str) -> date:
    """The day that a moment belongs to in a time zone."""
    return moment.astimezone(zone(timezone)).date()


def clock_time(moment: datetime, timezone: str) -> str:
    """A moment for a line of text: 2026-11-23 03:12 JST."""
    local = moment.astimezone(zone(timezone))
    return f"{local:%Y-%m-%d %H:%M} {zone_name(local)}"


def zone_name(local: datetime) -> str:
    """What the zone of a local moment is called: UTC, JST, UTC+03."""
    short = local.tzname() or ""
    return short if short[:1].isalpha() else f"UTC{short}"


def due_day(finding: Finding, calendar: Calendar) -> date | None:
    """The last day on which a fix is in time; None without a deadline for its severity."""
    days = days_to_fix(finding, calendar.deadlines, calendar.rank_deadlines)
    return None if days is None else day_of(finding.first_seen_on, calendar.timezone) + timedelta(days=days)


def days_to_fix(
    finding: Finding, deadlines: Mapping[Severity, int], rank_deadlines: Mapping[int, Mapping[Severity, int]]
) -> int | None:
    """How many days there are to fix a finding: those of its rank, or else of its severity; None without a deadline."""
    own = rank_deadlines.get(finding.verdict.rank or 0, {})
    return own.get(finding.severity, deadlines.get(finding.severity))


def is_overdue(finding: Finding, calendar: Calendar, now: datetime) -> bool:
    """Whether the day on which a fix was due has ended."""
    due = due_day(finding, calendar)
    return due is not None and day_of(now, calendar.timezone) > due
