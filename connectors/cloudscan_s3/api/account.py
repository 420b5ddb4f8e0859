"""The AWS SDK, set up once per account: shared clients and counted requests.

A boto3 session costs about 100 ms and a client 4 to 90 ms, so both are kept and shared. Clients may be used from any
thread, but must be created one at a time (boto3 guide, "Multithreading or multiprocessing with clients").
"""

import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
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
from cloudscan.errors import ConfigurationError, Malformed
from cloudscan_s3.api import strict
from cloudscan_s3.api.failures import THROTTLED, no_credentials, translated, unusable
from cloudscan_s3.options import Options
from cloudscan_s3.questions import CALLER, ROLE

_HOME_REGION = "us-east-1"


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


@dataclass(frozen=True)
class Account:
    """One account's clients, created when they are first needed."""

    session: boto3.Session
    options: Options
    region: str  # where account-wide requests are sent
    meter: Meter
    lock: threading.Lock
    clients: dict[tuple[str, str], Any]

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
                except ValueError as error:
                    raise ConfigurationError(
                        f"The AWS SDK cannot use an address or a region ({error}). Correct endpoint and region in "
                        "[connectors.s3] or in the AWS configuration."
                    ) from error
                except sdk_errors.BotoCoreError as error:
                    raise unusable(error) from error
            return self.clients[key]

    def open(self) -> None:
        """Fetch the credentials now. Raises `ConfigurationError`, or a `ProviderError` where AWS refuses the role."""
        question = ROLE if getattr(self.session.get_credentials(), "method", "") == "assume-role" else CALLER
        try:
            credentials = self.session.get_credentials()
            if credentials is None:
                raise no_credentials()
            credentials.get_frozen_credentials()
        except (sdk_errors.ClientError, sdk_errors.BotoCoreError, ResponseParserError) as error:
            raise translated(error, question, self.region) from error
        except (EOFError, OSError) as error:
            raise unusable(error) from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:  # an answer that the SDK was not built for
            raise Malformed("s3-garbled") from error


def own_account(options: Options, meter: Meter) -> Account:
    """The account behind the default credential chain, or behind the configured profile.

    Raises `ConfigurationError` where the profile does not exist or the SDK cannot work as it is configured.
    """
    _check_endpoint(options.endpoint)
    try:
        base = botocore.session.Session(profile=options.profile or None)
        _refuse_to_ask_for_a_code(base)
        region = options.region or os.environ.get("AWS_REGION") or base.get_config_variable("region") or _HOME_REGION
        account = _account(base, options, region, meter)
        account.session.get_credentials()
    except sdk_errors.ProfileNotFound as error:
        raise ConfigurationError(
            f"The AWS profile {error.kwargs.get('profile')!r} does not exist; set connectors.s3.profile (or "
            "AWS_PROFILE) to an existing one, or add it to the AWS configuration."
        ) from error
    except (sdk_errors.BotoCoreError, EOFError, OSError) as error:
        raise unusable(error) from error
    return account


def member_account(own: Account, account: str, partition: str) -> Account:
    """An account of the organisation, through the role that is assumed in it. Sends no request yet."""
    options = own.options
    extra = {"RoleSessionName": "cloudscan"} | ({"ExternalId": options.external_id} if options.external_id else {})
    base = botocore.session.Session()
    source = own.session.get_credentials()
    if source is None:
        raise no_credentials()
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=lambda *_, **__: own.client("sts"),
        source_credentials=source,
        role_arn=f"arn:{partition}:iam::{account}:role/{options.role_name}",
        extra_args=extra,
    )
    refreshable = DeferredRefreshableCredentials(method="assume-role", refresh_using=fetcher.fetch_credentials)
    base.register_component("credential_provider", CredentialResolver([_Assumed(refreshable)]))
    return _account(base, options, own.region, own.meter)


class _Assumed(CredentialProvider):
    """A credential provider that offers the assumed role only."""

    METHOD = "assume-role"

    def __init__(self, credentials: DeferredRefreshableCredentials) -> None:
        super().__init__()
        self._assumed = credentials

    def load(self) -> DeferredRefreshableCredentials:
        return self._assumed


def _account(base: botocore.session.Session, options: Options, region: str, meter: Meter) -> Account:
    session = boto3.Session(botocore_session=base, region_name=region)
    meter.listen(session)
    strict.listen(session)
    if options.endpoint:
        session.events.register("before-sign.s3-control", to_endpoint(options.endpoint))
    return Account(session, options, region, meter, threading.Lock(), {})


def _check_endpoint(endpoint: str) -> None:
    try:
        url = urlsplit(endpoint)
        is_right = not endpoint or (url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0)
    except ValueError:  # a port that is not a number
        is_right = False
    if not is_right:
        raise ConfigurationError(
            f"connectors.s3.endpoint is {endpoint!r}; it must begin with http:// or https://, followed by a host and "
            "perhaps a port."
        )


def _refuse_to_ask_for_a_code(base: botocore.session.Session) -> None:
    """The SDK would ask for an MFA code on the terminal; where there is none it would end as if it was stopped."""
    profile = base.get_scoped_config()
    if "mfa_serial" in profile and "role_arn" in profile and not sys.stdin.isatty():
        raise unusable(EOFError())


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
        user_agent_extra="cloudscan",
    )


def to_endpoint(endpoint: str) -> Callable[..., None]:
    """Undo that the S3 control API puts the account before the host's name, which no local server resolves."""
    host = urlsplit(endpoint)

    def rewrite(request: Any, **_: object) -> None:
        url = urlsplit(request.url)
        request.url = urlunsplit((host.scheme, host.netloc, url.path, url.query, ""))

    return rewrite
