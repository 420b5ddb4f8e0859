"""What a format writes, as tests read it: pieces are put together."""

from collections.abc import Callable

from cloudscan.report import Report, Written, pieces


def whole(write: Callable[[Report, str], Written], report: Report, lang: str) -> str | bytes:
    """The whole file; as text, unless the format is binary."""
    content = write(report, lang)
    return content if isinstance(content, bytes) else b"".join(pieces(content)).decode()
