"""The AWS SDK, set up twice: for our own account, and once for all accounts whose role is assumed.

A boto3 session costs about 100 ms and a client 4 to 90 ms and a megabyte, for each service and Region. Clients may be
used from any thread, but must be created one at a time (boto3 guide, "Multithreading or multiprocessing with clients").
So the accounts of an organisation share theirs, with the connections to AWS. What distinguishes accounts is what signs
a request: the SDK asks its credentials for it at each request, in the thread that sends it, and gets the keys of the
account in whose name this thread asks (`Account.signing`).
"""

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import boto3
import botocore
import botocore.session
import msgspec
from botocore import exceptions as sdk_errors
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    Credentials,
    DeferredRefreshableCredentials,
    ReadOnlyCredentials,
)
from botocore.loaders import Loader, create_loader
from botocore.parsers import ResponseParserError

from cloudscan.connector import Spent
from cloudscan.errors import AccessDenied, ConfigurationError, Malformed, ProviderError
from cloudscan.sentence import say
from cloudscan_s3.api import setups, strict
from cloudscan_s3.api.failures import THROTTLED, translated
from cloudscan_s3.api.setups import Profiles
from cloudscan_s3.options import Options
from cloudscan_s3.questions import CALLER, ROLE

_HOME_REGION = "us-east-1"
_AWS_DOMAINS = (  # of all partitions (botocore's partitions.json, dnsSuffix and dualStackDnsSuffix)
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".api.aws",
    ".api.amazonwebservices.com.cn",
    ".api.amazonwebservices.eu",
    ".c2s.ic.gov",
    ".api.aws.ic.gov",
    ".sc2s.sgov.gov",
    ".api.aws.scloud",
    ".cloud.adc-e.uk",
    ".api.cloud-aws.adc-e.uk",
    ".csp.hci.ic.gov",
    ".api.aws.hci.ic.gov",
)


class Meter:
    """How many requests this thread has sent, how many AWS throttled, and how many repeated another."""

    def __init__(self) -> None:
        self._local = threading.local()

    def listen(self, session: boto3.Session) -> None:
        """Count everything that a session sends."""
        session.events.register("before-send", self._sent)
        session.events.register("response-received", self._answered)

    def spent(self) -> Spent:
        """What this thread has spent since the last call."""
        spent, self._local.spent = self._so_far, Spent(requests=0)
        return spent

    def repeated(self) -> None:
        """Count that the next request repeats one."""
        self._local.spent = self._so_far.plus(Spent(requests=0, retries=1))

    @property
    def _so_far(self) -> Spent:
        spent = getattr(self._local, "spent", None)
        return spent if isinstance(spent, Spent) else Spent(requests=0)

    def _sent(self, **_: object) -> None:
        self._local.spent = self._so_far.plus(Spent(requests=1))

    def _answered(self, parsed_response: Mapping[str, Any] | None = None, **_: object) -> None:
        error = (parsed_response or {}).get("Error") or {}
        if error.get("Code") in THROTTLED:
            self._local.spent = self._so_far.plus(Spent(requests=0, throttles=1))


class _Signer(Credentials):
    """The credentials of the account in whose name a thread asks; outside of `by` none."""

    def __init__(self) -> None:
        super().__init__("", "", method="assume-role")
        self._local = threading.local()

    @contextmanager
    def by(self, assumed: DeferredRefreshableCredentials | None) -> Iterator[None]:
        """Sign by these in this thread."""
        before = getattr(self._local, "assumed", None)
        self._local.assumed = assumed
        try:
            yield
        finally:
            self._local.assumed = before

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """The keys for one request. Raises `NoCredentialsError` where no account is meant."""
        assumed = getattr(self._local, "assumed", None)
        if assumed is None:
            raise sdk_errors.NoCredentialsError
        keys: ReadOnlyCredentials = assumed.get_frozen_credentials()
        return keys


