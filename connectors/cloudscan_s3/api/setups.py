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
from cloudscan.sentence import Sentence, say
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
        raise ConfigurationError(_no_code(asks))
    bundle = base.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
    if isinstance(bundle, str) and not Path(bundle).exists():
        raise ConfigurationError(
            say(
                "The certificates that AWS_CA_BUNDLE (or ca_bundle in the AWS profile) names are not "
                "there: {bundle}. Correct the path, or remove the setting.",
                bundle=bundle,
            )
        )


def check_keys(access_key: str, secret_key: str, token: str) -> None:
    """Raises `ConfigurationError` where credentials contain what no header may carry: a line break, a letter that is
    not ASCII.
    """
    for what, value in (
        (say("access key"), access_key),
        (say("secret key"), secret_key),
        (say("session token"), token),
    ):
        if not value.isascii() or not value.isprintable() or value != value.strip():
            raise ConfigurationError(
                say(
                    "The AWS {what} contains characters that none has, such as a space or a line break at "
                    "its end. Copy it again into the environment or the AWS profile.",
                    what=what,
                )
            )


def unusable(error: Exception, profiles: Profiles = ()) -> ConfigurationError:
    """What any error means that is raised while a session, a client or its credentials are made."""
    for kinds, words in _WORDS:
        if isinstance(error, kinds):
            return ConfigurationError(words(error, profiles))
    said = _text(error) if isinstance(error, sdk_errors.BotoCoreError) else f"{type(error).__name__}: {_text(error)}"
    return ConfigurationError(
        say(
            "The AWS SDK cannot work as configured{where}: {said}. Correct the AWS configuration; "
            "`aws sts get-caller-identity{option}` tries it.",
            where=_in(profiles),
            said=said,
            option=_option(profiles),
        )
    )


def refused(error: sdk_errors.ClientError, profiles: Profiles) -> ConfigurationError | None:
    """A refusal of those who hand out credentials, before AWS was asked for anything; None if it is none."""
    profile = next((one for one in profiles if one.role), None)
    role = say("The role {role}", role=profile.role) if profile else say("The role")
    given = error.response.get("Error") or {}
    said = " ".join(f"{given.get('Code', '')}: {given.get('Message', '')}".split()).strip(": ")
    match error.operation_name:
        case "AssumeRole":
            return ConfigurationError(
                say(
                    "{role} cannot be assumed{where} ({said}). Check that it exists, that its trust policy "
                    "names the caller, and that the caller may call sts:AssumeRole on it.",
                    role=role,
                    where=_in(profiles),
                    said=said,
                )
            )
        case "AssumeRoleWithWebIdentity":
            return ConfigurationError(
                say(
                    "{role} does not admit the token in AWS_WEB_IDENTITY_TOKEN_FILE, or in "
                    "web_identity_token_file of the AWS profile ({said}). Renew the token, and check the "
                    "audience and the subject in the role's trust policy.",
                    role=role,
                    said=said,
                )
            )
        case "GetRoleCredentials" | "CreateToken":
            keys = next((one.keys for one in profiles if "sso_role_name" in one.keys), {})
            return ConfigurationError(
                say(
                    "AWS single sign-on does not give the role {role} in account {account}{where} ({said}). "
                    "Have it assigned to you, or correct sso_account_id and sso_role_name; `aws sso "
                    "login{option}` renews the session.",
                    role=keys.get("sso_role_name", ""),
                    account=keys.get("sso_account_id", ""),
                    where=_in(profiles),
                    said=said,
                    option=_option(profiles, "sso_"),
                )
            )
        case "CreateOAuth2Token":
            return ConfigurationError(_login(error, profiles))
        case _:
            return None


def credentials_refused(error: ProviderError) -> ConfigurationError | None:
    """What it means that AWS does not accept our own credentials; None where they are not at fault."""
    if isinstance(error, AccessDenied) and error.reason.code in _NOT_ACCEPTED:
        return ConfigurationError(say("The AWS credentials cannot be used: {error}", error=error))
    return None


