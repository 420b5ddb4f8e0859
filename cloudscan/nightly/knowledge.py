"""What the organisation knows on a night: its roster and its register, read from where the configuration says.

A roster that cannot be read or trusted is a gap of this night: the scan continues with what earlier ones said.
A template that cannot be read is one, too.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from cloudscan.config import Config, RankTable
from cloudscan.days import day_of
from cloudscan.errors import ConfigurationError
from cloudscan.facts import RANKS
from cloudscan.nightly.exemptions import exemptions_on
from cloudscan.nightly.template_files import read_templates
from cloudscan.organisation.knowledge import Knowledge, Staff
from cloudscan.organisation.rank_lines import RankLine, Source, is_single
from cloudscan.organisation.template import Intent
from cloudscan.reason import Reason
from cloudscan.roster import memory
from cloudscan.roster.history import History, doubt, merge
from cloudscan.roster.people import people_of
from cloudscan.roster.reading import Roster, read_roster
from cloudscan.roster.table import read_table

_SOURCES: Final[Mapping[str, Source]] = {
    "places": Source.PATTERN,
    "tags": Source.TAG,
    "labels": Source.LABEL,
    "containers": Source.PATTERN,
    "departments": Source.DEPARTMENT,
}


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is known, and what has to be remembered of it for later nights."""

    knowledge: Knowledge
    history: History | None = None  # of rosters, with tonight's; None: there is nothing new to remember

    def remember(self, config: Config) -> None:
        """Keep tonight's roster. Raises `ConfigurationError` if it cannot be written."""
        if self.history is not None:
            memory.save(config.folder, self.history)


def known_on(config: Config, now: datetime) -> Known:
    """All that is known on the day of `now`. Raises `ConfigurationError` if what earlier rosters said is damaged."""
    staff, history = _staff(config, now)
    knowledge = Knowledge(
        timezone=config.organisation.timezone,
        domains=config.estate.domains,
        staff=staff,
        partners=config.partners,
        exemptions=exemptions_on(config, now),
        ranks=rank_lines(config.ranks),
        intent=_intent(config),
    )
    return Known(knowledge=knowledge, history=history)


def rank_lines(tables: Iterable[RankTable]) -> list[RankLine]:
    """Every value of ``[[ranks]]``, in the order of the file."""
    return [
        RankLine(rank=RANKS[table.rank], source=_source(key, value), value=value, is_container=key == "containers")
        for table in tables
        for key in _SOURCES
        for value in getattr(table, key)
    ]


def _source(key: str, value: str) -> Source:
    return Source.EXPLICIT if key == "places" and is_single(value) else _SOURCES[key]


def _staff(config: Config, now: datetime) -> tuple[Staff, History | None]:
    if not config.roster.file:
        return Staff(), None
    history, today = memory.load(config.folder), day_of(now, config.organisation.timezone)
    try:
        roster = _read(config, now)
    except OSError as error:
        return _in_doubt(history, "roster-unreadable", why=error.strerror or type(error).__name__), None
    except ConfigurationError as error:
        return _in_doubt(history, "roster-unreadable", why=str(error)), None
    if broken := doubt(history, roster, today):
        return _in_doubt(history, f"roster-{broken}"), None
    merged = merge(history, roster, today)
    return Staff(people=people_of(merged), unjudged=roster.unjudged, is_configured=True), merged


def _read(config: Config, now: datetime) -> Roster:
    settings, timezone = config.roster, config.organisation.timezone
    table = read_table(Path(settings.file).read_bytes(), settings.file, settings.columns, settings.encoding)
    return read_roster(table, today=day_of(now, timezone), timezone=timezone)


def _in_doubt(history: History, code: str, **values: str) -> Staff:
    """What earlier rosters said."""
    return Staff(people=people_of(history), doubt=Reason(code=code, values=values), is_configured=True)


def _intent(config: Config) -> Intent:
    templates, problems = read_templates(config.templates.files)
    if not problems:
        return Intent(templates=templates)
    why = Reason(code="templates-unreadable", values={"why": str(problems[0])})
    return Intent(templates=templates, doubt=why)
