"""Requests to a tracker: repeated after the pause that it asks for, and never sooner."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from cloudscan.errors import CloudscanError, Malformed, ProviderError, Throttled, Unreachable
from cloudscan.http import Patience
from cloudscan.sentence import say

Result = TypeVar("Result")
LONGEST_PAUSE: Final = 120.0  # seconds; a tracker that asks for a longer one is left alone for tonight


def _sleep(seconds: float) -> None:
    time.sleep(seconds)  # looked up at each pause, so that tests can put another clock in its place


@dataclass(frozen=True, kw_only=True)
class Asking:
    """How a tracker is asked. `sleep` is the clock."""

    tracker: str
    patience: Patience = field(default_factory=Patience)
    sleep: Callable[[float], None] = _sleep

    def once(self, ask: Callable[[], Result]) -> Result:
        """Ask. Raises `ProviderError`, whatever a plugin raises about an answer that it does not understand."""
        try:
            return ask()
        except (CloudscanError, ImportError):
            raise
        except Exception as error:
            raise Malformed(
                say(
                    "{tracker} answered in a way that cloudscan does not understand ({kind}); check its url, and "
                    "whether a proxy or sign-on page answers in its place.",
                    tracker=self.tracker,
                    kind=type(error).__name__,
                )
            ) from error

    def retrying(self, ask: Callable[[], Result]) -> Result:
        """Ask again after a pause, up to the number of attempts. For requests that may be repeated."""
        for attempt in range(1, self.patience.attempts):
            try:
                return self.once(ask)
            except (Throttled, Unreachable) as error:
                self.pause(attempt, error)
        return self.once(ask)

    def pause(self, attempt: int, error: ProviderError) -> None:
        """Wait before the next attempt. Raises the error again if the tracker wants a pause that is too long."""
        asked = error.retry_after if isinstance(error, Throttled) else None
        if is_long(error):
            raise error
        self.sleep(self.patience.wait(attempt, asked))


def is_long(error: CloudscanError) -> bool:
    """Whether a tracker asks for a longer pause than is waited for."""
    return isinstance(error, Throttled) and error.retry_after is not None and error.retry_after > LONGEST_PAUSE
