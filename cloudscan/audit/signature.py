"""Ed25519 signatures in OpenSSH's format (SSHSIG, PROTOCOL.sshsig of OpenSSH): what `ssh-keygen -Y` makes and checks.

An auditor verifies with OpenSSH alone. Those who keep their key in an agent or a token sign with `ssh-keygen -Y sign`.
"""

import base64
import binascii
import hashlib
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cloudscan.errors import AuditError
from cloudscan.sentence import say

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NAMESPACE: Final = "cloudscan-audit"
"""The namespace for `ssh-keygen -Y verify -n`: a signature made for another purpose does not count."""

_MAGIC: Final = b"SSHSIG"
_KIND: Final = b"ssh-ed25519"
_BEGIN: Final = "-----BEGIN SSH SIGNATURE-----"
_END: Final = "-----END SSH SIGNATURE-----"
_HASHES: Final = {b"sha256": hashlib.sha256, b"sha512": hashlib.sha512}


@dataclass(frozen=True)
class PublicKey:
    """An Ed25519 key as SSH writes it."""

    blob: bytes

    @property
    def fingerprint(self) -> str:
        """``SHA256:…``, as `ssh-keygen -l` shows it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")

    @property
    def line(self) -> str:
        """As it is written in a ``.pub`` file."""
        return f"{_KIND.decode()} {base64.b64encode(self.blob).decode()}"


def sign(message: bytes, key_file: Path) -> str:
    """An armoured signature of a message. Raises `AuditError` for a key that cannot be used."""
    key = _private_key(key_file)
    blob = _public_blob(key)
    signed = _signed_data(hashlib.sha512(message).digest(), NAMESPACE.encode(), b"sha512")
    body = _MAGIC + (1).to_bytes(4, "big")
    body += _string(blob) + _string(NAMESPACE.encode()) + _string(b"") + _string(b"sha512")
    body += _string(_string(_KIND) + _string(key.sign(signed)))
    armoured = "\n".join(textwrap.wrap(base64.b64encode(body).decode(), 70))
    return f"{_BEGIN}\n{armoured}\n{_END}\n"


def verify(message: bytes, signature: str) -> PublicKey:
    """The key that signed. Raises `ValueError` with the reason if the signature is not valid."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    lines = [line.strip() for line in signature.strip().splitlines()]
    if len(lines) < 3 or lines[0] != _BEGIN or lines[-1] != _END:
        raise ValueError("it is not an SSH signature")
    try:
        body = base64.b64decode("".join(lines[1:-1]), validate=True)
    except binascii.Error as error:
        raise ValueError("it is not an SSH signature") from error
    if body[:6] != _MAGIC or body[6:10] != (1).to_bytes(4, "big"):
        raise ValueError("it is of an unknown version")
    blob, namespace, reserved, hashed, packed = _strings(body[10:], 5)
    kind, public = _strings(blob, 2)
    signed_kind, raw = _strings(packed, 2)
    if (kind, signed_kind) != (_KIND, _KIND):
        raise ValueError("it was not made with an Ed25519 key")
    if namespace != NAMESPACE.encode():
        raise ValueError(f"it was made for another purpose than {NAMESPACE}")
    if hashed not in _HASHES or reserved:
        raise ValueError("it is of an unknown version")
    try:
        signed = _signed_data(_HASHES[hashed](message).digest(), namespace, hashed)
        Ed25519PublicKey.from_public_bytes(public).verify(raw, signed)
    except InvalidSignature as error:
        raise ValueError("it does not belong to this manifest") from error
    return PublicKey(blob)


def public_key(path: Path) -> PublicKey:
    """A public key from a ``.pub`` file, or from the first line of a file of allowed signers.

    Raises `AuditError`.
    """
    try:
        words = path.read_text("utf-8").split()
        blob = base64.b64decode(words[words.index(_KIND.decode()) + 1], validate=True)
        _strings(blob, 2)
    except OSError as error:
        raise AuditError(
            say("The key {path} cannot be read ({why}); check the path.", path=path, why=error.strerror)
        ) from error
    except (ValueError, IndexError) as error:
        raise AuditError(
            say("{path} does not contain an Ed25519 public key, which begins with: ssh-ed25519 AAAA….", path=path)
        ) from error
    return PublicKey(blob)


def public_part(key_file: Path) -> PublicKey:
    """The public key that belongs to a private one. Raises as `sign` does."""
    return PublicKey(_public_blob(_private_key(key_file)))


def _private_key(path: Path) -> "Ed25519PrivateKey":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

    try:
        content = path.read_bytes()
        load = load_ssh_private_key if b"BEGIN OPENSSH" in content else load_pem_private_key
        key = load(content, password=None)
    except OSError as error:
        raise AuditError(
            say(
                "The key {path} cannot be read ({why}); check the path and the permissions.",
                path=path,
                why=error.strerror,
            )
        ) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise AuditError(
            say(
                "The key {path} cannot be used: {error}. Make one with `ssh-keygen -t ed25519 -N '' -f "
                "FILE`; a key with a passphrase, in an agent or on a token signs with `ssh-keygen -Y "
                "sign -n {namespace} -f KEY MANIFEST.sha256` in the pack's folder.",
                path=path,
                error=error,
                namespace=NAMESPACE,
            )
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise AuditError(
            say("The key {path} is not an Ed25519 key; make one with `ssh-keygen -t ed25519 -N '' -f FILE`.", path=path)
        )
    return key


def _public_blob(key: "Ed25519PrivateKey") -> bytes:
    return _string(_KIND) + _string(key.public_key().public_bytes_raw())


def _signed_data(digest: bytes, namespace: bytes, hashed: bytes) -> bytes:
    return _MAGIC + _string(namespace) + _string(b"") + _string(hashed) + _string(digest)


def _string(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content


def _strings(content: bytes, n: int) -> list[bytes]:
    """Exactly `n` strings, each behind its length (RFC 4251, section 5)."""
    strings: list[bytes] = []
    for _ in range(n):
        length = int.from_bytes(content[:4], "big")
        if len(content) < 4 + length:
            raise ValueError("it is truncated")
        strings.append(content[4 : 4 + length])
        content = content[4 + length :]
    if content:
        raise ValueError("it is longer than it says")
    return strings
