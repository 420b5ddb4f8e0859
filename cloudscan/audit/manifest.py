"""The manifest, which lists the files of a pack with the SHA-256 of each; and writing a pack, as a folder or a zip."""

import hashlib
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

import msgspec

from cloudscan.audit import FORMAT, MANIFEST, SIGNATURE, SUMS, signature
from cloudscan.coverage import ScanSummary
from cloudscan.errors import AuditError
from cloudscan.files import open_private, private_file
from cloudscan.sentence import say

CHUNK: Final = 1 << 20
NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
"""The names that files in a pack may have: nothing that any system reads as more than a name."""

_LINE: Final = re.compile(r"([0-9a-f]{64}) [ *](.+)")
_TOP: Final = "cloudscan-audit"
_ZIP64: Final = 1 << 31
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can express


class File(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a pack."""

    sha256: str
    bytes: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a pack says about itself."""

    format: int = FORMAT
    tool: str
    scan: ScanSummary
    redacted: bool
    replay_differs: Sequence[str] = ()  # rules that read what was redacted, so that their replay differs
    files: Mapping[str, File]


@dataclass(frozen=True, kw_only=True)
class Part:
    """A file on its way into a pack: its name, and its content or the file that contains it."""

    name: str
    content: bytes | Path

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    def chunks(self) -> Iterator[bytes]:
        """The content, piece by piece."""
        if isinstance(self.content, bytes):
            yield self.content
            return
        with self.content.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk


def text(name: str, content: str) -> Part:
    """A part that is text; halves of surrogate pairs, which UTF-8 cannot encode, become question marks."""
    return Part(name=name, content=content.encode("utf-8", "replace"))


def data(name: str, value: object) -> Part:
    """A part that is indented JSON."""
    return Part(name=name, content=msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")


def hashed(chunks: Iterator[bytes]) -> File:
    """The manifest's entry for a file with this content."""
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
    return File(sha256=digest.hexdigest(), bytes=size)


def with_manifest(
    parts: Sequence[Part],
    *,
    tool: str,
    scan: ScanSummary,
    redacted: bool,
    replay_differs: Sequence[str] = (),
    key: Path | None = None,
) -> list[Part]:
    """The parts in the order of their names, with the manifest and, with a key, its signature."""
    files = {part.name: hashed(part.chunks()) for part in sorted(parts, key=lambda part: part.name)}
    if len(files) != len(parts):
        raise ValueError("two parts of a pack have the same name")
    manifest = data(
        MANIFEST, Manifest(tool=tool, scan=scan, redacted=redacted, replay_differs=replay_differs, files=files)
    )
    files[MANIFEST] = hashed(manifest.chunks())
    sums = "".join(f"{files[name].sha256}  {name}\n" for name in sorted(files)).encode()
    whole = [*parts, manifest, Part(name=SUMS, content=sums)]
    if key:
        whole.append(text(SIGNATURE, signature.sign(sums, key)))
    return sorted(whole, key=lambda part: part.name)


def parse(sums: bytes) -> dict[str, str]:
    """SHA-256 by name. Raises `AuditError` for what `sha256sum` would not have written."""
    by_name: dict[str, str] = {}
    for number, line in enumerate(sums.decode("utf-8", "replace").splitlines(), 1):
        parsed = _LINE.fullmatch(line)
        if parsed is None or not NAME.fullmatch(parsed[2]) or parsed[2] in by_name:
            raise AuditError(
                say("{sums}:{number}: is not a line of a manifest; the pack cannot be used.", sums=SUMS, number=number)
            )
        by_name[parsed[2]] = parsed[1]
    return by_name


def write(parts: Sequence[Part], into: Path) -> None:
    """Write a folder, or a zip if the name ends with ``.zip``; readable by its owner only, whole or not at all.

    Raises `AuditError` if something exists there already, or it cannot be written.
    """
    if into.exists() and (into.is_file() or any(into.iterdir())):
        raise AuditError(
            say("{into} already exists, and evidence is not overwritten; choose another path with --into.", into=into)
        )
    try:
        into.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if into.suffix == ".zip":
            with private_file(into) as file:
                _write_zip(parts, file)
        else:
            part = into.with_name(f"{into.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            _write_folder(parts, part)
            if into.exists():
                into.rmdir()
            part.rename(into)
    except OSError as error:
        raise AuditError(
            say("{into} cannot be written ({why}); choose another path with --into.", into=into, why=error.strerror)
        ) from error


def _write_folder(parts: Sequence[Part], folder: Path) -> None:
    for part in parts:
        file = folder / PurePosixPath(part.name)
        for missing in reversed([parent for parent in (file.parent, *file.parent.parents) if not parent.exists()]):
            missing.mkdir(mode=0o700)
        with open_private(file) as out:
            for chunk in part.chunks():
                out.write(chunk)


def _write_zip(parts: Sequence[Part], file: BinaryIO) -> None:
    """All in one folder, so that unpacking does not scatter files. It contains no time, owner or machine name."""
    with zipfile.ZipFile(file, "w") as archive:
        for part in parts:
            entry = zipfile.ZipInfo(f"{_TOP}/{part.name}", _EPOCH)
            entry.create_system = 3  # Unix, so that the mode is honoured
            entry.external_attr = 0o100600 << 16
            # Parquet is compressed already.
            entry.compress_type = zipfile.ZIP_STORED if part.name.endswith(".parquet") else zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=part.size >= _ZIP64) as out:
                for chunk in part.chunks():
                    out.write(chunk)
