"""Graph's formats for answers and points in time."""

from datetime import UTC, datetime

from cloudscan_emulators.kit.json_text import clock_time

JSON_TYPE = "application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8"
NO_TIME = "0001-01-01T00:00:00Z"  # "there is none" (permission resource, expirationDateTime)


def moment(seconds: int) -> str:
    """A point in time as Graph writes it."""
    return f"{clock_time(seconds)}Z"


def seconds(text: str) -> int | None:
    """Seconds since 1970 for a point in time in ISO 8601; None where it is not one."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp())
