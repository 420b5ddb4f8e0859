"""The cells of an Excel workbook (Office Open XML, ECMA-376), as texts: enough to read a list that somebody keeps.

The file is a stranger's: it may not unpack to more than it should, and its XML may declare nothing.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from xml.etree import ElementTree as ET

from cloudscan.errors import ConfigurationError
from cloudscan.roster.table import Row
from cloudscan.sentence import say

BEGINS: Final = b"PK\x03\x04"
"""How such a file begins, as any ZIP archive does."""

_MOST_BYTES: Final = 64 << 20  # unpacked
_MOST_COLUMNS: Final = 200
_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_PACKAGE: Final = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_COLUMN: Final = re.compile(r"[A-Z]{1,3}")


def sheets_of(data: bytes, name: str) -> list[Sequence[Row]]:
    """The rows of each sheet, in the order of the workbook. Raises `ConfigurationError` for what is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _MOST_BYTES:
                raise ConfigurationError(say("{name} unpacks to more than {most} MB; save a smaller one.",
                                             name=name, most=_MOST_BYTES >> 20))  # fmt: skip
            shared = _shared(archive)
            return [list(_rows(archive, path, shared)) for path in _sheets(archive)]
    except (
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        ET.ParseError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise ConfigurationError(
            say("{name} is not an Excel workbook that can be read; save it as .xlsx without a password, or as CSV.",
                name=name)
        ) from error  # fmt: skip


def _xml(archive: zipfile.ZipFile, path: str) -> ET.Element:
    with archive.open(path) as file:
        text = file.read(_MOST_BYTES + 1)
    # Without declarations nothing is expanded or fetched; a NUL would be UTF-16, in which they are spelt otherwise.
    if len(text) > _MOST_BYTES or any(one in text for one in (b"<!DOCTYPE", b"<!ENTITY", b"\0")):
        raise ValueError(path)
    return ET.fromstring(text)  # noqa: S314 - see above


def _sheets(archive: zipfile.ZipFile) -> Iterator[str]:
    targets = {one.get("Id"): one.get("Target", "") for one in _xml(archive, "xl/_rels/workbook.xml.rels")
               if one.tag == f"{_PACKAGE}Relationship"}  # fmt: skip
    for sheet in _xml(archive, "xl/workbook.xml").iter(f"{_MAIN}sheet"):
        target = targets.get(sheet.get(_RELATION), "")
        if target:
            yield target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _shared(archive: zipfile.ZipFile) -> Sequence[str]:
    if "xl/sharedStrings.xml" not in archive.namelist():
        return ()
    return [_text(entry) for entry in _xml(archive, "xl/sharedStrings.xml").iter(f"{_MAIN}si")]


def _text(element: ET.Element) -> str:
    """The runs of a text, without its readings (phonetic runs, which Japanese Excel writes beside it)."""
    readings = {id(text) for run in element.iter(f"{_MAIN}rPh") for text in run.iter(f"{_MAIN}t")}
    return "".join(text.text or "" for text in element.iter(f"{_MAIN}t") if id(text) not in readings)


def _rows(archive: zipfile.ZipFile, path: str, shared: Sequence[str]) -> Iterator[Row]:
    for place, row in enumerate(_xml(archive, path).iter(f"{_MAIN}row"), 1):
        cells: dict[int, str] = {}
        for following, cell in enumerate(row.iter(f"{_MAIN}c")):
            column = _number(cell.get("r", "")) if cell.get("r") else following
            if column < _MOST_COLUMNS:
                cells[column] = _value(cell, shared)
        yield Row(int(row.get("r", place)), _filled(cells))


def _filled(cells: Mapping[int, str]) -> list[str]:
    return [cells.get(column, "") for column in range(max(cells, default=-1) + 1)]


def _number(reference: str) -> int:
    """The column of a cell: A1 is 0, AA1 is 26."""
    letters = _COLUMN.match(reference)
    number = 0
    for letter in letters[0] if letters else "":
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _value(cell: ET.Element, shared: Sequence[str]) -> str:
    if cell.get("t") == "inlineStr":
        return _text(cell)
    value = cell.findtext(f"{_MAIN}v") or ""
    if cell.get("t") == "s":
        number = int(value or -1)
        return shared[number] if 0 <= number < len(shared) else ""
    return value.removesuffix(".0")
