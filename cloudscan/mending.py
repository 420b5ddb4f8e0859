"""Names that are no text: half a surrogate pair, which some file systems and APIs let through."""

from typing import Any


def mended(value: Any) -> Any:
    """The same, with U+FFFD for each half; lists and dictionaries to their depths."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {mended(key): mended(item) for key, item in value.items()}
    if isinstance(value, list):
        return [mended(item) for item in value]
    return value
