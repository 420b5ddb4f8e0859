"""What the organisation knows on a night: roster, register, templates, read from where the configuration says.

A roster or a template that cannot be read or trusted is a gap of this night, and the scan goes on.
"""

from datetime import datetime
from pathlib import Path

from cloudscan.config import Config
from cloudscan.days import day_of
from cloudscan.errors import ConfigurationError
from cloudscan.nightly.template_files import read_templates
from cloudscan.organisation.knowledge import Knowledge, Staff, Worker
from cloudscan.organisation.template import Intent
from cloudscan.reason import Reason
from cloudscan.roster.reading import read_roster
from cloudscan.roster.table import read_table


def knowledge_of(config: Config, now: datetime) -> Knowledge:
    """All that is known on the organisation's day of `now`."""
    return Knowledge(
        timezone=config.organisation.timezone,
        domains=config.estate.domains,
        staff=_staff(config, now),
        intent=_intent(config),
    )


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


def _intent(config: Config) -> Intent:
    templates, problems = read_templates(config.templates.files)
    if not problems:
        return Intent(templates=templates)
    why = Reason(code="templates-unreadable", values={"why": str(problems[0])})
    return Intent(templates=templates, doubt=why)


def _unreadable(why: str) -> Reason:
    return Reason(code="roster-unreadable", values={"why": why})
