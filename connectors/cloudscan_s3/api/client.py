"""The AWS SDK, set up once per account: shared clients, counted requests, errors in cloudscan's terms.

A boto3 session costs about 100 ms and a client 4 to 90 ms, so both are kept and shared. Clients may be used from any
thread, but must be created one at a time (boto3 guide, "Multithreading or multiprocessing with clients").
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit, urlunsplit

import boto3
import botocore.session
from botocore import exceptions as sdk_errors
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.parsers import ResponseParserError

from cloudscan.connector import Spent
from cloudscan.errors import AccessDenied, ConfigurationError, Malformed, ProviderError, Throttled, Unreachable
from cloudscan.facts import Outcome
from cloudscan_s3.access.bucket import Unread
from cloudscan_s3.options import Options

Answer = TypeVar("Answer")

ABSENT = frozenset(
    (
        "NoSuchBucketPolicy",
        "NoSuchPublicAccessBlockConfiguration",
        "OwnershipControlsNotFoundError",
        "NoSuchWebsiteConfiguration",
        "NoSuchTagSet",
        "NoSuchTagSetError",
        "ServerSideEncryptionConfigurationNotFoundError",
        "NoSuchAccessPointPolicy",
        "NoSuchConfiguration",
        "NoSuchMultiRegionAccessPointPolicy",
    )
)
VANISHED = frozenset(("NoSuchBucket", "NoSuchAccessPoint", "NoSuchMultiRegionAccessPoint", "NoSuchKey", "404"))
_DENIED = frozenset(
    (
        "AccessDenied",
        "AccessDeniedException",
        "AllAccessDisabled",
        "AccountProblem",
        "UnauthorizedAccess",
        "UnauthorizedOperation",
        "Forbidden",
        "403",
        "NotSignedUp",
        "OptInRequired",
    )
)
_BAD_CREDENTIALS = frozenset(
    (
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidToken",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "TokenRefreshRequired",
        "RequestExpired",
        "AuthFailure",
    )
)
_THROTTLED = frozenset(
    (
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "503",
        "429",
        "RequestThrottled",
        "RequestThrottledException",
        "BandwidthLimitExceeded",
    )
)
_TEMPORARY = frozenset(
    (
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "502",
        "504",
        "RequestTimeout",
    )
)


_GARBLED = (ResponseParserError, UnicodeDecodeError)
_NO_ANSWER = (sdk_errors.ConnectionError, sdk_errors.HTTPClientError, sdk_errors.IncompleteReadError)


class Vanished(ProviderError):
    """What was listed a moment ago no longer exists."""


class Meter:
    """How many requests this thread has sent, retries included, and how many of them AWS throttled."""

    def __init__(self) -> None:
        self._local = threading.local()

    def listen(self, session: boto3.Session) -> None:
        """Count everything that a session sends."""
        session.events.register("before-call", self._called)
        session.events.register("before-send", self._sent)
        session.events.register("response-received", self._answered)

    def spent(self) -> Spent:
        """What this thread has spent since the last call."""
        spent, self._local.spent = self._so_far, Spent(requests=0)
        return spent

    @property
    def _so_far(self) -> Spent:
        spent = getattr(self._local, "spent", None)
        return spent if isinstance(spent, Spent) else Spent(requests=0)

    def _called(self, **_: object) -> None:
        # Each attempt counts as a retry, so the first one is taken off here.
        self._local.spent = self._so_far.plus(Spent(requests=0, retries=-1))

    def _sent(self, **_: object) -> None:
        self._local.spent = self._so_far.plus(Spent(requests=1, retries=1))

    def _answered(self, parsed_response: Mapping[str, Any] | None = None, **_: object) -> None:
        error = (parsed_response or {}).get("Error") or {}
        if error.get("Code") in _THROTTLED:
            self._local.spent = self._so_far.plus(Spent(requests=0, throttles=1))


@dataclass(frozen=True)
class Account:
    """One account's clients, created when they are first needed."""

    session: boto3.Session
    options: Options
    meter: Meter
    lock: threading.Lock
    clients: dict[tuple[str, str], Any]

    def client(self, service: str, region: str = "") -> Any:
        """The client for a service in a region (default: the configured one)."""
        key = (service, region or self.options.region)
        with self.lock:
            if key not in self.clients:
                self.clients[key] = self.session.client(
                    service,  # type: ignore[call-overload]
                    region_name=key[1],
                    endpoint_url=self.options.endpoint or None,
                    config=_config(self.options),
                )
            return self.clients[key]


def own_account(options: Options, meter: Meter) -> Account:
    """The account behind the default credential chain, or behind the configured profile.

    Raises `ConfigurationError` where the profile does not exist.
    """
    try:
        base = botocore.session.Session(profile=options.profile or None)
        return _account(base, options, meter)
    except sdk_errors.ProfileNotFound as error:
        raise ConfigurationError(
            f"The AWS profile {options.profile!r} does not exist; set connectors.s3.profile to an existing "
            "one, or add it to the AWS configuration."
        ) from error


def member_account(own: Account, account: str, partition: str) -> Account:
    """An account of the organisation, through the role that is assumed in it. Sends no request yet."""
    options = own.options
    extra = {"RoleSessionName": "cloudscan"} | ({"ExternalId": options.external_id} if options.external_id else {})
    base = botocore.session.Session()
    source = own.session.get_credentials()
    if source is None:
        no_credentials()
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=lambda *_, **__: own.client("sts"),
        source_credentials=source,
        role_arn=f"arn:{partition}:iam::{account}:role/{options.role_name}",
        extra_args=extra,
    )
    refreshable = DeferredRefreshableCredentials(method="assume-role", refresh_using=fetcher.fetch_credentials)
    base.register_component("credential_provider", CredentialResolver([_Assumed(refreshable)]))
    return _account(base, options, own.meter)


