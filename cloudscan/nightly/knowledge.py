"""What the organisation knows on a night: its roster and its register, read from where the configuration says.

A roster that cannot be read or trusted is a gap of this night, and the scan goes on.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from cloudscan.config import Config, RankTable
from cloudscan.days import day_of
from cloudscan.errors import ConfigurationError
from cloudscan.facts import RANKS
from cloudscan.organisation.knowledge import Knowledge, Staff, Worker
from cloudscan.organisation.rank_lines import RankLine, Source
from cloudscan.reason import Reason
from cloudscan.roster.reading import read_roster
from cloudscan.roster.table import read_table

_SOURCES: Final[Mapping[str, Source]] = {
    "resources": Source.EXPLICIT,
    "tags": Source.TAG,
    "labels": Source.LABEL,
    "paths": Source.PATTERN,
    "containers": Source.PATTERN,
    "departments": Source.DEPARTMENT,
}


def knowledge_of(config: Config, now: datetime) -> Knowledge:
    """All that is known on the organisation's day of `now`."""
    return Knowledge(
        timezone=config.organisation.timezone,
        domains=config.estate.domains,
        staff=_staff(config, now),
        ranks=rank_lines(config.ranks),
    )


def rank_lines(tables: Iterable[RankTable]) -> list[RankLine]:
    """Every value of ``[[ranks]]``, in the order of the file."""
    return [
        RankLine(
            rank=RANKS[table.rank],
            source=source,
            value=value,
            platform=table.platform,
            of_container=key == "containers",
        )
        for table in tables
        for key, source in _SOURCES.items()
        for value in getattr(table, key)
    ]


def _staff(config: Config, now: datetime) -> Staff:
    if not config.roster.file:
        return Staff()
    timezone = config.organisation.timezone
    try:
        data = Path(config.roster.file).read_bytes()
        table = read_table(data, config.roster.file, config.roster.columns, config.roster.encoding)
    except OSError as error:
        return Staff(is_configured=True, doubt=_unreadable(error.strerror or type(error).__name__))
    except ConfigurationError as error:
        return Staff(is_configured=True, doubt=_unreadable(str(error)))
    roster = read_roster(table, today=day_of(now, timezone), timezone=timezone)
    return Staff(
        workers=[Worker(entry=entry) for entry in roster.entries], unjudged=roster.unjudged, is_configured=True
    )


def _unreadable(why: str) -> Reason:
    return Reason(code="roster-unreadable", values={"why": why})
