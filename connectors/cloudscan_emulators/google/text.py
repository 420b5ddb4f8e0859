"""How Google writes things."""

from cloudscan_emulators.kit.json_text import clock_time

JSON_TYPE = "application/json; charset=UTF-8"


def moment(seconds: int) -> str:
    """A point in time: RFC 3339, with milliseconds."""
    return f"{clock_time(seconds)}.000Z"
