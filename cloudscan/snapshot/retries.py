"""What follows an attempt at a scope that failed: another one, when, or a row of coverage."""

import threading
import time
from dataclasses import dataclass
from typing import Literal, NamedTuple

from cloudscan.errors import (
    AccessDenied,
    CloudscanError,
    NotOffered,
    ProviderError,
    QuotaSpent,
    StaleCursor,
    Throttled,
    Unreachable,
)
from cloudscan.facts import Outcome
from cloudscan.http.patience import Patience
from cloudscan.reason import Reason
from cloudscan.text import first_line


class Try(NamedTuple):
    """One of several attempts at a scope."""

    number: int  # from 1
    elapsed: float  # seconds since the first one began


@dataclass(frozen=True, kw_only=True)
class Retry:
    """An attempt at a scope failed, and another one is worth it."""

    cause: Literal["throttled", "unreachable", "stale cursor"]
    reason: str  # for the person who watches
    why: Reason
    seconds: float  # until the next attempt


class Pauses:
    """Until when each platform must not be asked, and which ones not at all for the rest of this run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}
        self._closed: dict[str, QuotaSpent] = {}

    def close(self, platform: str, why: QuotaSpent) -> None:
        """Ask the platform nothing more: its quota is used up."""
        with self._lock:
            self._closed[platform] = why

    def check(self, platform: str) -> None:
        """Raise `QuotaSpent` if the platform is closed."""
        if why := self._closed.get(platform):
            raise why

    def pause(self, platform: str, seconds: float) -> None:
        """Let the platform rest from now on; a longer pause that is under way stays."""
        with self._lock:
            self._until[platform] = max(self._until.get(platform, 0.0), time.monotonic() + seconds)

    def remaining(self, platform: str) -> float:
        """Seconds; negative if the pause is over."""
        with self._lock:
            return self._until.get(platform, 0.0) - time.monotonic()


def retry_after(error: CloudscanError, attempt: Try, patience: Patience, *, incremental: bool) -> Retry | None:
    """What follows an attempt that failed; None gives the scope up for now.

    ===========  =========================================================================
    throttled    wait as long as the platform says; its other scopes wait as well
    unreachable  wait, longer each time
    stale cursor read in full, now; of an incremental attempt it uses up none of the attempts
    other errors give up: they would be the same the next time
    ===========  =========================================================================
    """
    if not isinstance(error, ProviderError):
        return None
    reason = first_line(error)
    is_left = patience.is_left(attempt.number, attempt.elapsed, throttled=isinstance(error, Throttled))
    match error:
        case StaleCursor() if incremental or is_left:
            return Retry(cause="stale cursor", reason=reason, why=error.reason, seconds=0.0)
        case Throttled() if is_left:
            seconds = patience.wait(attempt.number, error.retry_after)
            return Retry(cause="throttled", reason=reason, why=error.reason, seconds=seconds)
        case Unreachable() if is_left:
            seconds = patience.wait(attempt.number)
            return Retry(cause="unreachable", reason=reason, why=error.reason, seconds=seconds)
        case _:
            return None


def refusal_of(error: CloudscanError) -> tuple[Outcome, Reason, str]:
    """Outcome, reason and missing permission of a scope that could not be read."""
    if not isinstance(error, ProviderError):
        return Outcome.FAILED, Reason(code="cannot-read", quote=first_line(error)), ""
    outcome = Outcome.DENIED if isinstance(error, AccessDenied) else Outcome.FAILED
    return Outcome.NOT_OFFERED if isinstance(error, NotOffered) else outcome, error.reason, error.needs