@dataclass(frozen=True)
class Account:
    """One account's clients, created when they are first needed."""

    session: boto3.Session
    options: Options
    region: str  # where account-wide requests are sent
    meter: Meter
    profiles: Profiles  # that lead to its credentials
    assumed: DeferredRefreshableCredentials | None = None  # of its role; None: those of the session
    signer: _Signer = field(default_factory=_Signer)  # of a session that accounts share
    lock: threading.Lock = field(default_factory=threading.Lock)
    clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service: str, region: str = "") -> Any:
        """The client for a service in a region (default: the configured one). Raises `ConfigurationError`."""
        key = (service, region or self.region)
        with self.lock:
            if key not in self.clients:
                try:
                    self.clients[key] = self.session.client(
                        service,  # type: ignore[call-overload]
                        region_name=key[1],
                        endpoint_url=self.options.endpoint or None,
                        config=_config(self.options),
                    )
                except sdk_errors.BotoCoreError as error:
                    raise setups.unusable(error, self.profiles) from error
                except ValueError as error:
                    raise setups.no_address(error) from error
            return self.clients[key]

    @contextmanager
    def signing(self) -> Iterator[None]:
        """What this thread sends meanwhile is sent in the name of this account."""
        with self.signer.by(self.assumed):
            yield

    def open(self) -> None:
        """Fetch the credentials now. Raises `ConfigurationError`, or a `ProviderError` where AWS refuses the role."""
        is_role = self.assumed or getattr(self.session.get_credentials(), "method", "") == "assume-role"
        try:
            credentials = self.assumed or self.session.get_credentials()
            if credentials is None:
                raise setups.no_credentials(self.profiles)
            keys = credentials.get_frozen_credentials()
            setups.check_keys(*(key or "" for key in (keys.access_key, keys.secret_key, keys.token)))
        except (sdk_errors.ClientError, sdk_errors.BotoCoreError, ResponseParserError) as error:
            raise translated(error, ROLE if is_role else CALLER, self.region, self.profiles) from error
        except (EOFError, OSError) as error:
            raise setups.unusable(error, self.profiles) from error
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise Malformed("s3-garbled") from error  # an answer that the SDK was not built for

    def open_own(self) -> None:
        """Fetch the credentials of the configuration. Raises as `open` does, and says what is wrong with the set-up."""
        try:
            self.open()
        except ProviderError as error:
            raise self._as_set_up(error) from error

    def _as_set_up(self, error: ProviderError) -> Exception:
        """What a failure says of the configuration; a failure on the way to AWS as it is."""
        cause = error.__cause__
        if isinstance(cause, sdk_errors.ClientError) and isinstance(error, AccessDenied | Malformed):
            return setups.refused(cause, self.profiles) or setups.credentials_refused(error) or error
        is_garbled = isinstance(error, Malformed) and not isinstance(cause, ResponseParserError)
        return setups.unusable(cause, self.profiles) if is_garbled and isinstance(cause, Exception) else error


def own_account(options: Options, meter: Meter) -> Account:
    """The account behind the default credential chain, or behind the configured profile.

    Raises `ConfigurationError` where the profile does not exist or the SDK cannot work as it is configured.
    """
    _check_endpoint(options.endpoint)
    profiles: Profiles = ()
    try:
        base = botocore.session.Session(profile=options.profile or None)
        profiles = setups.profiles_of(base)
        setups.refuse_what_cannot_work(base, profiles)
        region = options.region or os.environ.get("AWS_REGION") or base.get_config_variable("region") or _HOME_REGION
        if not options.endpoint:
            base.get_partition_for_region(region)
        account = _account(base, options, region, meter, profiles)
        account.session.get_credentials()
        account = _with_endpoint(account, _endpoint_of(account))
    except ConfigurationError:
        raise
    except Exception as error:  # what it is made of was written by others: files, programs, environment variables
        raise setups.unusable(error, profiles) from error
    return account


def set_up_for_members(own: Account) -> Account:
    """The set-up that all accounts share whose roles are assumed. By itself it can ask nothing."""
    base, signer = botocore.session.Session(), _Signer()
    base.register_component("credential_provider", CredentialResolver([_Assumed(signer)]))
    return replace(_account(base, own.options, own.region, own.meter, own.profiles), signer=signer)


def member_account(shared: Account, own: Account, role: str) -> Account:
    """Another account, through the role that is assumed in it, by its ARN. Sends no request yet."""
    options = own.options
    extra = {"RoleSessionName": "cloudscan"} | ({"ExternalId": options.external_id} if options.external_id else {})
    source = own.session.get_credentials()
    if source is None:
        raise setups.no_credentials(own.profiles)
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=lambda *_, **__: own.client("sts"),
        source_credentials=source,
        role_arn=role,
        extra_args=extra,
    )
    assumed = DeferredRefreshableCredentials(method="assume-role", refresh_using=fetcher.fetch_credentials)
    return replace(shared, assumed=assumed)


