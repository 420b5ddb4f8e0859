"""Plain tables for the terminal."""

from collections.abc import Sequence

from cloudscan.text import plain, width


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], widest: int = 60) -> str:
    """Columns side by side. Long values are cut, and control characters are made visible."""
    shown = [[shorten(_shown(value), widest) for value in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(columns, *shown, strict=True)] if columns else []
    lines = [columns, ["─" * size for size in widths], *shown]
    return "\n".join(
        "  ".join(_padded(cell, size) for cell, size in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def shorten(text: str, most: int) -> str:
    """The text, or its beginning and an ellipsis."""
    if width(text) <= most:
        return text
    cut = ""
    for letter in text:
        if width(cut + letter) >= most:
            break
        cut += letter
    return cut + "…"


def _padded(text: str, size: int) -> str:
    return text + " " * (size - width(text))


def _shown(value: object) -> str:
    return "" if value is None else plain(str(value)).replace("\n", " ").replace("\t", " ")
