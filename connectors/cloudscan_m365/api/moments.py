"""Times as Graph writes them."""

from datetime import UTC, datetime


def moment(text: str | None) -> datetime | None:
    """A time in UTC; None where there is none, or it makes no sense.

    Microsoft writes the last moment that .NET knows with seven digits after the point, and some services the year 0.
    """
    if not text:
        return None
    try:
        parsed = datetime.fromisoformat(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
