"""What keeps the SDK from starting is one sentence with the next step, from the scan as from doctor."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudscan.connector import Estate
from cloudscan.errors import ConfigurationError
from cloudscan_emulators.aws.moto_server import Emulator, Fault
from cloudscan_s3.api.account import Meter, own_account
from cloudscan_s3.doctor import checks
from cloudscan_s3.options import Options
from cloudscan_s3.plugin import PLUGIN
from tests.connectors.s3.estate import connector

KEYS = "aws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = example\n"
SSO = (
    "[profile audit]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Audit\nregion = us-east-1\n"
    "[sso-session corp]\nsso_start_url = https://corp.awsapps.example/start\nsso_region = ap-northeast-1\n"
)
MFA = (
    "[profile audit]\nrole_arn = arn:aws:iam::111122223333:role/audit\nsource_profile = base\n"
    "mfa_serial = arn:aws:iam::111122223333:mfa/example\n"
)


class Machine:
    """A computer with an AWS configuration and nothing else."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._patch = patch
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("HOME", str(folder))
        self.configure("", "")

    def configure(self, config: str, credentials: str = "") -> None:
        (self._folder / "config").write_text(config)
        (self._folder / "credentials").write_text(credentials)
        self._patch.setenv("AWS_CONFIG_FILE", str(self._folder / "config"))
        self._patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(self._folder / "credentials"))

    def set(self, **environment: str) -> None:
        for name, value in environment.items():
            self._patch.setenv(name, value)

    def says(self, **options: Any) -> str:
        """What the scan says; doctor has to say the same."""
        given = Options(**options)
        with pytest.raises(ConfigurationError) as raised:
            list(PLUGIN.open(given, Estate()).scopes())
        assert [check.remedy for check in checks(given, Estate())] == [str(raised.value)]
        return str(raised.value)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    yield Machine(tmp_path, monkeypatch)


def test_the_package_for_aws_login_is_missing(machine: Machine) -> None:
    machine.configure("[profile audit]\nlogin_session = arn:aws:iam::111122223333:user/example\nregion = us-east-1\n")

    assert 'pip install "botocore[crt]"' in machine.says(profile="audit")


def test_a_credential_process_fails(machine: Machine) -> None:
    machine.configure("[profile audit]\ncredential_process = /bin/false\n")

    assert "could not be fetched from custom-process" in machine.says(profile="audit")


def test_half_of_the_credentials_is_missing(machine: Machine) -> None:
    machine.configure("", "[audit]\naws_access_key_id = AKIAEXAMPLE\n")

    assert "aws_secret_access_key is missing" in machine.says(profile="audit")


@pytest.mark.parametrize("endpoint", ["127.0.0.1:9000", "store.example", "ftp://store.example"])
def test_an_endpoint_needs_a_scheme(machine: Machine, endpoint: str) -> None:
    assert "http:// or https://" in machine.says(endpoint=endpoint)


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:port", "https://"])
def test_an_endpoint_that_makes_no_sense(machine: Machine, endpoint: str) -> None:
    machine.configure("", f"[default]\n{KEYS}")

    assert "endpoint" in machine.says(endpoint=endpoint)


def test_the_session_of_single_sign_on_is_missing(machine: Machine) -> None:
    machine.configure(SSO)

    assert "Run `aws sso login`" in machine.says(profile="audit")


def test_a_code_cannot_be_typed_without_a_terminal(machine: Machine) -> None:
    machine.configure(MFA, f"[base]\n{KEYS}")
    machine.set(AWS_PROFILE="audit")

    assert "MFA code" in machine.says()


def test_the_web_identity_token_is_missing(machine: Machine) -> None:
    machine.set(
        AWS_WEB_IDENTITY_TOKEN_FILE="/var/run/secrets/none/token", AWS_ROLE_ARN="arn:aws:iam::111122223333:role/ci"
    )

    said = machine.says()

    assert "AWS_WEB_IDENTITY_TOKEN_FILE" in said
    assert "/var/run/secrets/none/token" in said


@pytest.mark.parametrize(
    ("environment", "options", "region"),
    [
        ({"AWS_PROFILE": "audit"}, Options(), "cn-north-1"),
        ({}, Options(profile="audit"), "cn-north-1"),
        ({"AWS_PROFILE": "audit", "AWS_REGION": "eu-west-1"}, Options(), "eu-west-1"),
        ({"AWS_PROFILE": "audit"}, Options(region="us-gov-west-1"), "us-gov-west-1"),
        ({}, Options(), "us-east-1"),
    ],
)
def test_the_region_is_the_profiles_unless_something_nearer_names_one(
    machine: Machine, environment: dict[str, str], options: Options, region: str
) -> None:
    machine.configure("[profile audit]\nregion = cn-north-1\n", f"[default]\n{KEYS}")
    machine.set(**environment)

    assert own_account(options, Meter()).region == region


def test_a_store_that_only_speaks_the_protocol_is_refused_in_one_sentence(server: Emulator) -> None:
    server.faults.add(Fault(where="GetCallerIdentity", status="501 Not Implemented", code="NotImplemented"))

    with pytest.raises(ConfigurationError, match="Only AWS itself can be scanned"):
        list(connector(server).scopes())
