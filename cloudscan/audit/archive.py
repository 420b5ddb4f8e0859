"""Opening a pack that anyone may have made: a folder, or a zip that never decides where it is unpacked.

Refused before any content is read: names that lead elsewhere, links and devices, duplicate names, encrypted entries,
and more or larger files than any pack has.
"""

import os
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from cloudscan.audit import SUMS
from cloudscan.audit.manifest import CHUNK, NAME
from cloudscan.errors import AuditError
from cloudscan.files import open_private
from cloudscan.sentence import say


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What no pack exceeds."""

    files: int = 50_000
    bytes: int = 16 << 30
    ratio: int = 1_000  # of one entry's size to its compressed size; reports reach some fifty
    small: int = 16 << 20  # bytes up to which the ratio does not matter


class Pack(Protocol):
    """The files of a pack by name, without the folder that they are in."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """The size of each file in bytes, by name."""
        ...

    def chunks(self, name: str) -> Iterator[bytes]:
        """A file's content. Raises `AuditError` if it cannot be read."""
        ...


@dataclass(frozen=True)
class _Folder:
    path: Path
    sizes: Mapping[str, int]

    def chunks(self, name: str) -> Iterator[bytes]:
        try:
            with (self.path / PurePosixPath(name)).open("rb") as file:
                while chunk := file.read(CHUNK):
                    yield chunk
        except OSError as error:
            raise AuditError(
                say("{name} in {path} cannot be read ({why}).", name=repr(name), path=self.path, why=error.strerror)
            ) from error


@dataclass(frozen=True)
class _Zip:
    archive: zipfile.ZipFile
    entries: Mapping[str, zipfile.ZipInfo]
    sizes: Mapping[str, int]

    def chunks(self, name: str) -> Iterator[bytes]:
        left = self.sizes[name]
        try:
            with self.archive.open(self.entries[name]) as file:
                while chunk := file.read(CHUNK):
                    left -= len(chunk)
                    if left < 0:
                        raise AuditError(
                            say("{name} is larger than the zip says; the pack cannot be used.", name=repr(name))
                        )
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise AuditError(
                say("{name} in the zip is damaged ({error}); get the pack again.", name=repr(name), error=error)
            ) from error


@contextmanager
def opened(path: Path, limits: Limits | None = None) -> Iterator[Pack]:
    """A pack to read. Raises `AuditError` for what is not a pack, or cannot be read safely."""
    limits = limits or Limits()
    if path.is_dir():
        yield _folder(path, limits)
        return
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError as error:
        raise AuditError(say("There is no {path}; check the path.", path=path)) from error
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
        raise AuditError(
            say("{path} is not an audit pack: neither a folder nor a readable zip ({error}).", path=path, error=error)
        ) from error
    with archive:
        yield _zip(archive, path, limits)


def content(pack: Pack, name: str, most: int) -> bytes:
    """A whole file of at most `most` bytes. Raises `AuditError` if it is larger, missing, or cannot be read."""
    if name not in pack.sizes:
        raise AuditError(say("There is no {name}: this is not an audit pack, or only a part of one.", name=name))
    if pack.sizes[name] > most:
        raise AuditError(
            say(
                "{name} has {sizes} bytes, more than any pack has; it cannot be used.",
                name=name,
                sizes=f"{pack.sizes[name]:,}",
            )
        )
    return b"".join(pack.chunks(name))


def unpacked(pack: Pack, names: Iterator[str], into: Path) -> None:
    """Copy some files of a pack into a folder of ours."""
    for name in names:
        if not NAME.fullmatch(name):
            raise AuditError(say("{name} is not a name that a pack uses; it cannot be used.", name=repr(name)))
        file = into / PurePosixPath(name)
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open_private(file) as out:
                for chunk in pack.chunks(name):
                    out.write(chunk)
        except OSError as error:  # a name that is a file and a folder, or too long
            raise AuditError(
                say("{name} cannot be unpacked ({why}); the pack cannot be used.", name=repr(name), why=error.strerror)
            ) from error


