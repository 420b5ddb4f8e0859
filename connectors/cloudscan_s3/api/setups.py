"""What keeps the SDK from starting: each failing set-up as one sentence, with the command that helps.

Sources: botocore's `exceptions` and `credentials` (what is raised while sessions, clients and credentials are made);
AWS SDKs and Tools Reference Guide, "Standardized credential providers".
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import botocore.session
from botocore import exceptions as sdk_errors

from cloudscan.errors import AccessDenied, ConfigurationError, ProviderError
from cloudscan.text import first_line

_TOKEN_VARIABLES: Final = ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
_NOT_ACCEPTED: Final = frozenset(
    ("s3-clock-wrong", "s3-secret-wrong", "s3-session-expired", "s3-token-not-valid-in-region", "s3-key-unknown")
)
"""Refusals that mean the credentials themselves: no account can be read with them."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A profile of the AWS configuration."""

    name: str
    keys: Mapping[str, Any]

    @property
    def option(self) -> str:
        """What the AWS command line is called with to mean it."""
        return "" if self.name == "default" else f" --profile {self.name}"

    @property
    def role(self) -> str:
        """The role that it assumes; empty if it assumes none."""
        return str(self.keys.get("role_arn") or os.environ.get("AWS_ROLE_ARN") or "")


Profiles = Sequence[Profile]
"""The profile that credentials are asked of, then those that it takes them from."""


def profiles_of(base: botocore.session.Session) -> Profiles:
    """The profiles that lead to the credentials. Raises a `BotoCoreError` where the configuration cannot be read."""
    every = base.full_config.get("profiles", {})
    found: list[Profile] = []
    name = base.profile or "default"
    while name not in {profile.name for profile in found}:
        given = every.get(name)
        found.append(Profile(name=name, keys=given if isinstance(given, Mapping) else {}))
        name = str(found[-1].keys.get("source_profile") or name)
    return found


def refuse_what_cannot_work(base: botocore.session.Session, profiles: Profiles) -> None:
    """What the SDK would only notice in the middle of a request, or ask about on a terminal that is not there.

    Raises `ConfigurationError`.
    """
    asks = next((one for one in profiles if "mfa_serial" in one.keys and "role_arn" in one.keys), None)
    if asks and not (sys.stdin and sys.stdin.isatty()):
        raise _no_code(asks)
    bundle = base.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
    if isinstance(bundle, str) and not Path(bundle).exists():
        raise ConfigurationError(
            f"The certificates that AWS_CA_BUNDLE (or ca_bundle in the AWS profile) names are not there: {bundle}. "
            "Correct the path, or remove the setting."
        )


def check_keys(access_key: str, secret_key: str, token: str) -> None:
    """Raises `ConfigurationError` where credentials contain what no header may carry: a line break, a letter that is
    not ASCII.
    """
    for what, value in (("access key", access_key), ("secret key", secret_key), ("session token", token)):
        if not value.isascii() or not value.isprintable() or value != value.strip():
            raise ConfigurationError(
                f"The AWS {what} contains characters that none has, such as a space or a line break at its end. Copy "
                "it again into the environment or the AWS profile."
            )


def unusable(error: Exception, profiles: Profiles = ()) -> ConfigurationError:
    """What any error means that is raised while a session, a client or its credentials are made."""
    for kinds, words in _WORDS:
        if isinstance(error, kinds):
            return ConfigurationError(words(error, profiles))
    said = _text(error) if isinstance(error, sdk_errors.BotoCoreError) else f"{type(error).__name__}: {_text(error)}"
    return ConfigurationError(
        f"The AWS SDK cannot work as configured{_in(profiles)}: {said}. Correct the AWS configuration; "
        f"`aws sts get-caller-identity{_option(profiles)}` tries it."
    )


def refused(error: sdk_errors.ClientError, profiles: Profiles) -> ConfigurationError | None:
    """A refusal of those who hand out credentials, before AWS was asked for anything; None if it is none."""
    profile = next((one for one in profiles if one.role), None)
    role = f"The role {profile.role}" if profile else "The role"
    given = error.response.get("Error") or {}
    said = " ".join(f"{given.get('Code', '')}: {given.get('Message', '')}".split()).strip(": ")
    match error.operation_name:
        case "AssumeRole":
            return ConfigurationError(
                f"{role} cannot be assumed{_in(profiles)} ({said}). Check that it exists, that its trust policy names "
                "the caller, and that the caller may call sts:AssumeRole on it."
            )
        case "AssumeRoleWithWebIdentity":
            return ConfigurationError(
                f"{role} does not admit the token in AWS_WEB_IDENTITY_TOKEN_FILE, or in web_identity_token_file of the "
                f"AWS profile ({said}). Renew the token, and check the audience and the subject in the role's trust "
                "policy."
            )
        case "GetRoleCredentials" | "CreateToken":
            keys = next((one.keys for one in profiles if "sso_role_name" in one.keys), {})
            return ConfigurationError(
                f"AWS single sign-on does not give the role {keys.get('sso_role_name', '')} in account "
                f"{keys.get('sso_account_id', '')}{_in(profiles)} ({said}). Have it assigned to you, or correct "
                f"sso_account_id and sso_role_name; `aws sso login{_option(profiles, 'sso_')}` renews the session."
            )
        case "CreateOAuth2Token":
            return ConfigurationError(_login(error, profiles))
        case _:
            return None


