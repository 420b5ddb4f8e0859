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


def trouble_with(tracker: str, act: str, what: Sentence, error: CloudscanError) -> Trouble:
    """A trouble with an act (``close SEC-1``). Another kind of error is another trouble, other words of it are not:
    they may contain a time or a number.
    """
    return Trouble(tracker=tracker, id=f"{act} {type(error).__name__.lower()}", what=what, error=error)
