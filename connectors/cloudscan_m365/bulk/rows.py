"""The rows of Microsoft Graph Data Connect's SharePoint datasets, from files in a folder.

Each line is a JSON object. Which dataset a file belongs to is told by its columns, since the person who extracts
them chooses the names. Names are compared without case: Microsoft's schema and its samples differ in it. A column that
a file lacks is not known; older files lack the newer ones. Several extractions may lie in one folder: the newest full
snapshot counts, with the deltas after it. Source: microsoftgraph/dataconnect-solutions, Datasets,
data-connect-dataset-sharepointsites, -sharepointpermissions, -sharepointgroups and -sharepointfiles.
"""

import gzip
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import msgspec

from cloudscan.errors import ConfigurationError
from cloudscan.sentence import say

SITES: Final = "Sites"
PERMISSIONS: Final = "Permissions"
GROUPS: Final = "Groups"
FILES: Final = "Files"
DATASETS: Final = (SITES, PERMISSIONS, GROUPS, FILES)
"""The datasets that are read."""

_SIGNS: Final[Mapping[str, frozenset[str]]] = {
    PERMISSIONS: frozenset({"itemtype", "roledefinition", "siteid"}),
    GROUPS: frozenset({"grouptype", "members", "siteid"}),
    FILES: frozenset({"dirname", "filename", "siteid"}),
    SITES: frozenset({"id", "url", "rootweb"}),
}
"""The columns by which a dataset is recognised; they stand in every version of its schema."""

_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    SITES: ("id",),
    GROUPS: ("siteid", "groupid"),
    FILES: ("siteid", "webid", "listid", "itemid"),
    PERMISSIONS: (
        *("siteid", "webid", "listid", "listitemid", "uniqueid", "scopeid", "itemtype", "itemurl"),
        *("roledefinition", "linkid"),
    ),
}
"""What identifies a row from one extraction to the next; of permissions Microsoft does not say so (guessed)."""

_DAY: Final = re.compile(rb'"SnapshotDate"\s*:\s*"([^"]{0,10})', re.IGNORECASE)
_OPERATION: Final = re.compile(rb'"Operation"\s*:\s*"(\w*)"', re.IGNORECASE)
_DELTA: Final = frozenset({b"created", b"updated", b"deleted"})
_SUFFIXES: Final = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz", ".txt")
_MOST_LINE: Final = 16_000_000  # bytes of one row
Row = Mapping[str, Any]


@dataclass
class Problems:
    """What could not be read, by dataset: lines that are no rows, and files that end too early."""

    broken: dict[str, int] = field(default_factory=dict)
    without_full: set[str] = field(default_factory=set)  # datasets of which there are deltas alone

    def add(self, dataset: str) -> None:
        """One more line that makes no sense."""
        self.broken[dataset] = self.broken.get(dataset, 0) + 1


@dataclass(frozen=True, kw_only=True)
class Export:
    """The files of each dataset, and what went wrong when they were read."""

    files: Mapping[str, Sequence[Path]]
    problems: Problems = field(default_factory=Problems)

    def rows(self, dataset: str) -> Iterator[Row]:
        """The rows that hold today; names of columns are in lower case. Rows of deltas replace those before them."""
        stages = {stage for path in self.files.get(dataset, ()) for stage in _stages(path)}
        full = max((day for day, is_delta in stages if not is_delta), default="")
        deltas = any(is_delta and day >= full for day, is_delta in stages)
        if stages and not any(not is_delta for _, is_delta in stages):
            self.problems.without_full.add(dataset)
        if not deltas:
            yield from (row for row in self._all(dataset) if _stage(row) == (full, False))
            return
        # Only where there are deltas must all rows be kept, to know which one is the last about something.
        latest: dict[tuple[str, ...], tuple[tuple[str, bool], Row]] = {}
        for row in self._all(dataset):
            stage = _stage(row)
            if stage[0] < full:
                continue
            key = tuple(str(row.get(name) or "").lower() for name in _KEYS[dataset])
            known = latest.get(key)
            if known is None or stage >= known[0]:
                latest[key] = (stage, row)
        yield from (row for _, row in latest.values() if text(row, "operation").lower() != "deleted")

    def _all(self, dataset: str) -> Iterator[Row]:
        for path in self.files.get(dataset, ()):
            yield from _lines(path, lambda: self.problems.add(dataset))


