"""A file of an HR system as rows of cells: its encoding, its separator, where its header is.

Japanese exports are UTF-8 or what Windows calls Shift_JIS, which is CP932: the two cannot be mistaken for each other,
so each is tried strictly and nothing is guessed by frequency or replaced.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

import msgspec

from cloudscan.errors import ConfigurationError
from cloudscan.roster.folding import folded
from cloudscan.roster.headers import Field, fields_of
from cloudscan.sentence import say

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEPARATORS: Final = (",", "\t", ";")
_HEADER_WITHIN: Final = 20  # rows: titles and dates of printing may stand above it
_TOTALS: Final = frozenset({"合計", "総計", "計", "件数", "人数", "総人数", "total", "totals", "count"})
_LONGEST_CELL: Final = 1 << 20
_MOST_LINES: Final = 20  # of one record: what is longer has a quotation mark that nothing closes


class Row(msgspec.Struct, frozen=True):
    """One record, and the line of the file where it begins."""

    line: int
    cells: Sequence[str]
    is_whole: bool = True  # False: a quotation mark that nothing closes, or a cell of a megabyte, is in it


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """What a file contains."""

    encoding: str
    header: Sequence[str]
    header_line: int
    fields: Mapping[int, Field]  # by column
    rows: Sequence[Row]  # below the header, without blank ones, totals and repeated headers


def read_table(data: bytes, name: str, columns: Mapping[str, str], encoding: str = "") -> Table:
    """The table in a file. `columns` names columns by field, `encoding` is only needed for other ones than the usual.

    Raises `ConfigurationError` if it cannot be decoded, or has no column that identifies people.
    """
    used, text = _decoded(data, name, encoding)
    best = max((_read(text, separator, columns) for separator in _SEPARATORS), key=lambda one: len(one[1]))
    header, fields, rows = best
    missing = set(columns) - set(fields.values())
    if missing:
        field = min(missing)
        raise ConfigurationError(
            say("{name} has no column {column}, which [roster.columns] {field} names.",
                name=name, column=repr(columns[field]), field=field)
        )  # fmt: skip
    if not {Field.NUMBER, Field.ADDRESS} & set(fields.values()):
        seen = ", ".join(cell for cell in header.cells if cell.strip())[:300]
        raise ConfigurationError(
            say(
                "{name}: no column has employee numbers or addresses; name one under [roster.columns]. Line {line} "
                "has: {columns}.",
                name=name,
                line=header.line,
                columns=seen or "-",
            )
        )
    return Table(
        encoding=used,
        header=header.cells,
        header_line=header.line,
        fields=fields,
        rows=[row for row in rows if not _is_filler(row, header)],
    )


def decoded(data: bytes, encoding: str = "") -> tuple[str, str] | None:
    """The encoding of a text, and the text; None if it is in none of the usual ones, or not in the named one."""
    marked = next((used for mark, used in _MARKS if data.startswith(mark)), "")
    for used in filter(None, (encoding, marked)) if encoding or marked else ("utf-8", "cp932"):
        try:
            return used, data.decode(used)
        except (UnicodeDecodeError, LookupError):
            continue
    return None


def _decoded(data: bytes, name: str, encoding: str) -> tuple[str, str]:
    if found := decoded(data, encoding):
        return found
    raise ConfigurationError(
        say(
            "{name} is neither UTF-8 nor CP932 (Shift_JIS); save it as one of them, or name its encoding as "
            "[roster] encoding.",
            name=name,
        )
    )


def _read(text: str, separator: str, columns: Mapping[str, str]) -> tuple[Row, Mapping[int, Field], Sequence[Row]]:
    """The header, what its columns tell, and the rows below, read with one separator."""
    rows = list(rows_of(text, separator))
    candidates = [(fields_of(row.cells, columns), index) for index, row in enumerate(rows[:_HEADER_WITHIN])]
    fields, index = max(candidates, key=lambda one: len(one[0]), default=({}, 0))
    header = rows[index] if rows else Row(1, ())
    return header, fields, rows[index + 1 :]


def rows_of(text: str, separator: str) -> Iterator[Row]:
    """The records of a text. One that cannot be parsed is its first line, and not whole: the lines below are others."""
    csv.field_size_limit(_LONGEST_CELL)
    lines = list(io.StringIO(text, newline=""))
    begins = 0  # the record that is read
    read = 0  # lines that were given to the parser

    def of_one_record() -> Iterator[str]:
        nonlocal read
        while read < len(lines) and read - begins < _MOST_LINES:
            read += 1
            yield lines[read - 1]

    while begins < len(lines):
        with suppress(csv.Error):
            for cells in csv.reader(of_one_record(), delimiter=separator, strict=True):
                yield Row(begins + 1, cells)
                begins = read
        if begins < len(lines):
            yield Row(begins + 1, [cell.strip() for cell in lines[begins].split(separator)], is_whole=False)
            begins = read = begins + 1


def _is_filler(row: Row, header: Row) -> bool:
    filled = [cell for cell in row.cells if cell.strip()]
    return not filled or folded(filled[0]) in _TOTALS or list(row.cells) == list(header.cells)
