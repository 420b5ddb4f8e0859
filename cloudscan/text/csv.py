"""CSV (RFC 4180) that a spreadsheet can be trusted with, whoever wrote the names in it."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from cloudscan.text.safe import plain

BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel reads UTF-8 as the machine's own code page, and Japanese becomes noise."""

MOST = 16_000
"""Characters in a cell; Excel takes 32,767, of which one beyond U+FFFF is two."""

# At the begin of a cell, and after what another country's settings take for a separator: there a new cell would begin.
_BEGINS = re.compile("[=+\\-@\uff1d\uff0b\uff0d\uff20]")
_FORMULA = re.compile(r"(^|[,;|])([\s\"'\u3000]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")

Cell = str | int | float | bool | datetime | None


def unformulaic(text: str) -> str:
    """The text as no spreadsheet runs it: an apostrophe stands before what could begin a formula (OWASP, "CSV
    Injection"; ASVS 5.0, 1.2.10)."""
    return text if not _BEGINS.search(text) else _FORMULA.sub(r"\1'\2", text)


def written(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A whole table with its head. Texts are cut at `MOST`; times are in UTC, truth is `true` or `false`."""
    out = io.StringIO(newline="")
    out.write(BYTE_ORDER_MARK)
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: Cell) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        case str():
            return unformulaic(plain(value[:MOST]).replace("\n", " ").replace("\t", " "))
        case _:
            return str(value)
