"""CSV (RFC 4180) that is safe to open in a spreadsheet, even with names that attackers wrote."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain
from typing import Any

from cloudscan.text.safe import plain

BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel reads UTF-8 in the machine's own code page, which garbles Japanese."""

MOST = 16_000
"""Characters in a cell; Excel takes 32,767, of which one beyond U+FFFF is two."""

# At the beginning of a cell, and after what another country's settings take for a separator: a new cell begins there.
_BEGINS = re.compile("[=+\\-@\uff1d\uff0b\uff0d\uff20]")
_FORMULA = re.compile(r"(^|[,;|])([\s\"'\u3000]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")

Cell = str | int | float | bool | datetime | None


def unformulaic(text: str) -> str:
    """The text with an apostrophe before anything that could begin a formula.

    Sources: OWASP, "CSV Injection"; ASVS 5.0, 1.2.10.
    """
    return text if not _BEGINS.search(text) else _FORMULA.sub(r"\1'\2", text)


def one_line(text: str) -> str:
    """The text cut at `MOST` characters, in one line, without characters that cannot be seen."""
    return plain(text[:MOST]).replace("\n", " ").replace("\t", " ")


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, readable: Callable[[str], str] = one_line) -> str:
    """A whole table with its header row, byte order mark and CRLF line ends.

    Times are written in UTC, booleans as `true` or `false`; whatever is neither a number nor a `Cell` as its text.
    `readable` makes a text short enough for a cell and safe to look at; formulas are disarmed after it, in the names of
    columns too, which a query chooses.
    """
    return "".join(csv_lines(columns, rows, readable=readable))


def csv_lines(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], *, readable: Callable[[str], str] = one_line
) -> Iterator[str]:
    """The same, row by row: for tables that are too large to be held whole."""
    out = io.StringIO(newline="")
    out.write(BYTE_ORDER_MARK)
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    for row in chain([columns], rows):
        writer.writerow([_cell(value, readable) for value in row])
        yield out.getvalue()
        out.seek(0)
        out.truncate()


def _cell(value: Any, readable: Callable[[str], str]) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime(tzinfo=None):
            return value.isoformat(timespec="seconds")
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        case int() | float() | Decimal():
            return str(value)
        case _:
            return unformulaic(readable(str(value)))
