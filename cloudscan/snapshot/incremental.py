"""The facts of an earlier scan, kept beside its snapshot so that the next one needs to read only changes.

    scopes/<scope>.json        checksums in one line, then the scope's report, with the cursor to continue from
    scopes/<scope>.jsonl.gz    its facts

Only scopes that ended with a cursor and without gaps of their own are kept: what was not read is not carried on. Of a
scope whose cursor is `whole` only that is kept, with gaps or without: its connector yields all of it each time. What
was kept is an input like any other; where its checksums do not hold, the scope is read in full, and its coverage says
so. When a scope is continued, its connector yields the changes; whatever they do not replace is taken over from here.
What replaces what:

- a resource replaces its previous version with its grants and its settings;
- `Gone` removes a resource or a principal in the same way, with what is in it if it says so;
- a principal replaces its previous version, and one that nothing names any more is left out;
- a membership replaces all memberships of its group;
- nothing of a log (openings, sightings) is taken over: its scope keeps in the cursor what is still needed.
"""

import gzip
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from cloudscan.connector import Cursor, Gap
from cloudscan.errors import StaleCursor
from cloudscan.facts import AnyFact, Gone, Membership, Outcome, Principal, Resource
from cloudscan.files import private_file, write_private
from cloudscan.snapshot.spool import KeptLine, ScopeReport, file_name

FOLDER = "scopes"
_LEVEL = 1  # of compression: the lines are read once, tomorrow
_report = msgspec.json.Decoder(ScopeReport)


class _Line(msgspec.Struct, frozen=True, tag=False):
    """As much of a fact as decides whether it is kept."""

    type: str
    uid: str = ""
    resource_uid: str = ""
    scope_uid: str = ""
    parent_uid: str | None = None
    principal_uid: str | None = None
    owner_uid: str | None = None
    group_uid: str = ""
    member_uid: str = ""


_line = msgspec.json.Decoder(_Line)


class _Sums(msgspec.Struct, frozen=True):
    """The checksums (SHA-256) of what was kept of a scope."""

    report: str
    lines: str  # empty: none are kept


_sums = msgspec.json.Decoder(_Sums)


@dataclass
class Replaced:
    """What the changes of a scope replace or remove."""

    resources: set[str] = field(default_factory=set)
    emptied: set[str] = field(default_factory=set)  # what was in these is gone too
    principals: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)

    def by(self, fact: AnyFact) -> None:
        """Note what a fact replaces."""
        match fact:
            case Resource():
                self.resources.add(fact.uid)
            case Gone():
                self.resources.add(fact.uid)
                self.principals.add(fact.uid)
                if fact.contents:
                    self.emptied.add(fact.uid)
            case Principal():
                self.principals.add(fact.uid)
            case Membership():
                self.groups.add(fact.group_uid)
            case _:
                pass

    def has(self, line: _Line) -> bool:
        """Whether a line of the earlier scan is replaced or removed. Containers come before what is in them."""
        if line.type in ("opening", "sighting"):
            return True
        if line.type == "principal":
            return line.uid in self.principals
        if line.type == "membership":
            return line.group_uid in self.groups
        if line.type == "resource" and line.parent_uid in self.emptied:
            self.resources.add(line.uid)  # its grants and settings follow it
            self.emptied.add(line.uid)
        subject = line.uid if line.type == "resource" else line.resource_uid or line.scope_uid
        return subject in self.resources