def no_credentials(profiles: Profiles = ()) -> ConfigurationError:
    """The error that says how to provide credentials."""
    return ConfigurationError(_none(None, profiles))


def no_address(error: ValueError) -> ConfigurationError:
    """What a client says of an address that is none."""
    return ConfigurationError(_address(error, ()))


def _no_code(profile: Profile | None) -> Sentence:
    return say(
        "{profile} asks for an MFA code, which cannot be typed here. Use a role that does not require one, or "
        "temporary credentials (`aws configure export-credentials --format env` where there is a terminal).",
        profile=say("The AWS profile {name}", name=profile.name) if profile else say("The AWS profile in use"),
    )


def _none(_: object, profiles: Profiles) -> Sentence:
    if os.environ.get("AWS_SECRET_ACCESS_KEY") and not os.environ.get("AWS_ACCESS_KEY_ID"):
        return say(
            "The AWS credentials are incomplete: AWS_ACCESS_KEY_ID is missing in the environment. Set it as well."
        )
    half = next((one.name for one in profiles if "aws_secret_access_key" in one.keys), None)
    if half:
        return say(
            "The AWS credentials are incomplete: aws_access_key_id is missing in the AWS profile "
            "{half}. Add it to the profile.",
            half=half,
        )
    if len(profiles) and profiles[0].name != "default":
        return say(
            "No AWS credentials were found{where}. Add aws_access_key_id and aws_secret_access_key "
            "to it, or role_arn with a source_profile, or run `aws configure sso{option}`.",
            where=_in(profiles),
            option=profiles[0].option,
        )
    return say(
        "No AWS credentials were found. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY, or run `aws sso login`, or name a profile as "
        "connectors.s3.profile in cloudscan.toml."
    )


def _unknown_profile(error: Any, _: Profiles) -> Sentence:
    return say(
        "The AWS profile {name} does not exist; set connectors.s3.profile (or AWS_PROFILE) to an "
        "existing one (`aws configure list-profiles`), or add it to the AWS configuration.",
        name=repr(error.kwargs.get("profile")),
    )


def _code(_: object, profiles: Profiles) -> Sentence:
    return _no_code(next((one for one in profiles if "mfa_serial" in one.keys), None))


def _partial(error: Any, profiles: Profiles) -> Sentence:
    missing, provider = error.kwargs.get("cred_var"), error.kwargs.get("provider")
    return say(
        "The AWS credentials are incomplete: {missing} is missing{where} (read from: "
        "{provider}). Add it to the profile or to the environment.",
        missing=missing,
        where=_in(profiles),
        provider=provider,
    )


def _dependency(error: Any, profiles: Profiles) -> Sentence:
    login = any("login_session" in one.keys for one in profiles)
    return say(
        "The AWS profile {what}, for which the AWS SDK needs a further package; install it with "
        '`pip install "botocore[crt]"`, or use another profile.',
        what=say("uses `aws login`") if login else say("needs it ({error})", error=_text(error)),
    )


def _sso(error: Any, profiles: Profiles) -> Sentence:
    return say(
        "The session of AWS single sign-on cannot be used{where} ({error}). Run `aws sso "
        "login{option}`, then try again.",
        where=_in(profiles),
        error=_text(error),
        option=_option(profiles, "sso_"),
    )


def _login(error: Any, profiles: Profiles) -> Sentence:
    return say(
        "The session of `aws login` cannot be used{where} ({error}). Run `aws login{option}`, then try again.",
        where=_in(profiles),
        error=_text(error),
        option=_option(profiles, "login_session"),
    )


def _retrieval(error: Any, profiles: Profiles) -> Sentence:
    provider, quote = str(error.kwargs.get("provider")), str(error.kwargs.get("error_msg") or "").strip()
    said = f" ({first_line(quote).rstrip('. ')})" if quote else ""
    if provider == "custom-process":
        return _process(profiles, said)
    return say(
        "AWS credentials could not be fetched from {provider}{where}{said}. Check that it is "
        "available on this machine, or use another profile.",
        provider=provider,
        where=_in(profiles),
        said=said,
    )


