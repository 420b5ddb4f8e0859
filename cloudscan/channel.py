"""Who is told of scans, and of which one last: each notification address and each tracker by itself.

What is told is the difference since that scan. So a message that did not arrive is made up for by the next one,
whatever was recorded, removed or judged again in between.
"""

from datetime import datetime
from enum import StrEnum

import msgspec


class ChannelKind(StrEnum):
    """What a channel is."""

    ADDRESS = "address"  # of notifications
    PART = "part"  # of a message to an address that has not arrived in full; its id begins with the address's
    TRACKER = "tracker"


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """One address or one tracker, as the ledger remembers it."""

    kind: ChannelKind
    id: str  # a tracker's name, or a keyed hash of an address: addresses are secrets; empty: all of an older cloudscan
    scan_id: str = ""  # the last scan that it was told of; empty: none
    before_id: str = ""  # the one before that; empty: none
    informed_on: datetime | None = None
    failing_since: datetime | None = None  # the first attempt since then that failed; None: none did
