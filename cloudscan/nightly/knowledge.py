"""What the organisation knows on a night: its roster and its register, read from where the configuration says.

A roster that cannot be read or trusted is a gap of this night, and the scan goes on.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from cloudscan.config import Config, PartnerTable
from cloudscan.days import day_of
from cloudscan.errors import ConfigurationError, LedgerError
from cloudscan.facts import NEVER
from cloudscan.ledger.ledger import Ledger
from cloudscan.organisation.knowledge import Exemption, Exemptions, Knowledge, Staff, Worker
from cloudscan.reason import Reason
from cloudscan.report import WaiverStatus
from cloudscan.roster.reading import read_roster
from cloudscan.roster.table import read_table
from cloudscan.snapshot.organisation import NO_DAY, ORGANISATION, waiver_uid

_SHOWN: Final = 12  # characters of an id


def knowledge_of(config: Config, now: datetime) -> Knowledge:
    """All that is known on the organisation's day of `now`."""
    return Knowledge(
        timezone=config.organisation.timezone,
        domains=config.estate.domains,
        staff=_staff(config, now),
        exemptions=_exemptions(config, now),
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


def _unreadable(why: str) -> Reason:
    return Reason(code="roster-unreadable", values={"why": why})


def _exemptions(config: Config, now: datetime) -> Exemptions:
    """The waivers that count, and the partners whom the configuration names, with the reviews of both."""
    ledger = Ledger(config.ledger_url, calendar=config.calendar)
    try:
        waivers, reviews = ledger.waivers(now=now, due_days=config.waivers.due_days), ledger.reviews()
    except LedgerError as error:
        return Exemptions(doubt=Reason(code="waivers-unreadable", values={"why": str(error)}))
    reviewed = {uid: some[-1].on for uid, some in reviews.items()}
    return Exemptions(
        known=[
            *(_exemption(status) for status in waivers if status.current),
            *(_partner(partner, reviewed) for partner in config.partners),
        ],
        reviewed=reviewed,
    )


def _exemption(status: WaiverStatus) -> Exemption:
    waiver = status.waiver
    is_uid = ":" in waiver.target  # an account's number or name has none
    extents = {
        "finding": waiver.fingerprint,
        "gap": waiver.gap,
        "rule-and-target": waiver.rule_id and waiver.target,
        "rule": waiver.rule_id,
        "account": "" if is_uid else waiver.target,
        "resource": waiver.target,
    }
    return Exemption(
        uid=waiver_uid(waiver.id),
        kind="waiver",
        extent=next(name for name, value in extents.items() if value),
        target=waiver.target or waiver.fingerprint[:_SHOWN] or waiver.gap[:_SHOWN],
        rule_id=waiver.rule_id,
        owner=waiver.owner,
        stated_reason=waiver.reason,
        given_on=waiver.given_on,
        until=waiver.until,
        covers=len(status.findings),
        renewals=status.renewals,
        reviewed_on=status.reviews[-1].on if status.reviews else NEVER,
    )


def _partner(partner: PartnerTable, reviewed: Mapping[str, datetime]) -> Exemption:
    uid = f"{ORGANISATION}:allowed-partner/{partner.name}"
    return Exemption(
        uid=uid,
        kind="partner",
        extent="partner",
        target=partner.name,
        owner=partner.owner,
        until=partner.contract_ends or NO_DAY,
        covers=None,
        reviewed_on=reviewed.get(uid, NEVER),
    )
