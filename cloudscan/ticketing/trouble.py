"""What went wrong in a tracker: one thing at a time, so that everything else goes on."""

from datetime import datetime

import msgspec

from cloudscan.errors import CloudscanError
from cloudscan.sentence import Sentence


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that failed. `id` is the same in each run in which it fails."""

    tracker: str
    id: str
    what: Sentence  # what failed, and where
    error: CloudscanError  # why, and what to do next


class OngoingTrouble(msgspec.Struct, frozen=True, kw_only=True):
    """Something that failed in the run before too: it was told then."""

    trouble: Trouble
    since: datetime
    runs: int  # this one included


def kind_of(error: CloudscanError) -> str:
    """What distinguishes an error from another about the same thing; its words may contain a time or a number."""
    return type(error).__name__.lower()
