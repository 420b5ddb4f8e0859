"""How often and how long to try again."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How often and how long to try again within one question."""

    attempts: int = 5
    pause: float = 1.0  # seconds before the second attempt; doubles each time, with jitter
    longest: float = 32.0
    timeout: float = 90.0  # seconds for one answer
