"""Certificates made on the spot: the server's own, and one that an application signs in with."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A certificate and its key, as PEM."""

    certificate: str
    key: str

    @property
    def pem(self) -> bytes:
        """Both in one, as azure-identity's `CertificateCredential(certificate_data=...)` takes them."""
        return f"{self.key}{self.certificate}".encode()


def for_server() -> Pair:
    """A self-signed certificate for the loopback interface; quick to make, as its key is on an elliptic curve."""
    names = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        x509.IPAddress(ipaddress.ip_address("::1")),
    ]
    return _pair(ec.generate_private_key(ec.SECP256R1()), "localhost", names)


def for_application(name: str = "cloudscan", *, key_size: int = 2048) -> Pair:
    """What an administrator uploads to an app registration. Takes a while, so tests share one.

    A key is checked each time it is loaded, which takes seven times as long at 2048 bits as at 1024.
    """
    return _pair(rsa.generate_private_key(public_exponent=65537, key_size=key_size), name, [])


def _pair(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, name: str, names: list[x509.GeneralName]) -> Pair:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Pair(certificate=certificate.public_bytes(serialization.Encoding.PEM).decode(), key=private.decode())
