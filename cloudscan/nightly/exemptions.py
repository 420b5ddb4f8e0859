"""The exceptions of a night: waivers as the ledger has them, partners as the register does, and their reviews."""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Final

from cloudscan.config import Config
from cloudscan.days import zone
from cloudscan.errors import LedgerError
from cloudscan.facts import NEVER
from cloudscan.ledger.ledger import Ledger
from cloudscan.organisation.knowledge import Exemption, Exemptions
from cloudscan.organisation.register import PartnerTable
from cloudscan.reason import Reason
from cloudscan.report import WaiverStatus
from cloudscan.snapshot.organisation import NO_DAY, ORGANISATION, waiver_uid

_SHOWN: Final = 12  # characters of an id


def exemptions_on(config: Config, now: datetime) -> Exemptions:
    """The waivers that count, and the partners whom the register names, with the reviews of both.

    A ledger that cannot be read is a gap of this night: nobody can say what is waived in it.
    """
    ledger = Ledger(config.ledger_url, calendar=config.calendar)
    try:
        waivers, reviews = ledger.waivers(now=now, due_days=config.waivers.due_days), ledger.reviews()
    except LedgerError as error:
        return Exemptions(doubt=Reason(code="waivers-unreadable", values={"why": str(error)}))
    reviewed = {uid: some[-1].on for uid, some in reviews.items()}
    return Exemptions(
        known=[
            *(_exemption(status) for status in waivers if in_force(status)),
            *(_partner(partner, reviewed, config.organisation.timezone) for partner in config.partners),
        ],
        reviewed=reviewed,
    )


def in_force(status: WaiverStatus) -> bool:
    """Whether a waiver is neither revoked nor past its last day."""
    return status.current and "overdue" not in status.notes


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


def _partner(partner: PartnerTable, reviewed: Mapping[str, datetime], timezone: str) -> Exemption:
    uid = f"{ORGANISATION}:allowed-partner/{partner.key}"
    checked = [datetime.combine(partner.reviewed, time(), zone(timezone)).astimezone(UTC)] if partner.reviewed else []
    return Exemption(
        uid=uid,
        kind="partner",
        extent="partner",
        target=partner.name,
        owner=partner.owner,
        until=partner.last_day or NO_DAY,
        covers=None,
        reviewed_on=max([*checked, *([reviewed[uid]] if uid in reviewed else [])], default=NEVER),
    )
