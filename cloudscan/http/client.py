"""The one way to the network for connectors that speak HTTP themselves: pooled, patient, within a budget.

A request gives an `Answer`, whatever its status; if all attempts fail, `Unreachable` or `Throttled` is raised, and the
core takes over. Redirects are not followed: they could carry a token to another host.
"""

import itertools
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cloudscan.connector import Spent
from cloudscan.errors import Throttled, Unreachable
from cloudscan.http.patience import Patience
from cloudscan.http.transport import Answer, Carrier, host_of

__all__ = ["PASSING", "Answer", "Budget", "Meter", "Patience", "Web", "asked_for"]

PASSING = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses that are worth another attempt."""
_NOT_CARRIED_OUT = frozenset({429, 503})
"""With these a server says that it has not done anything: even what is not repeatable may be sent again."""


class Budget:
    """The units that all threads together may spend in a minute; a thread that comes too early waits."""

    def __init__(self, units_per_minute: float) -> None:
        self._rate = units_per_minute / 60
        self._most = units_per_minute / 6  # ten seconds' worth may be spent in one go
        self._left = self._most
        self._counted_at = time.monotonic()
        self._resting_until = 0.0
        self._lock = threading.Lock()

    def spend(self, units: float) -> None:
        """Wait until this many units may be spent, and spend them."""
        with self._lock:
            now = time.monotonic()
            self._left = min(self._most, self._left + (now - self._counted_at) * self._rate) - units
            self._counted_at = now
            wait = max(-self._left / self._rate, self._resting_until - now)
        if wait > 0:
            time.sleep(wait)

    def rest(self, seconds: float) -> None:
        """Let no thread spend anything for this many seconds."""
        with self._lock:
            self._resting_until = max(self._resting_until, time.monotonic() + seconds)


class Meter:
    """Counts requests and what became of them. May be used from any thread."""

    def __init__(self) -> None:
        self._spent = Spent(requests=0)
        self._lock = threading.Lock()

    def tick(self) -> None:
        """Count a request."""
        with self._lock:
            self._spent = self._spent.plus(Spent(requests=1))

    def trouble(self, error: Throttled | Unreachable) -> None:
        """Count a request that has to be repeated."""
        with self._lock:
            self._spent = self._spent.plus(Spent(requests=0, throttles=int(isinstance(error, Throttled)), retries=1))

    def spent(self) -> Spent:
        """What was counted since the last call."""
        with self._lock:
            spent, self._spent = self._spent, Spent(requests=0)
            return spent


@dataclass(frozen=True)
class Web:
    """The connections to one platform, shared by all threads."""

    connections: int = 32
    patience: Patience = field(default_factory=Patience)
    budget: Budget | None = None
    ca_file: Path | None = None  # certificates to trust in place of the machine's

    def get(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        units: float = 1.0,
        passing: Callable[[Answer], bool] = lambda _: False,
        on_request: Callable[[], None] = lambda: None,
        on_trouble: Callable[[Throttled | Unreachable], None] = lambda _: None,
    ) -> Answer:
        """Fetch an address; see `send`."""
        return self.send(
            "GET", url, headers, units=units, passing=passing, on_request=on_request, on_trouble=on_trouble
        )

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        body: bytes | None = None,
        repeatable: bool = True,
        units: float = 1.0,
        passing: Callable[[Answer], bool] = lambda _: False,
        on_request: Callable[[], None] = lambda: None,
        on_answer: Callable[[Answer], None] = lambda _: None,
        on_trouble: Callable[[Throttled | Unreachable], None] = lambda _: None,
    ) -> Answer:
        """Send a request, again and again until there is an answer that is not passing.

        A request that is not `repeatable` is sent again only if the server says that it was not carried out: a lost
        answer is raised immediately. `passing` decides which further answers are worth another attempt (see
        `PASSING`). `on_request` is called for each attempt, `on_answer` for each answer and `on_trouble` for each
        attempt that failed. `units` are taken out of the budget for each attempt. Raises `Throttled` if the server
        keeps throttling, `Unreachable` if no whole answer arrives.
        """
        trouble: Throttled | Unreachable
        begun = time.monotonic()
        for attempt in itertools.count(1):
            if self.budget:
                self.budget.spend(units)
            on_request()
            wait: float | None = None
            try:
                answer = self._carrier.carry(method, url, headers, body, fresh=not repeatable)
            except Unreachable as error:
                if not repeatable:
                    raise
                trouble = error
            else:
                on_answer(answer)
                if answer.status not in (PASSING if repeatable else _NOT_CARRIED_OUT) and not passing(answer):
                    return answer
                wait = asked_for(answer)
                if wait is not None:
                    wait = min(wait, self.patience.longest)
                trouble = _trouble(url, answer, wait)
            on_trouble(trouble)
            throttled = isinstance(trouble, Throttled)
            if not self.patience.is_left(attempt, time.monotonic() - begun, throttled=throttled):
                raise trouble
            time.sleep(self.patience.wait(attempt, wait))
        raise AssertionError("attempts are counted without end")

    @cached_property
    def _carrier(self) -> Carrier:
        return Carrier(connections=self.connections, timeout=self.patience.timeout, ca_file=self.ca_file)


def asked_for(answer: Answer) -> float | None:
    """The seconds that the server wants us to wait (RFC 9110, Retry-After), None if it does not say."""
    try:
        return max(0.0, float(answer.headers["retry-after"]))
    except (KeyError, ValueError):
        return None


def _trouble(url: str, answer: Answer, wait: float | None) -> Throttled | Unreachable:
    host, status = host_of(url), str(answer.status)
    if answer.status < 300:
        return Unreachable("answer-cut", host=host)
    if answer.status >= 500 and answer.status != 503:
        return Unreachable("host-failed", host=host, status=status)
    return Throttled("host-throttles", retry_after=wait, host=host, status=status)
