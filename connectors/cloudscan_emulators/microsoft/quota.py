"""SharePoint's resource units, where limits are set.

Source: "Avoid getting throttled or blocked in SharePoint Online" (2025-10): a single item or a delta with token costs
one unit, a list or a delta without token two, anything about permissions five, each part of a batch separately.
Throttled calls count too. RateLimit headers are sent from 80 % of the minute's budget. Microsoft's windows slide; here
each starts with its first request.
"""

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from cloudscan_emulators.microsoft import errors

_STEPS = (1_000, 5_000, 15_000, 50_000)
_MINUTE = (1_250, 2_500, 3_750, 5_000, 6_250)
_DAY = (1_200_000, 2_400_000, 3_600_000, 4_800_000, 6_000_000)
_TENANT = (18_750, 37_500, 56_250, 75_000, 93_750)
_WARNS_AT = 0.8


@dataclass(kw_only=True)
class Quota:
    """The limits in resource units. None: no limit. `minute` is the length of a minute in seconds."""

    app_minute: int | None = None
    app_day: int | None = None
    tenant_five_minutes: int | None = None
    minute: float = 60.0
    block_after: int | None = None  # after this many calls that ignore Retry-After, answer 503

    @staticmethod
    def of(licences: int, *, minute: float = 60.0) -> "Quota":
        """The limits of a tenant with this many licences."""
        step = sum(licences > limit for limit in _STEPS)
        return Quota(app_minute=_MINUTE[step], app_day=_DAY[step], tenant_five_minutes=_TENANT[step], minute=minute)


@dataclass
class _Window:
    ends: float = 0.0
    spent: dict[str, int] = field(default_factory=dict)

    def add(self, app: str, units: int, now: float, length: float) -> int:
        if now >= self.ends:
            self.spent.clear()
            self.ends = now + length
        self.spent[app] = self.spent.get(app, 0) + units
        return self.spent[app]


class Meter:
    """Counts units and refuses calls beyond the limits."""

    def __init__(self, quota: Quota) -> None:
        self.quota = quota
        self.spent = 0  # units since the start
        self._minute, self._day, self._tenant = _Window(), _Window(), _Window()
        self._closed: dict[str, float] = {}
        self._ignored: dict[str, int] = {}
        self._lock = threading.Lock()

    def spend(self, app: str, units: int, now: float) -> Mapping[str, str]:
        """Count one call; returns the headers for its answer."""
        quota = self.quota
        with self._lock:
            self.spent += units
            minute = self._minute.add(app, units, now, quota.minute)
            day = self._day.add(app, units, now, quota.minute * 1440)
            tenant = self._tenant.add("", units, now, quota.minute * 5)
            over = [
                window.ends - now
                for spent, limit, window in (
                    (minute, quota.app_minute, self._minute),
                    (day, quota.app_day, self._day),
                    (tenant, quota.tenant_five_minutes, self._tenant),
                )
                if limit is not None and spent > limit
            ]
            headers = self._warning(minute, now)
            if not over:
                self._ignored.pop(app, None)
                return headers
            if now < self._closed.get(app, 0.0):
                self._ignored[app] = self._ignored.get(app, 0) + 1
            self._closed[app] = now + max(over)
            wait = max(1, math.ceil(max(over)))
            if quota.block_after is not None and self._ignored.get(app, 0) > quota.block_after:
                raise errors.unavailable(retry_after=wait, headers=headers)
            raise errors.throttled(retry_after=wait, headers=headers)

    def _warning(self, spent: int, now: float) -> Mapping[str, str]:
        limit = self.quota.app_minute
        if limit is None or spent < limit * _WARNS_AT:
            return {}
        return {
            "RateLimit-Limit": str(limit),
            "RateLimit-Remaining": str(max(0, limit - spent)),
            "RateLimit-Reset": str(max(1, math.ceil(self._minute.ends - now))),
        }
