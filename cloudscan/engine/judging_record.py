"""What a scan was judged by and the result, kept beside its snapshot.

    <snapshot>/judged.json.gz

With it any scan whose snapshot still exists can be shown and replayed as it was that night, however the rules, the
configuration and the findings have changed since.
"""

import gzip
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from cloudscan.coverage import ScanSummary
from cloudscan.engine import loader, remedies
from cloudscan.engine.framework_file import Framework
from cloudscan.engine.judge import Params
from cloudscan.engine.rule_file import ParamValue, Rule
from cloudscan.errors import SnapshotError
from cloudscan.files import write_private
from cloudscan.report import Report
from cloudscan.sentence import say

FILE: Final = "judged.json.gz"
FRAMEWORKS: Final = "frameworks"
_LEVEL: Final = 3  # of compression: a tenth of the size for a fiftieth of the scan's time
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


class JudgingRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The rules as files, the values they were given, and the report."""

    files: Mapping[str, str]  # <topic>/<id>.yaml, frameworks/<id>.yaml and the shared texts, byte for byte
    params: Mapping[str, Mapping[str, ParamValue]]
    report: Report


class RecordedScan(msgspec.Struct, frozen=True, kw_only=True):
    """Of the report, only which scan it is about."""

    scan: ScanSummary


class RecordedBasis(msgspec.Struct, frozen=True, kw_only=True):
    """A judging record without its findings, which may be many."""

    files: Mapping[str, str]
    params: Mapping[str, Mapping[str, ParamValue]]
    report: RecordedScan


_Record = TypeVar("_Record", JudgingRecord, RecordedBasis)


def keep(folder: Path, rules: Sequence[Rule], params: Params, report: Report) -> None:
    """Keep what a snapshot was judged by, readable by its owner only. Raises `SnapshotError` if the disk is full."""
    judged = JudgingRecord(files=files_of(rules), params=params, report=report)
    path = folder / FILE
    try:
        write_private(path, gzip.compress(msgspec.json.encode(judged), _LEVEL, mtime=0))
    except OSError as error:
        raise SnapshotError(
            say("{path} cannot be written ({why}); free some space, then scan again.", path=path, why=error.strerror)
        ) from error


def read(folder: Path) -> JudgingRecord:
    """What a snapshot was judged by. Raises `SnapshotError` if nothing was kept, or it cannot be read."""
    return _read(folder, JudgingRecord)


def read_basis(folder: Path) -> RecordedBasis:
    """The same without the findings. Raises as `read` does."""
    return _read(folder, RecordedBasis)


def _read(folder: Path, kind: type[_Record]) -> _Record:
    try:
        return msgspec.json.decode(gzip.decompress((folder / FILE).read_bytes()), type=kind)
    except FileNotFoundError as error:
        raise SnapshotError(
            say(
                "{folder} does not record which rules it was judged by: it was only collected, or "
                "scanned by an older cloudscan. Run `cloudscan scan` and use that scan.",
                folder=folder,
            )
        ) from error
    except (OSError, EOFError, zlib.error, msgspec.MsgspecError) as error:
        raise SnapshotError(
            say("{file} is damaged ({error}); use another scan.", file=folder / FILE, error=error)
        ) from error


def files_of(rules: Iterable[Rule]) -> dict[str, str]:
    """The files of rules, their shared texts and all frameworks beside them, by a path that is safe everywhere."""
    rules = list(rules)
    frameworks = [file for folder in _framework_folders(rules) for file in sorted(folder.glob("*.y*ml"))]
    shared = sorted({remedy.file for rule in rules for remedy in rule.remedies})
    return {
        **{_shared_path(number): Path(file).read_text("utf-8") for number, file in enumerate(shared)},
        **{f"{FRAMEWORKS}/{_safe(file.name)}": file.read_text("utf-8") for file in frameworks},
        **{
            f"{_topic(rule)}/{rule.id}.yaml": Path(rule.source).read_text("utf-8")
            for rule in sorted(rules, key=lambda rule: rule.id)
        },
    }


def frameworks_of(rules: Iterable[Rule]) -> tuple[Framework, ...]:
    """The frameworks beside rules that are loaded. Raises `RuleError` if a file has become wrong since."""
    return loader.load_frameworks(folder for folder in _framework_folders(rules) if folder.is_dir())


def _framework_folders(rules: Iterable[Rule]) -> list[Path]:
    return sorted({Path(rule.source).parent.parent / FRAMEWORKS for rule in rules})


def _shared_path(number: int) -> str:
    return f"shared-{number}/{remedies.FILE}" if number else remedies.FILE


def _topic(rule: Rule) -> str:
    topic = _safe(Path(rule.source).parent.name)
    return f"rules-{topic}" if topic == FRAMEWORKS else topic


def _safe(name: str) -> str:
    return _UNSAFE.sub("-", name).lstrip(".-") or "rules"
