"""Values as JSON text, quickly: emulators join pages from pieces of text, most of which are cached."""

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def dump(value: Any) -> str:
    """Compact JSON; text is not escaped to ASCII."""
    return _encoder.encode(value)


def quoted(value: str) -> str:
    """A JSON string of text that needs no escaping."""
    return f'"{value}"'


def clock_time(seconds: int) -> str:
    """Seconds since 1970 in UTC as ``2026-01-31T09:00:00``."""
    day, rest = divmod(seconds, 86_400)
    return _day(day) + _clock(rest)


@lru_cache(maxsize=86_400)
def _clock(second: int) -> str:
    return f"T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


@lru_cache(maxsize=20_000)
def _day(number: int) -> str:
    return datetime.fromtimestamp(number * 86_400, tz=UTC).strftime("%Y-%m-%d")