def _folder(path: Path, limits: Limits) -> Pack:
    sizes: dict[str, int] = {}
    todo = [path]
    while todo:
        for entry, status in _entries(todo.pop()):
            name = os.fsencode(entry.relative_to(path).as_posix()).decode("utf-8", "backslashreplace")
            if stat.S_ISDIR(status.st_mode):
                todo.append(entry)
            elif stat.S_ISREG(status.st_mode):
                sizes[name] = status.st_size
            else:
                raise _linked(name, path)
            _check_amount(len(sizes) + len(todo), sum(sizes.values()) if len(sizes) % 100 == 0 else 0, path, limits)
    _check_amount(len(sizes), sum(sizes.values()), path, limits)
    return _Folder(path, sizes)


def _entries(folder: Path) -> list[tuple[Path, os.stat_result]]:
    try:
        return [(entry, entry.lstat()) for entry in sorted(folder.iterdir())]
    except OSError as error:
        raise AuditError(
            say(
                "A folder in the pack cannot be read ({why}); check the permissions, or get it again.",
                why=error.strerror,
            )
        ) from error


def _zip(archive: zipfile.ZipFile, path: Path, limits: Limits) -> Pack:
    infos = archive.infolist()
    _check_amount(len(infos), sum(info.file_size for info in infos), path, limits)
    for info in infos:
        _check_entry(info, path, limits)
    files = {info.filename: info for info in infos if not info.is_dir()}
    if len({name.casefold() for name in files}) != sum(not info.is_dir() for info in infos):
        raise AuditError(
            say(
                "{path} has two files of one name, and it is undefined which of them counts; it cannot be used.",
                path=path,
            )
        )
    tops = [name[: -len(SUMS)] for name in files if name == SUMS or name.endswith(f"/{SUMS}")]
    top = min(tops, key=len, default="")
    entries = {name.removeprefix(top): info for name, info in files.items()}
    if len(entries) != len(files):
        raise AuditError(say("{path} has two files of one name; it cannot be used.", path=path))
    return _Zip(archive, entries, {name: info.file_size for name, info in entries.items()})


def _check_entry(info: zipfile.ZipInfo, path: Path, limits: Limits) -> None:
    # The name in the archive, not what `zipfile` made of it: it cuts names at NUL and replaces separators.
    name = info.orig_filename
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or "\\" in name or ":" in name or "\0" in name or not parts:
        raise AuditError(say("{name} in {path} leads out of the pack; it cannot be used.", name=repr(name), path=path))
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _linked(name, path)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise AuditError(
            say(
                "{name} in {path} is compressed in a way that no pack is; it cannot be used.",
                name=repr(name),
                path=path,
            )
        )
    if info.flag_bits & 0x1:
        raise AuditError(
            say("{name} in {path} is encrypted; get the pack without a password.", name=repr(name), path=path)
        )
    if info.file_size > limits.small and info.file_size > limits.ratio * max(info.compress_size, 1):
        raise AuditError(
            say(
                "{name} in {path} would unpack to {file_size} bytes; that is a zip bomb, which is not unpacked.",
                name=repr(name),
                path=path,
                file_size=f"{info.file_size:,}",
            )
        )


def _linked(name: str, pack: Path) -> AuditError:
    return AuditError(
        say(
            "{name} in {pack} is a link or a device, and a pack has only files; the pack cannot be used.",
            name=repr(name),
            pack=pack,
        )
    )


def _check_amount(files: int, size: int, path: Path, limits: Limits) -> None:
    if files > limits.files:
        raise AuditError(
            say(
                "{path} has more than {files} files, more than any pack; it cannot be used.",
                path=path,
                files=f"{limits.files:,}",
            )
        )
    if size > limits.bytes:
        raise AuditError(
            say(
                "{path} has more than {bytes} bytes, more than any pack; it cannot be used.",
                path=path,
                bytes=f"{limits.bytes:,}",
            )
        )
