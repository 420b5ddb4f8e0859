"""What is known before a scan is sealed, from files and the configuration: the input of `organisation.joining`."""

from collections.abc import Collection, Sequence

import msgspec

from cloudscan.days import UTC_NAME
from cloudscan.organisation.register import PartnerTable
from cloudscan.organisation.template import Intent
from cloudscan.reason import Reason
from cloudscan.roster.people import People


class Staff(msgspec.Struct, frozen=True, kw_only=True):
    """Everyone whom rosters named, and how far that can be trusted."""

    people: People = People()
    unjudged: Collection[str] = ()  # numbers and addresses in rows that could not be understood
    doubt: Reason | None = None  # why today's roster could not be taken, so that an earlier one stands in
    is_configured: bool = False  # there is a roster; else people are who the directories say


class Knowledge(msgspec.Struct, frozen=True, kw_only=True):
    """All that the organisation knows and intends."""

    timezone: str = UTC_NAME
    domains: Collection[str] = ()  # ours, in lower case
    staff: Staff = Staff()
    partners: Sequence[PartnerTable] = ()  # the register
    intent: Intent = Intent()  # permission templates