class _Assumed(CredentialProvider):
    """A credential provider that offers what signs for several accounts."""

    METHOD = "assume-role"

    def __init__(self, signer: _Signer) -> None:
        super().__init__()
        self._signer = signer

    def load(self) -> _Signer:
        return self._signer


@cache
def _loader(data_path: str | None) -> Loader:
    """What reads the SDK's descriptions of services, once for all accounts: each description takes megabytes."""
    return create_loader(data_path)


def _account(
    base: botocore.session.Session, options: Options, region: str, meter: Meter, profiles: Profiles
) -> Account:
    loader = _loader(base.get_config_variable("data_path"))
    base.register_component("data_loader", loader)
    session = boto3.Session(botocore_session=base, region_name=region)
    loader.search_paths[:] = dict.fromkeys(loader.search_paths)  # to which each session adds the same folder
    meter.listen(session)
    strict.listen(session)
    if options.endpoint:
        session.events.register("before-sign.s3-control", to_endpoint(options.endpoint))
    return Account(session, options, region, meter, profiles)


def _with_endpoint(account: Account, endpoint: str) -> Account:
    """The same account, where the environment or the profile and not the options name the server."""
    if endpoint == account.options.endpoint:
        return account
    account.session.events.register("before-sign.s3-control", to_endpoint(endpoint))
    return replace(account, options=msgspec.structs.replace(account.options, endpoint=endpoint))


def _endpoint_of(account: Account) -> str:
    """The server that stands for AWS; empty where AWS itself is asked. The environment and the profile may name one.

    Raises `ConfigurationError` where S3 is asked elsewhere than who we are: its buckets would count as the account's.
    """
    s3, sts = (str(account.client(service).meta.endpoint_url) for service in ("s3", "sts"))
    if _is_aws(s3):
        return account.options.endpoint
    if _is_aws(sts):
        raise ConfigurationError(
            say(
                "The AWS configuration sends the requests for S3 to {host}, which is not AWS. Only AWS "
                "itself can be scanned, no other store that speaks the S3 protocol. Unset "
                "AWS_ENDPOINT_URL_S3, or remove endpoint_url from the AWS profile.",
                host=_host(s3),
            )
        )
    return sts


def _is_aws(url: str) -> bool:
    return any(_host(url).endswith(suffix) for suffix in _AWS_DOMAINS)


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _check_endpoint(endpoint: str) -> None:
    try:
        url = urlsplit(endpoint)
        is_right = not endpoint or (url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0)
        if url.username or url.password:
            raise ConfigurationError(
                say(
                    "connectors.s3.endpoint contains a user name or a password. Remove both: credentials "
                    "come from AWS's own chain."
                )
            )
    except ValueError:  # a port that is not a number
        is_right = False
    if not is_right:
        raise ConfigurationError(
            say(
                "connectors.s3.endpoint is {endpoint}; it must begin with http:// or https://, followed "
                "by a host and perhaps a port.",
                endpoint=repr(endpoint),
            )
        )


def _config(options: Options) -> Config:
    s3: Any = {
        # One host per region: a host per bucket would cost a connection with its TLS handshake for each.
        "addressing_style": "path",
        # What is asked of directory buckets is asked of the regional endpoint, which opens no sessions.
        "disable_s3_express_session_auth": True,
    }
    return Config(
        parameter_validation=False,
        max_pool_connections=options.connections,
        connect_timeout=10,
        read_timeout=30,
        retries={"mode": "standard", "total_max_attempts": 1},  # `api/asking.py` repeats, as long as there is patience
        s3=s3,
        # Given whole, it is not put together anew for each request, which took a twentieth of our time.
        user_agent=f"Boto3/{boto3.__version__} Botocore/{botocore.__version__} cloudscan",
    )


def to_endpoint(endpoint: str) -> Callable[..., None]:
    """Undo that the S3 control API puts the account before the host's name, which no local server resolves."""
    host = urlsplit(endpoint)

    def rewrite(request: Any, **_: object) -> None:
        url = urlsplit(request.url)
        request.url = urlunsplit((host.scheme, host.netloc, url.path, url.query, ""))

    return rewrite