def credentials_refused(error: ProviderError) -> ConfigurationError | None:
    """What it means that AWS does not accept our own credentials; None where they are not at fault."""
    if isinstance(error, AccessDenied) and error.reason.code in _NOT_ACCEPTED:
        quote = f" ({error.reason.quote})" if error.reason.quote else ""
        what, _, next_step = str(error).partition(". ")
        return ConfigurationError(f"The AWS credentials cannot be used: {what}{quote}. {next_step}")
    return None


def no_credentials(profiles: Profiles = ()) -> ConfigurationError:
    """The error that says how to provide credentials."""
    return ConfigurationError(_none(None, profiles))


def no_address(error: ValueError) -> ConfigurationError:
    """What a client says of an address that is none."""
    return ConfigurationError(_address(error, ()))


def _no_code(profile: Profile) -> ConfigurationError:
    return ConfigurationError(
        f"The AWS profile {profile.name} asks for an MFA code, which cannot be typed here. Use a role that does not "
        "require one, or temporary credentials (`aws configure export-credentials --format env` where there is a "
        "terminal)."
    )


def _none(_: object, profiles: Profiles) -> str:
    if os.environ.get("AWS_SECRET_ACCESS_KEY") and not os.environ.get("AWS_ACCESS_KEY_ID"):
        return "The AWS credentials are incomplete: AWS_ACCESS_KEY_ID is missing in the environment. Set it as well."
    half = next((one.name for one in profiles if "aws_secret_access_key" in one.keys), None)
    if half:
        return (
            f"The AWS credentials are incomplete: aws_access_key_id is missing in the AWS profile {half}. Add it to "
            "the profile."
        )
    if len(profiles) and profiles[0].name != "default":
        return (
            f"No AWS credentials were found{_in(profiles)}. Add aws_access_key_id and aws_secret_access_key to it, or "
            f"role_arn with a source_profile, or run `aws configure sso{profiles[0].option}`."
        )
    return (
        "No AWS credentials were found. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run "
        "`aws sso login`, or name a profile as connectors.s3.profile in cloudscan.toml."
    )


def _unknown_profile(error: Any, _: Profiles) -> str:
    return (
        f"The AWS profile {error.kwargs.get('profile')!r} does not exist; set connectors.s3.profile (or AWS_PROFILE) "
        "to an existing one (`aws configure list-profiles`), or add it to the AWS configuration."
    )


def _code(_: object, profiles: Profiles) -> str:
    asks = next((one for one in profiles if "mfa_serial" in one.keys), Profile(name="in use", keys={}))
    return str(_no_code(asks))


def _partial(error: Any, profiles: Profiles) -> str:
    missing, provider = error.kwargs.get("cred_var"), error.kwargs.get("provider")
    return (
        f"The AWS credentials are incomplete: {missing} is missing{_in(profiles)} (read from: {provider}). Add it to "
        "the profile or to the environment."
    )


def _dependency(error: Any, profiles: Profiles) -> str:
    what = "uses `aws login`" if any("login_session" in one.keys for one in profiles) else f"needs it ({_text(error)})"
    return (
        f"The AWS profile {what}, for which the AWS SDK needs a further package; install it with "
        '`pip install "botocore[crt]"`, or use another profile.'
    )


def _sso(error: Any, profiles: Profiles) -> str:
    return (
        f"The session of AWS single sign-on cannot be used{_in(profiles)} ({_text(error)}). Run "
        f"`aws sso login{_option(profiles, 'sso_')}`, then try again."
    )


def _login(error: Any, profiles: Profiles) -> str:
    return (
        f"The session of `aws login` cannot be used{_in(profiles)} ({_text(error)}). Run "
        f"`aws login{_option(profiles, 'login_session')}`, then try again."
    )


def _retrieval(error: Any, profiles: Profiles) -> str:
    provider, quote = str(error.kwargs.get("provider")), str(error.kwargs.get("error_msg") or "").strip()
    said = f" ({first_line(quote).rstrip('. ')})" if quote else ""
    if provider == "custom-process":
        return _process(profiles, said)
    return (
        f"AWS credentials could not be fetched from {provider}{_in(profiles)}{said}. Check that it is available on "
        "this machine, or use another profile."
    )


def _process(profiles: Profiles, said: str) -> str:
    profile = next((one for one in profiles if "credential_process" in one.keys), None)
    of = f" of the AWS profile {profile.name}" if profile else ""
    return f"The credential_process{of} failed{said}. Run its command yourself to see why, or use another profile."


