"""What is known before a scan is sealed, from files and the configuration: the input of `organisation.joining`."""

from collections.abc import Collection, Sequence
from datetime import date

import msgspec

from cloudscan.days import UTC_NAME
from cloudscan.organisation.template import Intent
from cloudscan.reason import Reason
from cloudscan.roster.entry import RosterEntry


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody left a department, on the first day in another one; None where the day is not known."""

    from_department: str
    to_department: str
    on: date | None


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whom rosters named, now or earlier."""

    entry: RosterEntry
    dropped_on: date | None = None  # the day of the first roster without them; None: today's roster names them
    moves: Sequence[Move] = ()


class Staff(msgspec.Struct, frozen=True, kw_only=True):
    """Everyone whom rosters named, and how far that can be trusted."""

    workers: Sequence[Worker] = ()
    unjudged: Collection[str] = ()  # numbers and addresses in rows that could not be understood
    doubt: Reason | None = None  # why today's roster could not be taken, so that an earlier one stands in
    is_configured: bool = False  # there is a roster; else people are who the directories say


class Knowledge(msgspec.Struct, frozen=True, kw_only=True):
    """All that the organisation knows and intends."""

    timezone: str = UTC_NAME
    domains: Collection[str] = ()  # ours, in lower case
    staff: Staff = Staff()
    intent: Intent = Intent()