def found(folder: str) -> Export:
    """The datasets in a folder and its subfolders. Raises `ConfigurationError` where there are no permissions."""
    files: dict[str, list[Path]] = {}
    for path in sorted(Path(folder).rglob("*")):
        if path.name.lower().endswith(_SUFFIXES) and path.is_file():
            first = next(_lines(path, lambda: None), None)
            if first is not None and (dataset := _dataset_of(first)):
                files.setdefault(dataset, []).append(path)
    missing = [name for name in (SITES, PERMISSIONS) if name not in files]
    if missing:
        raise ConfigurationError(
            say(
                "data_connect in [connectors.m365] names {folder}, where there is no SharePoint dataset {missing} of "
                "Microsoft Graph Data Connect. Name the folder with its files of JSON lines.",
                folder=folder,
                missing=" / ".join(missing),
            ),
            key="data_connect",
        )
    return Export(files=files)


def text(row: Row, name: str) -> str:
    """A column as text; empty where it is blank or missing."""
    value = row.get(name)
    return "" if value is None else str(value).strip()


def truth(row: Row, name: str) -> bool | None:
    """A column as yes or no; None where it does not say."""
    value = row.get(name)
    return value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value).lower())


def number(row: Row, name: str) -> int | None:
    """A column as a number; None where it is blank, which Microsoft writes for empty and for unknown alike."""
    try:
        return int(str(row.get(name)))
    except ValueError:
        return None


def parts(row: Row, name: str) -> Sequence[Row]:
    """The entries of a list in a row."""
    value = row.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def part(row: Row, name: str) -> Row:
    """A record in a row; empty where there is none."""
    value = row.get(name)
    return value if isinstance(value, dict) else {}


def _stage(row: Row) -> tuple[str, bool]:
    """The day that a row is of, and whether it is of a delta. Days are in ISO 8601 and compare as text."""
    return text(row, "snapshotdate")[:10], text(row, "operation").lower() in ("created", "updated", "deleted")


def _stages(path: Path) -> Iterator[tuple[str, bool]]:
    """The stages of a file's rows, without decoding them."""
    with _opened(path) as file:
        try:
            while line := file.readline(_MOST_LINE):
                day, operation = _DAY.search(line), _OPERATION.search(line)
                is_delta = operation is not None and operation[1].lower() in _DELTA
                yield day[1].decode("ascii", "replace") if day else "", is_delta
        except (OSError, EOFError, zlib.error):
            return  # reading the rows says so


def _dataset_of(row: Row) -> str:
    return next((dataset for dataset, signs in _SIGNS.items() if signs <= row.keys()), "")


def _lines(path: Path, broken: Callable[[], None]) -> Iterator[Row]:
    """The rows of a file; `broken` is called for each line that is none, and where the file cannot be read further."""
    with _opened(path) as file:
        try:
            while line := file.readline(_MOST_LINE):
                if not line.strip():
                    continue
                try:
                    row = msgspec.json.decode(line.removeprefix(b"\xef\xbb\xbf"))
                except (msgspec.MsgspecError, RecursionError):
                    broken()
                    continue
                if isinstance(row, dict):
                    yield _lowered(row)
                else:
                    broken()
        except (OSError, EOFError, zlib.error):
            broken()


def _opened(path: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.open(path)) if path.name.endswith(".gz") else path.open("rb")


def _lowered(value: Any) -> Any:
    """The same with names in lower case, in records within records too."""
    if isinstance(value, dict):
        return {name.lower(): _lowered(one) if isinstance(one, dict | list) else one for name, one in value.items()}
    return [_lowered(one) if isinstance(one, dict | list) else one for one in value]