def _process(profiles: Profiles, said: str) -> Sentence:
    profile = next((one for one in profiles if "credential_process" in one.keys), None)
    of = say(" of the AWS profile {name}", name=profile.name) if profile else ""
    return say(
        "The credential_process{of} failed{said}. Run its command yourself to see why, or use another profile.",
        of=of,
        said=said,
    )


def _region(error: Any, _: Profiles) -> Sentence:
    return say(
        "The AWS region cannot be used: {error}. Correct region in [connectors.s3], AWS_REGION or "
        "region in the AWS profile (us-east-1, for instance).",
        error=_text(error),
    )


def _broken_file(error: Any, _: Profiles) -> Sentence:
    return say(
        "The AWS configuration file {path} cannot be read. Correct its syntax, or let "
        "AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE name another one.",
        path=error.kwargs.get("path"),
    )


def _address(error: Any, _: Profiles) -> Sentence:
    return say(
        "The AWS SDK cannot use an address or a region ({error}). Correct endpoint and region in "
        "[connectors.s3], or in the AWS configuration and its environment variables.",
        error=_text(error),
    )


def _metadata(error: Any, profiles: Profiles) -> Sentence:
    return say(
        "The credentials of this machine or container cannot be fetched{where} ({error}). Correct "
        "AWS_EC2_METADATA_SERVICE_ENDPOINT and AWS_CONTAINER_CREDENTIALS_FULL_URI, or remove "
        "them.",
        where=_in(profiles),
        error=_text(error),
    )


def _proxies(error: Any, _: Profiles) -> Sentence:
    return say(
        "The AWS SDK cannot use the proxy as configured ({error}). Correct HTTPS_PROXY or proxies_config.",
        error=_text(error),
    )


def _file(error: Any, profiles: Profiles) -> Sentence:
    """A file that cannot be opened, and the setting that names it."""
    name = str(error.filename or "")
    gone = isinstance(error, FileNotFoundError)
    why = say("does not exist") if gone else say("cannot be read ({error})", error=error.strerror or error)
    for variable in _TOKEN_VARIABLES:
        if name and os.environ.get(variable) == name:
            return say(
                "The token file {name}, to which {variable} points, {why}. Correct the path, or unset the variable.",
                name=name,
                variable=variable,
                why=why,
            )
    for profile in profiles:
        if name and profile.keys.get("web_identity_token_file") == name:
            return say(
                "The token file {name}, which web_identity_token_file in the AWS profile {profile} "
                "names, {why}. Correct the path, or remove the setting.",
                name=name,
                profile=profile.name,
                why=why,
            )
        if name and name in str(profile.keys.get("credential_process") or ""):
            return _process(profiles, f" ({name}: {error.strerror})")
    return say(
        "The AWS SDK cannot read what it is configured to use{where} ({error}). Correct that setting.",
        where=_in(profiles),
        error=error,
    )


def _garbled(error: Exception, profiles: Profiles) -> Sentence:
    """What a program or an environment variable gave, and the SDK was not built for."""
    if any("credential_process" in one.keys for one in profiles):
        return _process(
            profiles, f", or what it prints is not what AWS asks for ({type(error).__name__}: {_text(error)})"
        )
    return say(
        "The AWS SDK cannot use what it is configured with{where} ({kind}: {error}). Correct the "
        "AWS profile or the environment variables that begin with AWS_.",
        where=_in(profiles),
        kind=type(error).__name__,
        error=_text(error),
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
    named = len(profiles) and profiles[0].name != "default"
    return say(" in the AWS profile {name}", name=profiles[0].name) if named else ""


def _option(profiles: Profiles, key: str = "") -> str:
    """The option by which the AWS command line means the profile that has this key, or begins with it."""
    named = (one for one in profiles if any(name.startswith(key) for name in one.keys))
    profile = next(named, None) or next(iter(profiles), None)
    return profile.option if profile else ""


def _text(error: Exception) -> str:
    return first_line(error).rstrip(". ")