def _region(error: Any, _: Profiles) -> str:
    return (
        f"The AWS region cannot be used: {_text(error)}. Correct region in [connectors.s3], AWS_REGION or region in "
        "the AWS profile (us-east-1, for instance)."
    )


def _broken_file(error: Any, _: Profiles) -> str:
    return (
        f"The AWS configuration file {error.kwargs.get('path')} cannot be read. Correct its syntax, or let "
        "AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE name another one."
    )


def _address(error: Any, _: Profiles) -> str:
    return (
        f"The AWS SDK cannot use an address or a region ({_text(error)}). Correct endpoint and region in "
        "[connectors.s3], or in the AWS configuration and its environment variables."
    )


def _metadata(error: Any, profiles: Profiles) -> str:
    return (
        f"The credentials of this machine or container cannot be fetched{_in(profiles)} ({_text(error)}). Correct "
        "AWS_EC2_METADATA_SERVICE_ENDPOINT and AWS_CONTAINER_CREDENTIALS_FULL_URI, or remove them."
    )


def _proxies(error: Any, _: Profiles) -> str:
    return f"The AWS SDK cannot use the proxy as configured ({_text(error)}). Correct HTTPS_PROXY or proxies_config."


def _file(error: Any, profiles: Profiles) -> str:
    """A file that cannot be opened, and the setting that names it."""
    name = str(error.filename or "")
    why = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror or error})"
    for variable in _TOKEN_VARIABLES:
        if name and os.environ.get(variable) == name:
            return f"The token file {name}, to which {variable} points, {why}. Correct the path, or unset the variable."
    for profile in profiles:
        if name and profile.keys.get("web_identity_token_file") == name:
            return (
                f"The token file {name}, which web_identity_token_file in the AWS profile {profile.name} names, {why}. "
                "Correct the path, or remove the setting."
            )
        if name and name in str(profile.keys.get("credential_process") or ""):
            return _process(profiles, f" ({name}: {error.strerror})")
    return f"The AWS SDK cannot read what it is configured to use{_in(profiles)} ({error}). Correct that setting."


def _garbled(error: Exception, profiles: Profiles) -> str:
    """What a program or an environment variable gave, and the SDK was not built for."""
    if any("credential_process" in one.keys for one in profiles):
        return _process(
            profiles, f", or what it prints is not what AWS asks for ({type(error).__name__}: {_text(error)})"
        )
    return (
        f"The AWS SDK cannot use what it is configured with{_in(profiles)} ({type(error).__name__}: {_text(error)}). "
        "Correct the AWS profile or the environment variables that begin with AWS_."
    )


_Kinds = type[Exception] | tuple[type[Exception], ...]
_WORDS: Final[Sequence[tuple[_Kinds, Any]]] = (  # the first that fits
    (sdk_errors.ProfileNotFound, _unknown_profile),
    (sdk_errors.NoCredentialsError, _none),
    (sdk_errors.PartialCredentialsError, _partial),
    (sdk_errors.MissingDependencyException, _dependency),
    ((sdk_errors.SSOError, sdk_errors.TokenRetrievalError, sdk_errors.NoAuthTokenError), _sso),
    (sdk_errors.LoginError, _login),
    (sdk_errors.CredentialRetrievalError, _retrieval),
    ((sdk_errors.RefreshWithMFAUnsupportedError, EOFError), _code),
    ((sdk_errors.ConfigParseError, sdk_errors.ConfigNotFound), _broken_file),
    ((sdk_errors.InvalidRegionError, sdk_errors.UnknownRegionError, sdk_errors.NoRegionError), _region),
    (
        (
            sdk_errors.BaseEndpointResolverError,
            sdk_errors.EndpointProviderError,
            sdk_errors.InvalidEndpointConfigurationError,
            sdk_errors.InvalidHostLabelError,
            sdk_errors.InvalidDNSNameError,
        ),
        _address,
    ),
    (
        (
            sdk_errors.InvalidIMDSEndpointError,
            sdk_errors.InvalidIMDSEndpointModeError,
            sdk_errors.MetadataRetrievalError,
        ),
        _metadata,
    ),
    (sdk_errors.InvalidProxiesConfigError, _proxies),
    (OSError, _file),
    ((ValueError, TypeError, KeyError, AttributeError, RuntimeError, IndexError, OverflowError), _garbled),
)


def _in(profiles: Profiles) -> str:
    """Which profile is meant, where it is not the default one."""
    return f" in the AWS profile {profiles[0].name}" if len(profiles) and profiles[0].name != "default" else ""


def _option(profiles: Profiles, key: str = "") -> str:
    """The option by which the AWS command line means the profile that has this key, or begins with it."""
    named = (one for one in profiles if any(name.startswith(key) for name in one.keys))
    profile = next(named, None) or next(iter(profiles), None)
    return profile.option if profile else ""


def _text(error: Exception) -> str:
    return first_line(error).rstrip(". ")
