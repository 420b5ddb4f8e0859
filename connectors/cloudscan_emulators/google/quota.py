"""Drive's quota in units per minute, for one user and for the project, when it is switched on.

A list costs 100 units, any other reading 5 (Drive usage limits since May 2026). Google's windows slide; here they are
whole minutes from the first request on.
"""

import threading
from collections import defaultdict
from dataclasses import dataclass

from cloudscan_emulators.google import errors

USER_UNITS, PROJECT_UNITS = 325_000, 1_000_000


@dataclass(kw_only=True)
class Quota:
    """How much may be asked for. None: as much as one likes."""

    user_units: int | None = None
    project_units: int | None = None
    seconds: float = 60.0


class Meter:
    """Counts units and refuses what is too much."""

    def __init__(self, quota: Quota) -> None:
        self._quota = quota
        self._ends = 0.0
        self._spent: defaultdict[str, int] = defaultdict(int)
        self._lock = threading.Lock()

    def spend(self, method: str, user: str, now: float) -> None:
        """Count one call; only calls that are answered count."""
        quota = self._quota
        if quota.user_units is None and quota.project_units is None:
            return
        units = 100 if method.endswith(".list") else 5
        with self._lock:
            if now >= self._ends:
                self._spent.clear()
                self._ends = now + quota.seconds
            if quota.user_units is not None and self._spent[user] + units > quota.user_units:
                raise errors.limited(403, "userRateLimitExceeded")
            if quota.project_units is not None and sum(self._spent.values()) + units > quota.project_units:
                raise errors.limited(403, "rateLimitExceeded")
            self._spent[user] += units
