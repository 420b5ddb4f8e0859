"""How long to wait before the next request: what services ask for, and the pace that they take."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Final

from cloudscan.errors import Throttled
from cloudscan.sentence import say

_HOUR: Final = 3600.0
_EPOCH: Final = 1_000_000_000  # a larger number is a moment, in seconds since 1970, and not a duration
_SECOND: Final = 1.0  # moments are told in whole seconds, on both sides


@dataclass
class Pace:
    """How fast is written: with a pause between two writes, and at most so many in an hour."""

    pause: float = 0.0  # seconds
    most: int = 0  # writes in an hour; 0: as many as there are
    clock: Callable[[], float] = time.monotonic
    _written: deque[float] = field(default_factory=deque)

    def wait(self, service: str) -> None:
        """Wait until the next write may be sent. Raises `Throttled` if an hour's writes are used up."""
        now = self.clock()
        while self._written and self._written[0] <= now - _HOUR:
            self._written.popleft()
        if self.most and len(self._written) >= self.most:
            raise Throttled(
                say(
                    "{count} writes were sent to {service} in an hour, which is what it takes; the rest follows in the "
                    "next run.",
                    count=len(self._written),
                    service=service,
                ),
                retry_after=self._written[0] + _HOUR - now,
            )
        if self._written and (early := self._written[-1] + self.pause - now) > 0:
            time.sleep(early)

    def count(self) -> None:
        """A write was sent."""
        self._written.append(self.clock())


def pause_of(headers: Mapping[str, str], now: float, *, is_limit: bool = True) -> float | None:
    """The seconds that a service asks us to wait, the longest if it names several; None if it does not say.

    Retry-After: seconds or a date (RFC 9110). The reset of a limit that is used up, as a moment or in seconds:
    X-RateLimit-Reset of GitHub ("Rate limits for the REST API"), Jira ("Rate limiting"), Backlog ("Rate Limit") and
    ServiceNow ("Inbound REST API rate limiting"), RateLimit-Reset of GitLab ("Rate limits"). Moments are compared with
    the server's own clock where it tells the time, else with `now`. `is_limit`: the answer is about a limit even if no
    header tells what remains of it.
    """
    clock = _moment(headers.get("date", "")) or now
    asked = _left(headers.get("retry-after", ""), clock)
    pauses = [] if asked is None else [max(0.0, asked)]
    for limit in ("x-ratelimit", "ratelimit"):
        remaining, reset = headers.get(f"{limit}-remaining"), headers.get(f"{limit}-reset", "")
        left = _left(reset, clock, margin=_SECOND)
        if left is not None and left > 0 and (remaining == "0" or (is_limit and remaining is None)):
            pauses.append(left)
    return max(pauses, default=None)


def _left(text: str, clock: float, *, margin: float = 0.0) -> float | None:
    """The seconds that a header names, or that are left until the moment that it names."""
    number = _number(text)
    if number is not None and number <= _EPOCH:
        return number
    moment = _moment(text) if number is None else number
    return None if moment is None else moment - clock + margin


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None


def _moment(text: str) -> float | None:
    """A date of HTTP or in ISO 8601, in UTC where it names no zone, in seconds since 1970."""
    text = text.strip()
    try:
        moment = datetime.fromisoformat(text) if text[:1].isdigit() else parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
