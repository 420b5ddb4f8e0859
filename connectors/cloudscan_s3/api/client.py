"""The AWS SDK, set up once per account: shared clients, counted requests, errors in cloudscan's words.

A boto3 session costs about 100 ms and a client 4 to 90 ms, so both are kept and shared; clients may be used from any
thread, but have to be made one at a time (boto3 guide, "Multithreading or multiprocessing with clients").
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
_PASSING = frozenset(
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
    """What was listed a moment ago is not there any more."""


class Meter:
    """How many requests this thread has sent, attempts included, and how many of them AWS did not want now."""

    def __init__(self) -> None:
        self._local = threading.local()

    def listen(self, session: boto3.Session) -> None:
        """Hear of everything that a session sends."""
        session.events.register("before-call", self._called)
        session.events.register("before-send", self._sent)
        session.events.register("response-received", self._answered)

    def spent(self) -> Spent:
        """What this thread spent since this was last asked."""
        spent, self._local.spent = self._so_far, Spent(requests=0)
        return spent

    @property
    def _so_far(self) -> Spent:
        found = getattr(self._local, "spent", None)
        return found if isinstance(found, Spent) else Spent(requests=0)

    def _called(self, **_: object) -> None:
        # The first attempt is taken off again: what is left are the further ones.
        self._local.spent = self._so_far.plus(Spent(requests=0, retries=-1))

    def _sent(self, **_: object) -> None:
        self._local.spent = self._so_far.plus(Spent(requests=1, retries=1))

    def _answered(self, parsed_response: Mapping[str, Any] | None = None, **_: object) -> None:
        error = (parsed_response or {}).get("Error") or {}
        if error.get("Code") in _THROTTLED:
            self._local.spent = self._so_far.plus(Spent(requests=0, throttles=1))


@dataclass(frozen=True)
class Account:
    """One account's clients, made when they are first wanted."""

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
    """The account behind the default credential chain, or behind the configured profile."""
    try:
        base = botocore.session.Session(profile=options.profile or None)
        return _account(base, options, meter)
    except sdk_errors.ProfileNotFound as error:
        raise ConfigurationError(
            f"The AWS profile {options.profile!r} does not exist; name another one as connectors.s3.profile, "
            "or add it to the AWS configuration."
        ) from error


def member_account(own: Account, account: str, partition: str) -> Account:
    """An account of the organisation, through the role that is assumed in it. Asks nothing yet."""
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
    """A credential provider that has only the assumed role to give."""

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
        # One host for a region: with the bucket's name in it, every bucket would cost a connection and its TLS.
        s3={"addressing_style": "path"},
        user_agent_extra="cloudscan",
    )


def to_endpoint(endpoint: str) -> Callable[..., None]:
    """The S3 control API puts the account before the host's name, which no local server resolves."""
    host = urlsplit(endpoint)

    def rewrite(request: Any, **_: object) -> None:
        url = urlsplit(request.url)
        request.url = urlunsplit((host.scheme, host.netloc, url.path, url.query, ""))

    return rewrite


def ask(call: Callable[..., Answer], needs: str, /, **arguments: object) -> Answer | Unread | None:
    """One question: the answer, None where there is none to give, or why we were not told.

    A refusal costs this answer only. What concerns more than this one question is raised: bad credentials, throttling,
    no connection, something that vanished.
    """
    try:
        return call(**arguments)
    except sdk_errors.ClientError as error:
        code = code_of(error)
        if code in ABSENT:
            return None
        if code in _DENIED or (status_of(error) == 403 and code not in _BAD_CREDENTIALS):
            return Unread(outcome=Outcome.DENIED, reason=f"{needs} is not allowed", needs=needs)
        if code in VANISHED or code in _THROTTLED or code in _PASSING or code in _BAD_CREDENTIALS:
            raise_translated(error, needs)
        # A bare 500 is also what the SDK makes of an answer that it cannot parse, after trying three times.
        return Unread(outcome=Outcome.FAILED, reason=f"S3 answered {code}")
    except _GARBLED:
        return Unread(outcome=Outcome.FAILED, reason="S3's answer was not what its documentation promises")
    except sdk_errors.BotoCoreError as error:
        raise_translated(error, needs)


def require(call: Callable[..., Answer], needs: str, /, **arguments: object) -> Answer:
    """A question without whose answer the scope cannot be read: a refusal is raised."""
    try:
        return call(**arguments)
    except (sdk_errors.ClientError, sdk_errors.BotoCoreError, UnicodeDecodeError) as error:
        raise_translated(error, needs)


def member(page: Mapping[str, Any], name: str) -> Any:
    """What a list's page holds. Raises `Malformed` where it holds no such thing: that is no empty list."""
    if name not in page:
        raise Malformed(f"AWS's answer holds no {name}; that is not what its documentation promises")
    return page[name]


def raise_translated(error: Exception, needs: str) -> NoReturn:
    """Raise an SDK's error in cloudscan's words."""
    if isinstance(error, sdk_errors.ClientError):
        code, words = code_of(error), str(error.response.get("Error", {}).get("Message", ""))[:200]
        if code in _THROTTLED:
            raise Throttled(f"AWS asks for a pause ({code})") from error
        if code in VANISHED:
            raise Vanished(f"it vanished between list and read ({code})") from error
        if code in _BAD_CREDENTIALS:
            raise AccessDenied(f"AWS does not accept the credentials ({code}); renew them", needs=needs) from error
        if code in _DENIED or status_of(error) == 403:
            raise AccessDenied(f"{needs} is not allowed", needs=needs) from error
        if code in _PASSING:
            raise Unreachable(f"AWS had trouble of its own ({code})") from error
        raise Malformed(f"AWS answered {code}: {words}") from error
    if isinstance(error, sdk_errors.NoCredentialsError | sdk_errors.PartialCredentialsError):
        no_credentials()
    if isinstance(error, _GARBLED):
        raise Malformed("AWS's answer was not what its documentation promises") from error
    if isinstance(error, _NO_ANSWER):
        where = str(error.kwargs.get("endpoint_url") or "").split("?")[0]
        raise Unreachable(
            f"no answer from {where or 'AWS'} ({type(error).__name__}); check the network, and region and endpoint in "
            "[connectors.s3]"
        ) from error
    raise ConfigurationError(f"The AWS SDK cannot work as configured: {error}") from error


def no_credentials() -> NoReturn:
    """Raise what somebody without credentials needs to read."""
    raise ConfigurationError(
        "No AWS credentials were found. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run "
        "`aws sso login`, or name a profile as connectors.s3.profile in cloudscan.toml."
    )


def code_of(error: sdk_errors.ClientError) -> str:
    """AWS's name for what went wrong."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: sdk_errors.ClientError) -> int:
    """The HTTP status."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
