"""What is known before a scan is sealed, from files and the configuration: the input of `organisation.joining`."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

import msgspec

from cloudscan.days import UTC_NAME
from cloudscan.facts import NEVER
from cloudscan.organisation.rank_lines import RankLine
from cloudscan.organisation.register import PartnerTable
from cloudscan.organisation.template import Intent
from cloudscan.reason import Reason
from cloudscan.roster.people import People
from cloudscan.snapshot.organisation import NO_DAY


class Staff(msgspec.Struct, frozen=True, kw_only=True):
    """Everyone whom rosters named, and how far that can be trusted."""

    people: People = People()
    unjudged: Collection[str] = ()  # numbers and addresses in rows that could not be understood
    doubt: Reason | None = None  # why today's roster could not be taken, so that an earlier one stands in
    is_configured: bool = False  # there is a roster; else people are who the directories say


class Exemption(msgspec.Struct, frozen=True, kw_only=True):
    """An exception that somebody made: a waiver, or a partner whom the configuration names."""

    uid: str
    kind: str  # as in `cloudscan.snapshot.organisation.WaiverRow`, and so are the others
    extent: str
    target: str
    rule_id: str = ""
    owner: str = ""
    stated_reason: str = ""
    given_on: datetime = NEVER
    until: date = NO_DAY
    covers: int | None = 0  # None: nothing counts it
    renewals: int = 0
    reviewed_on: datetime = NEVER


class Exemptions(msgspec.Struct, frozen=True, kw_only=True):
    """All exceptions that are known of, and the reviews of those that only a platform knows of."""

    known: Sequence[Exemption] = ()
    reviewed: Mapping[str, datetime] = {}  # the last time, by uid
    doubt: Reason | None = None  # why the ledger could not be asked


class Knowledge(msgspec.Struct, frozen=True, kw_only=True):
    """All that the organisation knows and intends."""

    timezone: str = UTC_NAME
    domains: Collection[str] = ()  # ours, in lower case
    staff: Staff = Staff()
    ranks: Sequence[RankLine] = ()
    partners: Sequence[PartnerTable] = ()  # the register
    exemptions: Exemptions = Exemptions()
    intent: Intent = Intent()  # permission templates
