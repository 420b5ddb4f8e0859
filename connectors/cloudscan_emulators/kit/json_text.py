"""Values as JSON text, quickly: an emulator's page is put together from pieces, most of them remembered."""

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def dump(value: Any) -> str:
    return _encoder.encode(value)


def quoted(value: str) -> str:
    """Text that holds nothing to escape."""
    return f'"{value}"'


def clock_time(seconds: int) -> str:
    """A point in time in UTC as ``2026-01-31T09:00:00``."""
    day, rest = divmod(seconds, 86_400)
    return _day(day) + _clock(rest)


@lru_cache(maxsize=86_400)
def _clock(second: int) -> str:
    return f"T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


@lru_cache(maxsize=20_000)
def _day(number: int) -> str:
    return datetime.fromtimestamp(number * 86_400, tz=UTC).strftime("%Y-%m-%d")
