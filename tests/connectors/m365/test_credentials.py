"""What a person gets wrong with Microsoft's credentials: one sentence each, without a request."""

from pathlib import Path

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from cloudscan.connector import Estate
from cloudscan.errors import AccessDenied, CloudscanError, ConfigurationError, Unreachable
from cloudscan_emulators.microsoft import certificates
from cloudscan_m365.api.sign_in import SignIn
from cloudscan_m365.doctor import checks
from cloudscan_m365.options import Options

PAIR = certificates.for_application().pem
KEY, CERTIFICATE = PAIR[: PAIR.index(b"-----BEGIN CERTIFICATE")], PAIR[PAIR.index(b"-----BEGIN CERTIFICATE") :]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (CERTIFICATE, "has a certificate without its private key; append the key"),
        (KEY, "has a private key without its certificate; append the certificate"),
        (b"hello\n", "is neither PEM nor PKCS12"),
        (b"", "is neither PEM nor PKCS12"),
        (PAIR.replace(b"PRIVATE", b"ENCRYPTED PRIVATE"), "set AZURE_CLIENT_CERTIFICATE_PASSWORD"),
        (b"\x30\x82 but no PKCS12", "cannot be used"),
        (PAIR[:-40], "cannot be used"),
    ],
)
def test_a_certificate_that_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, words: str
) -> None:
    monkeypatch.delenv("AZURE_CLIENT_CERTIFICATE_PASSWORD", raising=False)
    file = tmp_path / "application.pem"
    file.write_bytes(content)

    (check,) = checks(Options(tenant="kumo.example", client_id="x", certificate_file=str(file)), Estate())

    assert not check.ok
    assert words in check.remedy


class Refusing:
    """A credential that gives no token."""

    def __init__(self, message: str) -> None:
        self.message = message

    def get_token(self, *_: object, **__: object) -> AccessToken:
        raise ClientAuthenticationError(self.message)


@pytest.mark.parametrize(
    ("message", "kind", "words"),
    [
        ("DefaultAzureCredential failed to retrieve a token", ConfigurationError, "Set AZURE_TENANT_ID"),
        ("HTTPSConnectionPool: Failed to resolve 'login'", Unreachable, "Check the network"),
        ("AADSTS7000215: Invalid client secret", AccessDenied, "AADSTS7000215"),
    ],
)
def test_why_there_is_no_token(message: str, kind: type[CloudscanError], words: str) -> None:
    with pytest.raises(kind, match=words):
        SignIn(lambda: Refusing(message), by_secret=False).token("https://graph.microsoft.com")
