"""The one way to the network for connectors that speak HTTP themselves: pooled, patient, within a budget.

What comes back is an `Answer`, whatever its status; what does not come back after all attempts is raised as
`Unreachable` or `Throttled`, and the core goes on from there. Redirects are not followed: they could carry a token to
another host.
"""

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
_NOT_TAKEN = frozenset({429, 503})
"""A server that answers so has not done what was asked: it may be asked again even where that is not repeatable."""


class Budget:
    """So many units may be spent in a minute, by all threads together; whoever comes too early waits."""

    def __init__(self, units_per_minute: float) -> None:
        self._rate = units_per_minute / 60
        self._most = units_per_minute / 6  # ten seconds' worth may be spent at once
        self._left = self._most
        self._told = time.monotonic()
        self._resting = 0.0
        self._lock = threading.Lock()

    def spend(self, units: float) -> None:
        """Wait until so many units may be spent, and spend them."""
        with self._lock:
            now = time.monotonic()
            self._left = min(self._most, self._left + (now - self._told) * self._rate) - units
            self._told = now
            wait = max(-self._left / self._rate, self._resting - now)
        if wait > 0:
            time.sleep(wait)

    def rest(self, seconds: float) -> None:
        """Let nobody spend anything for so long."""
        with self._lock:
            self._resting = max(self._resting, time.monotonic() + seconds)


class Meter:
    """Counts requests and what became of them. May be used from any thread."""

    def __init__(self) -> None:
        self._spent = Spent(requests=0)
        self._lock = threading.Lock()

    def tick(self) -> None:
        """A request is made."""
        with self._lock:
            self._spent = self._spent.plus(Spent(requests=1))

    def trouble(self, error: Throttled | Unreachable) -> None:
        """It has to be made again."""
        with self._lock:
            self._spent = self._spent.plus(Spent(requests=0, throttles=int(isinstance(error, Throttled)), retries=1))

    def spent(self) -> Spent:
        """What was counted since this was last asked."""
        with self._lock:
            spent, self._spent = self._spent, Spent(requests=0)
            return spent


@dataclass(frozen=True)
class Web:
    """The way to a platform, shared by all who ask there. May be used from any thread."""

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
        """Ask for an address; see `send`."""
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
        """Ask until there is an answer that stays.

        What is not `repeatable` is sent again only where the server says that it was not taken: a lost answer is
        raised at once. `passing` tells which further answers are worth another attempt; `on_request` is called for
        each attempt, `on_answer` for each answer and `on_trouble` for each attempt that brought none of use. Raises
        `Throttled` where the server keeps asking for a pause, `Unreachable` where no whole answer comes.
        """
        trouble: Throttled | Unreachable = Unreachable(f"no attempt was made to reach {host_of(url)}")
        for attempt in range(1, self.patience.attempts + 1):
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
                if answer.status not in (PASSING if repeatable else _NOT_TAKEN) and not passing(answer):
                    return answer
                wait = asked_for(answer)
                if wait is not None:
                    wait = min(wait, self.patience.longest)
                trouble = _trouble(url, answer, wait)
            on_trouble(trouble)
            if attempt < self.patience.attempts:
                time.sleep(self.patience.wait(attempt, wait))
        raise trouble

    @cached_property
    def _carrier(self) -> Carrier:
        return Carrier(connections=self.connections, timeout=self.patience.timeout, ca_file=self.ca_file)


def asked_for(answer: Answer) -> float | None:
    """Seconds that the server wants us to wait, where it says so."""
    try:
        return max(0.0, float(answer.headers["retry-after"]))
    except (KeyError, ValueError):
        return None


def _trouble(url: str, answer: Answer, wait: float | None) -> Throttled | Unreachable:
    if answer.status < 300:
        return Unreachable(f"answers of {host_of(url)} break off; check proxies and gateways on the way")
    if answer.status >= 500 and answer.status != 503:
        return Unreachable(f"{host_of(url)} had trouble of its own (HTTP {answer.status})")
    return Throttled(f"{host_of(url)} asks for a pause (HTTP {answer.status})", retry_after=wait)
