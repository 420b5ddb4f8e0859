"""Whether a pack is unchanged: every file against the manifest, the manifest against its signature."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from cloudscan.audit import FORMAT, MANIFEST, SIGNATURE, SUMS, signature
from cloudscan.audit.archive import Pack, content
from cloudscan.audit.manifest import Manifest, hashed, parse
from cloudscan.audit.signature import PublicKey
from cloudscan.errors import AuditError
from cloudscan.sentence import say

_MOST: Final = 16 << 20  # bytes of a manifest
_MOST_SIGNATURE: Final = 1 << 16


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One difference between a pack and its manifest, or what is wrong with the signature."""

    kind: str  # missing, added, altered, signature
    name: str
    message: str


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a check."""

    scan: str
    started_on: str
    redacted: bool
    files: int
    fingerprint: str  # of the pack: SHA-256 of MANIFEST.sha256; an auditor who has recorded it needs no signature
    signed_by: str  # the key's fingerprint; empty if there is no valid signature
    faults: tuple[Fault, ...]


@dataclass(frozen=True, kw_only=True)
class _Signed:
    by: str = ""
    faults: tuple[Fault, ...] = ()


def verify(pack: Pack, key: PublicKey | None = None) -> Verification:
    """Compare a pack with its manifest. With a `key` it has to be signed, and by that key.

    Raises `AuditError` if there is nothing to compare with.
    """
    sums = content(pack, SUMS, _MOST)
    expected = parse(sums)
    manifest = read_manifest(pack)
    signed = _signed(pack, sums, key)
    return Verification(
        scan=manifest.scan.id,
        started_on=f"{manifest.scan.started_on:%Y-%m-%d %H:%M} UTC",
        redacted=manifest.redacted,
        files=len(expected),
        fingerprint=hashed(iter([sums])).sha256,
        signed_by=signed.by,
        faults=(*signed.faults, *_differences(pack, expected, manifest)),
    )


def read_manifest(pack: Pack) -> Manifest:
    """What a pack says about itself. Raises `AuditError`."""
    try:
        manifest = msgspec.json.decode(content(pack, MANIFEST, _MOST), type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AuditError(
            say("{manifest} is damaged ({error}); the pack cannot be used.", manifest=MANIFEST, error=error)
        ) from error
    if manifest.format != FORMAT:
        raise AuditError(
            say(
                "The pack has format {format}, made by {tool}; this version reads {readable}.",
                format=manifest.format,
                tool=manifest.tool,
                readable=FORMAT,
            )
        )
    return manifest


def _differences(pack: Pack, expected: dict[str, str], manifest: Manifest) -> Iterator[Fault]:
    present = pack.sizes.keys() - {SUMS, SIGNATURE}
    for name in sorted(expected.keys() - present):
        yield Fault(kind="missing", name=name, message=say("is in the manifest, but not in the pack"))
    for name in sorted(present - expected.keys()):
        yield Fault(kind="added", name=name, message=say("is in the pack, but not in the manifest"))
    for name in sorted(present & expected.keys()):
        if hashed(pack.chunks(name)).sha256 != expected[name]:
            yield Fault(kind="altered", name=name, message=say("has changed since the manifest was written"))
    listed = {name: file.sha256 for name, file in manifest.files.items()}
    if listed != {name: sha256 for name, sha256 in expected.items() if name != MANIFEST}:
        yield Fault(kind="altered", name=SUMS, message=say("does not list what {manifest} lists", manifest=MANIFEST))


def _signed(pack: Pack, sums: bytes, key: PublicKey | None) -> _Signed:
    if SIGNATURE not in pack.sizes:
        return _Signed(faults=(_fault(say("is missing, though a key was given")),) if key else ())
    try:
        by = signature.verify(sums, content(pack, SIGNATURE, _MOST_SIGNATURE).decode("utf-8", "replace"))
    except ValueError as error:
        return _Signed(faults=(_fault(say("is not valid: {error}", error=error)),))
    if key and key != by:
        other = say("is by another key, {other}, not by {key}", other=by.fingerprint, key=key.fingerprint)
        return _Signed(faults=(_fault(other),))
    return _Signed(by=by.fingerprint)


def _fault(message: str) -> Fault:
    return Fault(kind="signature", name=SIGNATURE, message=message)


def key_of(path: Path | None) -> PublicKey | None:
    """The key that a pack should be signed by. Raises `AuditError`."""
    return signature.public_key(path) if path else None