@dataclass(frozen=True, kw_only=True)
class EarlierScope:
    """One scope as it was read before."""

    report: ScopeReport
    path: Path

    @property
    def cursor(self) -> Cursor | None:
        """Where the next run can continue."""
        return self.report.cursor

    def gaps(self, replaced: Replaced) -> Iterator[Gap]:
        """The gaps that still exist."""
        return (gap for gap in self.report.gaps if gap.resource_uid not in replaced.resources)

    def lines(self, replaced: Replaced, named: set[str]) -> Iterator[KeptLine]:
        """The facts that are still true. `named` are principals that the changes name."""
        principals: dict[str, bytes] = {}
        named = set(named)
        with gzip.open(self.path, "rb") as file:
            for text in file:
                line = _line.decode(text)
                if replaced.has(line):
                    continue
                if line.type == "principal":
                    principals[line.uid] = text
                    continue
                named.update(filter(None, (line.principal_uid, line.owner_uid, line.group_uid, line.member_uid)))
                yield KeptLine(line.type, line.uid, text)
        for uid, text in principals.items():
            if uid in named:
                yield KeptLine("principal", uid, text)


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """The scopes that an earlier snapshot kept."""

    folder: Path
    outdated: frozenset[str] = frozenset()  # platforms whose kept facts were translated in another way
    fetch: Callable[[str], None] = lambda _: None  # brings what was kept of a scope (its uid) into the folder

    def of(self, scope_uid: str) -> EarlierScope | None:
        """A scope as it was read before; None if nothing was kept.

        Raises `StaleCursor` if what was kept is damaged.
        """
        self.fetch(scope_uid)
        path = self.folder / FOLDER / file_name(scope_uid)
        try:
            header, _, report = path.with_suffix(".json").read_bytes().partition(b"\n")
        except OSError:
            return None
        lines = path.with_suffix(".jsonl.gz")
        try:
            sums = _sums.decode(header)
            is_sound = sums.report == _checksum(report) and (not sums.lines or sums.lines == _checksum_of_file(lines))
            if is_sound:
                kept = _report.decode(report)
                return None if kept.scope.platform in self.outdated else EarlierScope(report=kept, path=lines)
        except (OSError, msgspec.MsgspecError) as error:
            raise StaleCursor("kept-file-damaged") from error
        raise StaleCursor("kept-file-damaged")

    def pass_on(self, scope_uids: Iterable[str], folder: Path) -> None:
        """Keep scopes that could not be read this time for the next scan, which continues from this snapshot."""
        for uid in scope_uids:
            if self._is_sound(uid):
                (folder / FOLDER).mkdir(mode=0o700, exist_ok=True)
                report = (self.folder / FOLDER / file_name(uid)).with_suffix(".json")
                if (folder / FOLDER / report.name).exists():
                    continue  # it was read after all, and its gaps need not be carried on
                for path in (report.with_suffix(".jsonl.gz"), report):
                    if path.exists() and not (folder / FOLDER / path.name).exists():
                        os.link(path, folder / FOLDER / path.name)

    def _is_sound(self, scope_uid: str) -> bool:
        try:
            return self.of(scope_uid) is not None
        except StaleCursor:
            return False

    def forget(self) -> None:
        """Delete what was kept: a newer snapshot has it."""
        shutil.rmtree(self.folder / FOLDER, ignore_errors=True)


def can_be_continued(report: ScopeReport) -> bool:
    """Whether the next scan can continue a scope from here."""
    is_read = report.outcome is Outcome.COMPLETE
    return report.cursor is not None and is_read and (report.cursor.whole or report.is_whole)


def keep(lines: Path, report: ScopeReport, into: Path) -> None:
    """Keep a scope's spool file. The report is written last: without it the scope is read in full."""
    into.mkdir(mode=0o700, exist_ok=True)
    kept = into / lines.name
    if report.cursor is not None and report.cursor.whole:
        content = msgspec.json.encode(msgspec.structs.replace(report, gaps=(), scopes=()))
        sums = _Sums(report=_checksum(content), lines="")
        write_private(kept.with_suffix(".json"), msgspec.json.encode(sums) + b"\n" + content)
        return
    with (
        lines.open("rb") as source,
        private_file(kept.with_suffix(".jsonl.gz")) as target,
        gzip.open(target, "wb", compresslevel=_LEVEL) as file,
    ):
        for line in source:
            if not line.startswith(b'{"type":"report"'):
                file.write(line)
    content = msgspec.json.encode(report)
    sums = _Sums(report=_checksum(content), lines=_checksum_of_file(kept.with_suffix(".jsonl.gz")))
    write_private(kept.with_suffix(".json"), msgspec.json.encode(sums) + b"\n" + content)


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _checksum_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
