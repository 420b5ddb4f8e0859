"""Values as JSON text, quickly: a page of items is put together from pieces."""

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

NO_TIME = "0001-01-01T00:00:00Z"  # "there is none" (permission resource, expirationDateTime)
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def dump(value: Any) -> str:
    return _encoder.encode(value)


def quoted(value: str) -> str:
    """Text that holds nothing to escape."""
    return f'"{value}"'


def moment(seconds: int) -> str:
    """A point in time as Graph writes it."""
    day, rest = divmod(seconds, 86_400)
    return _day(day) + _clock(rest)


def seconds(text: str) -> int | None:
    """A point in time as somebody else wrote it, None for what is none."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp())


@lru_cache(maxsize=86_400)
def _clock(second: int) -> str:
    return f"T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"


@lru_cache(maxsize=20_000)
def _day(number: int) -> str:
    return datetime.fromtimestamp(number * 86_400, tz=UTC).strftime("%Y-%m-%d")