class _Assumed(CredentialProvider):
    """A credential provider that offers the assumed role only."""

    METHOD = "assume-role"

    def __init__(self, credentials: DeferredRefreshableCredentials) -> None:
        super().__init__()
        self._assumed = credentials

    def load(self) -> DeferredRefreshableCredentials:
        return self._assumed


def _account(base: botocore.session.Session, options: Options, meter: Meter) -> Account:
    session = boto3.Session(botocore_session=base, region_name=options.region)
    meter.listen(session)
    if options.endpoint:
        session.events.register("before-sign.s3-control", to_endpoint(options.endpoint))
    return Account(session, options, meter, threading.Lock(), {})


def _config(options: Options) -> Config:
    return Config(
        parameter_validation=False,
        max_pool_connections=options.connections,
        connect_timeout=10,
        read_timeout=30,
        retries={"mode": "standard", "total_max_attempts": 3},
        # One host per region: a host per bucket would cost a connection with its TLS handshake for each.
        s3={"addressing_style": "path"},
        user_agent_extra="cloudscan",
    )


def to_endpoint(endpoint: str) -> Callable[..., None]:
    """Undo that the S3 control API puts the account before the host's name, which no local server resolves."""
    host = urlsplit(endpoint)

    def rewrite(request: Any, **_: object) -> None:
        url = urlsplit(request.url)
        request.url = urlunsplit((host.scheme, host.netloc, url.path, url.query, ""))

    return rewrite


def ask(call: Callable[..., Answer], needs: str, /, **arguments: object) -> Answer | Unread | None:
    """Ask one question: the answer, None where nothing is configured, or `Unread` with the reason.

    `needs` names the permission. A refusal costs this answer only. What concerns more than this one question is raised:
    bad credentials, throttling, no connection, something that no longer exists.
    """
    try:
        return call(**arguments)
    except sdk_errors.ClientError as error:
        code = code_of(error)
        if code in ABSENT:
            return None
        if code in _DENIED or (status_of(error) == 403 and code not in _BAD_CREDENTIALS):
            return Unread(outcome=Outcome.DENIED, reason=f"{needs} is not allowed", needs=needs)
        if code in VANISHED or code in _THROTTLED or code in _TEMPORARY or code in _BAD_CREDENTIALS:
            raise_translated(error, needs)
        # A bare 500 is also what the SDK makes of an answer that it cannot parse, after trying three times.
        return Unread(outcome=Outcome.FAILED, reason=f"S3 answered {code}")
    except _GARBLED:
        return Unread(outcome=Outcome.FAILED, reason="S3's answer does not match its documentation")
    except sdk_errors.BotoCoreError as error:
        raise_translated(error, needs)


def require(call: Callable[..., Answer], needs: str, /, **arguments: object) -> Answer:
    """Ask a question that the scope cannot be read without: a refusal is raised."""
    try:
        return call(**arguments)
    except (sdk_errors.ClientError, sdk_errors.BotoCoreError, UnicodeDecodeError) as error:
        raise_translated(error, needs)


def member(page: Mapping[str, Any], name: str) -> Any:
    """The entries of a list's page. Raises `Malformed` where they are missing: that is not an empty list."""
    if name not in page:
        raise Malformed(f"AWS's answer contains no {name}, which its documentation requires")
    return page[name]


def raise_translated(error: Exception, needs: str) -> NoReturn:
    """Raise an SDK's error as one of cloudscan's."""
    if isinstance(error, sdk_errors.ClientError):
        code, message = code_of(error), str(error.response.get("Error", {}).get("Message", ""))[:200]
        if code in _THROTTLED:
            raise Throttled(f"AWS is throttling requests ({code})") from error
        if code in VANISHED:
            raise Vanished(f"it was deleted between list and read ({code})") from error
        if code in _BAD_CREDENTIALS:
            raise AccessDenied(f"AWS rejected the credentials ({code}); renew them", needs=needs) from error
        if code in _DENIED or status_of(error) == 403:
            raise AccessDenied(f"{needs} is not allowed", needs=needs) from error
        if code in _TEMPORARY:
            raise Unreachable(f"AWS failed on its side ({code})") from error
        raise Malformed(f"AWS answered {code}: {message}") from error
    if isinstance(error, sdk_errors.NoCredentialsError | sdk_errors.PartialCredentialsError):
        no_credentials()
    if isinstance(error, _GARBLED):
        raise Malformed("AWS's answer does not match its documentation") from error
    if isinstance(error, _NO_ANSWER):
        where = str(error.kwargs.get("endpoint_url") or "").split("?")[0]
        raise Unreachable(
            f"no answer from {where or 'AWS'} ({type(error).__name__}); check the network, and region and endpoint in "
            "[connectors.s3]"
        ) from error
    raise ConfigurationError(f"The AWS SDK rejected its configuration: {error}") from error


def no_credentials() -> NoReturn:
    """Raise the error that says how to provide credentials."""
    raise ConfigurationError(
        "No AWS credentials were found. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run "
        "`aws sso login`, or name a profile as connectors.s3.profile in cloudscan.toml."
    )


def code_of(error: sdk_errors.ClientError) -> str:
    """AWS's error code; empty where the answer has none."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: sdk_errors.ClientError) -> int:
    """The HTTP status; 0 where there is none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
