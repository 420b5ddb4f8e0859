"""What keeps the SDK from starting is one sentence with the next step, from the scan as from doctor."""

import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions as sdk_errors

from cloudscan.connector import Estate
from cloudscan.errors import ConfigurationError, ProviderError
from cloudscan.reason import has_words
from cloudscan_emulators.aws.moto_server import Emulator, Fault
from cloudscan_s3.api.account import Meter, own_account
from cloudscan_s3.api.failures import translated
from cloudscan_s3.doctor import checks
from cloudscan_s3.options import Options
from cloudscan_s3.plugin import PLUGIN
from cloudscan_s3.questions import CALLER
from tests.connectors import reading
from tests.connectors.s3.estate import ACCOUNT, bucket, connector, gap

KEYS = "aws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = example\n"
SSO = (
    "[profile audit]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Audit\nregion = us-east-1\n"
    "[sso-session corp]\nsso_start_url = https://corp.awsapps.example/start\nsso_region = ap-northeast-1\n"
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
        patch.setattr("sys.stdin", io.StringIO())
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


def profile(**keys: str) -> str:
    """A configuration file with the profile `audit`."""
    return "[profile audit]\n" + "".join(f"{name} = {value}\n" for name, value in keys.items())


def process(prints: str) -> str:
    """A profile whose credential_process prints something."""
    return profile(credential_process=f"/bin/echo '{prints}'")


ROLE = "arn:aws:iam::111122223333:role/audit"
BASE = f"[base]\n{KEYS}"
DEFAULT = f"[default]\n{KEYS}"
ENDED = "2020-01-01T00:00:00Z"
EXPIRED = f'{{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": "{ENDED}"}}'
PROCESS = "The credential_process of the AWS profile audit failed"


@pytest.mark.parametrize(
    ("config", "credentials", "says"),
    [
        pytest.param(
            profile(login_session="arn:aws:iam::111122223333:user/example", region="us-east-1"),
            "",
            'pip install "botocore[crt]"',
            id="aws login without its package",
        ),
        pytest.param(profile(credential_process="/bin/false"), "", PROCESS, id="a process that fails"),
        pytest.param(profile(credential_process="/no/such/tool"), "", "/no/such/tool: No such file", id="no process"),
        pytest.param(profile(credential_process="/etc/passwd"), "", "/etc/passwd: Permission", id="no program"),
        pytest.param(profile(credential_process='/bin/echo "a'), "", PROCESS, id="a quotation mark that is left open"),
        pytest.param(process("hello"), "", PROCESS, id="a process that prints no JSON"),
        pytest.param(process("[]"), "", PROCESS, id="a process that prints a list"),
        pytest.param(process("{}"), "", "Unsupported version", id="a process without a version"),
        pytest.param(process('{"Version": 1}'), "", "AccessKeyId", id="a process without a key"),
        pytest.param(process(EXPIRED), "", "still expired", id="a process with expired credentials"),
        pytest.param(process(EXPIRED.replace(ENDED, "soon")), "", PROCESS, id="an end that no calendar has"),
        pytest.param("", "[audit]\naws_access_key_id = A\n", "aws_secret_access_key is missing", id="no secret"),
        pytest.param("", "[audit]\naws_secret_access_key = A\n", "aws_access_key_id is missing", id="no key"),
        pytest.param("", "[audit]\nregion = us-east-1\n", "No AWS credentials were found", id="nothing in it"),
        pytest.param("", "", "The AWS profile 'audit' does not exist", id="no such profile"),
        pytest.param("not an ini file [[[", "", "cannot be read. Correct its syntax", id="no configuration file"),
        pytest.param("", "nonsense\n", "cannot be read. Correct its syntax", id="no credentials file"),
        pytest.param(SSO, "", "Run `aws sso login --profile audit`", id="no session of single sign-on"),
        pytest.param(
            profile(role_arn=ROLE, source_profile="person") + SSO.replace("profile audit", "profile person"),
            "",
            "Run `aws sso login --profile person`",
            id="no session of the profile behind it",
        ),
        pytest.param(
            profile(sso_session="gone", sso_account_id="1", sso_role_name="A"), "", '"gone"', id="no sso-session"
        ),
        pytest.param(
            profile(sso_start_url="https://a.example", sso_account_id="1"),
            "",
            "sso_role_name",
            id="half of single sign-on",
        ),
        pytest.param(profile(role_arn=ROLE), "", "source_profile or credential_source is missing", id="no source"),
        pytest.param(profile(role_arn=ROLE, source_profile="gone"), "", '"gone"', id="no such source"),
        pytest.param(
            profile(role_arn=ROLE, source_profile="empty") + "[profile empty]\n", "", '"empty"', id="empty source"
        ),
        pytest.param(profile(role_arn=ROLE, credential_source="Nowhere"), "", '"Nowhere"', id="no such kind of source"),
        pytest.param(
            profile(role_arn=ROLE, credential_source="Environment"),
            "",
            "could not be fetched from Environment",
            id="bare",
        ),
        pytest.param(
            profile(role_arn=ROLE, source_profile="other")
            + f"[profile other]\nrole_arn = {ROLE}\nsource_profile = audit\n",
            "",
            "Infinite loop",
            id="sources in a circle",
        ),
        pytest.param(profile(role_arn=ROLE, source_profile="base", mfa_serial="m"), BASE, "MFA code", id="a code"),
        pytest.param(
            profile(role_arn=ROLE, source_profile="person")
            + f"[profile person]\nrole_arn = {ROLE}\nsource_profile = base\nmfa_serial = m\n",
            BASE,
            "The AWS profile person asks for an MFA code",
            id="a code of the profile behind it",
        ),
        pytest.param(
            profile(role_arn=ROLE, web_identity_token_file="/none/token"),
            "",
            "/none/token, which web_identity_token_file in the AWS profile audit names, does not exist",
            id="no token file",
        ),
        pytest.param(profile(services="gone"), f"[audit]\n{KEYS}", '"gone"', id="no such services"),
        pytest.param(
            profile(endpoint_url="127.0.0.1:9"), f"[audit]\n{KEYS}", "address", id="an address without a scheme"
        ),
        pytest.param(profile(region="us_east_1"), f"[audit]\n{KEYS}", "'us_east_1'", id="no region"),
        pytest.param(profile(ca_bundle="/none/ca.pem"), f"[audit]\n{KEYS}", "/none/ca.pem", id="no certificates"),
        pytest.param(
            "", "[audit]\naws_access_key_id = A\u3042\naws_secret_access_key = s\n", "Copy it", id="an odd key"
        ),
    ],
)
def test_a_profile_that_cannot_work(machine: Machine, config: str, credentials: str, says: str) -> None:
    machine.configure(config, credentials)

    assert says in machine.says(profile="audit")


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"AWS_PROFILE": "gone"}, "The AWS profile 'gone' does not exist"),
        ({"AWS_ACCESS_KEY_ID": "A"}, "AWS_SECRET_ACCESS_KEY is missing"),
        ({"AWS_SECRET_ACCESS_KEY": "A"}, "AWS_ACCESS_KEY_ID is missing"),
        ({"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s\n"}, "AWS secret key contains characters"),
        ({"AWS_CONFIG_FILE": "/none", "AWS_SHARED_CREDENTIALS_FILE": "/none"}, "No AWS credentials were found"),
        (
            {"AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/secrets/none/token", "AWS_ROLE_ARN": ROLE},
            "The token file /var/run/secrets/none/token, to which AWS_WEB_IDENTITY_TOKEN_FILE points, does not exist",
        ),
        (
            {"AWS_WEB_IDENTITY_TOKEN_FILE": "/", "AWS_ROLE_ARN": ROLE},
            "AWS_WEB_IDENTITY_TOKEN_FILE points, cannot be read",
        ),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/etc/passwd"}, "AWS_ROLE_ARN"),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://store.example/"}, "store.example"),
        (
            {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/none/token",
            },
            "The token file /none/token, to which AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE points",
        ),
        (
            {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "nonsense"},
            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        ),
        ({"AWS_METADATA_SERVICE_TIMEOUT": "long"}, "'long'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_an_environment_that_cannot_work(machine: Machine, environment: dict[str, str], says: str) -> None:
    machine.set(**environment)

    assert says in machine.says()


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"AWS_REGION": "mars-1"}, "'mars-1'"),
        ({"AWS_DEFAULTS_MODE": "fast"}, "fast"),
        ({"AWS_STS_REGIONAL_ENDPOINTS": "global"}, "global"),
        ({"AWS_ENDPOINT_URL": "127.0.0.1:9"}, "Invalid endpoint"),
        ({"AWS_ENDPOINT_URL_S3": "https://store.example"}, "store.example, which is not AWS"),
        ({"AWS_CA_BUNDLE": "/none/ca.pem"}, "/none/ca.pem"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_an_environment_that_makes_no_client(machine: Machine, environment: dict[str, str], says: str) -> None:
    machine.configure("", DEFAULT)
    machine.set(**environment)

    assert says in machine.says()


@pytest.mark.parametrize(
    ("endpoint", "says"),
    [
        ("127.0.0.1:9000", "write http://127.0.0.1:9000."),
        ("store.example", "write https://store.example."),
        ("ftp://user:pw@store.example", "write https://store.example."),
        ("https://", "write https://example.com."),
        ("http://127.0.0.1:port", "is not a URL"),
    ],
)
def test_an_endpoint_is_an_address_of_the_web(endpoint: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match="endpoint") as raised:
        Options(endpoint=endpoint)

    assert says in str(raised.value)
    assert "pw" not in str(raised.value)


@pytest.mark.parametrize("endpoint", ["http://my store", "http://user:pw@host"])
def test_an_endpoint_that_makes_no_sense(machine: Machine, endpoint: str) -> None:
    machine.configure("", DEFAULT)

    said = machine.says(endpoint=endpoint)

    assert "endpoint" in said
    assert "pw" not in said


def _made(kind: type[Exception]) -> Exception:
    """An error of the SDK's, as it would come."""
    if issubclass(kind, sdk_errors.ClientError):
        return kind({"Error": {"Code": "AccessDenied"}}, "GetCallerIdentity")
    names = re.findall(r"{(\w+)", str(vars(kind).get("fmt") or getattr(kind, "fmt", "")))
    given = {"error": "x", "service_name": "x", "region_name": "x", "proxy_url": "http://x", "endpoint_url": "http://x"}
    if kind is sdk_errors.WaiterError:
        given = {"name": "x", "reason": "x", "last_response": "x"}
    return kind(**{**given, **dict.fromkeys(names, "x")})


KINDS = sorted(
    {
        kind
        for kind in vars(sdk_errors).values()
        if isinstance(kind, type) and issubclass(kind, sdk_errors.BotoCoreError | sdk_errors.ClientError)
    },
    key=lambda kind: kind.__name__,
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
def test_every_error_of_the_sdk_is_a_sentence(kind: type[Exception]) -> None:
    """Whatever the SDK raises becomes one sentence or a reason with words, and never a bug of ours."""
    try:
        meant: Exception = translated(_made(kind), CALLER, "us-east-1")
    except ConfigurationError as error:
        meant = error

    assert isinstance(meant, ConfigurationError | ProviderError)
    said = str(meant)
    assert said
    assert "\n" not in said
    assert ".." not in said
    if isinstance(meant, ProviderError):
        assert all(has_words("reason", meant.reason.code, language) for language in ("en", "ja"))


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


STORES = [
    ("501 Not Implemented", "NotImplemented"),
    ("405 Method Not Allowed", "MethodNotAllowed"),
    ("400 Bad Request", "InvalidParameterValue"),
    ("403 Forbidden", "InvalidAccessKeyId"),
    ("400 Bad Request", "XMinioUnknownAPIRequest"),
    ("404 Not Found", "NoSuchBucket"),
]


@pytest.mark.parametrize(("status", "code"), STORES)
def test_a_store_that_only_speaks_the_protocol_is_refused_in_one_sentence(
    server: Emulator, status: str, code: str
) -> None:
    server.faults.add(Fault(where="GetCallerIdentity", status=status, code=code))

    with pytest.raises(ConfigurationError, match="Only AWS itself can be scanned") as raised:
        list(connector(server).scopes())

    (check,) = checks(Options(endpoint=server.endpoint), Estate())
    assert check.remedy == str(raised.value)


@pytest.mark.parametrize("name", ["MinIO", "Ceph Object Gateway (squid)", "cloudflare", "WasabiS3/7.19"])
def test_a_store_says_its_name(server: Emulator, name: str) -> None:
    server.faults.add(Fault(where="GetCallerIdentity", body=b"<html/>", server=name))

    with pytest.raises(ConfigurationError, match="Only AWS itself can be scanned"):
        list(connector(server).scopes())


def test_a_local_server_may_be_named_by_the_environment(server: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers for AWS as a whole: also for what the SDK would look for under the account's own host name."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    uid = bucket(server, "shared")

    result = reading.read(PLUGIN.open(Options(patience=0.0), Estate()))

    assert result.has(uid)
    assert result.setting(f"s3:account/{ACCOUNT}", "ignore_public_acls") is not None


@pytest.mark.parametrize(
    ("status", "code", "message", "says"),
    [
        ("403 Forbidden", "ExpiredToken", "", "expired"),
        ("403 Forbidden", "InvalidClientTokenId", "", "set region in [connectors.s3]"),
        ("403 Forbidden", "SignatureDoesNotMatch", "Signature expired: 20260101T000000Z", "clock"),
        ("403 Forbidden", "SignatureDoesNotMatch", "The request signature we calculated", "secret"),
    ],
)
def test_credentials_that_aws_does_not_accept_open_nothing(
    server: Emulator, status: str, code: str, message: str, says: str
) -> None:
    server.faults.add(Fault(where="GetCallerIdentity", status=status, code=code, message=message))

    with pytest.raises(ConfigurationError) as raised:
        list(connector(server).scopes())

    assert says in str(raised.value)
    (check,) = checks(Options(endpoint=server.endpoint), Estate())
    assert check.remedy == str(raised.value)


@pytest.mark.parametrize(
    ("where", "code", "says"),
    [
        ("AssumeRole ", "AccessDenied", f"The role {ROLE} cannot be assumed in the AWS profile audit"),
        ("AssumeRole ", "ExpiredToken", f"The role {ROLE} cannot be assumed in the AWS profile audit"),
    ],
)
def test_a_role_of_the_profile_that_does_not_admit_us(
    server: Emulator, machine: Machine, where: str, code: str, says: str
) -> None:
    machine.configure(profile(role_arn=ROLE, source_profile="base", region="us-east-1"), BASE)
    machine.set(AWS_ENDPOINT_URL=server.endpoint)
    server.faults.add(Fault(where=where, code=code))

    assert says in machine.says(profile="audit")


def test_a_web_identity_that_is_refused(server: Emulator, machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("eyJ.eyJ.x")
    machine.set(
        AWS_ENDPOINT_URL=server.endpoint,
        AWS_WEB_IDENTITY_TOKEN_FILE=str(tmp_path / "token"),
        AWS_ROLE_ARN=ROLE,
        AWS_REGION="us-east-1",
    )
    refusal = Fault(where="AssumeRoleWithWebIdentity", status="400 Bad Request", code="InvalidIdentityToken")
    server.faults.add(refusal)

    assert f"The role {ROLE} does not admit the token in AWS_WEB_IDENTITY_TOKEN_FILE" in machine.says()


def test_a_server_without_tls_is_no_secure_connection(server: Emulator) -> None:
    result = reading.read(
        PLUGIN.open(Options(endpoint=server.endpoint.replace("http:", "https:"), patience=0.0), Estate())
    )

    assert gap(result, "s3-certificate-unknown").passing
