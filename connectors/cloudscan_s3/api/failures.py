"""What AWS and its SDK say when they fail, as reasons with the advice that fits.

Sources: Amazon S3 API Reference, "Error responses"; IAM User Guide, "Troubleshoot access denied error messages" (the
words that say which kind of policy denies); AWS Organizations and AWS STS API References, "Common Errors".
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from botocore import exceptions as sdk_errors
from botocore.parsers import ResponseParserError

from cloudscan.errors import (
    AccessDenied,
    Malformed,
    NotOffered,
    ProviderError,
    Throttled,
    Unreachable,
    Vanished,
)
from cloudscan_s3.api.setups import Profiles, unusable
from cloudscan_s3.questions import ROLE, AwsQuestion

ABSENT: Final = frozenset(
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
        "ReplicationConfigurationNotFoundError",
        "AccessGrantsInstanceNotExistsError",
        "AccessGrantsInstanceResourcePolicyNotExists",
        "AWSOrganizationsNotInUseException",
    )
)
"""Answers that say: nothing of the kind is configured."""
_VANISHED: Final = frozenset(
    (
        "NoSuchBucket",
        "NoSuchAccessPoint",
        "NoSuchMultiRegionAccessPoint",
        "NoSuchKey",
        "NotFound",
        "404",
        "PolicyNotFoundException",
    )
)
_DENIED: Final = frozenset(
    (
        "AccessDenied",
        "AccessDeniedException",
        "AccessDeniedForDependencyException",
        "UnauthorizedAccess",
        "UnauthorizedOperation",
        "Forbidden",
        "403",
        "401",
    )
)
_DISABLED: Final = frozenset(("AllAccessDisabled", "AccountProblem"))
_KEY_UNKNOWN: Final = frozenset(
    ("InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure")
)
_EXPIRED: Final = frozenset(("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"))
_SIGNATURE: Final = frozenset(("SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature"))
_CLOCK: Final = frozenset(("RequestTimeTooSkewed", "RequestExpired"))
_CLOCK_WORDS: Final = re.compile(r"signature (?:has )?expired|not yet current|too far|skew", re.IGNORECASE)
THROTTLED: Final = frozenset(
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
_FAILED_AT_AWS: Final = frozenset(
    ("InternalError", "InternalFailure", "InternalServerError", "ServiceException", "RequestTimeout")
)
_NOT_ENABLED: Final = frozenset(("OptInRequired", "RegionDisabledException"))
_UNKNOWN_OPERATION: Final = frozenset(("NotImplemented", "MethodNotAllowed", "UnknownOperationException", "501"))
_NO_ANSWER: Final = (sdk_errors.ConnectionError, sdk_errors.HTTPClientError)
_GARBLED: Final = (ResponseParserError, UnicodeDecodeError, sdk_errors.ParamValidationError)

# "… with an explicit deny in a service control policy", "… because no identity-based policy allows the … action"
_EXPLICIT: Final = re.compile(r"with an explicit deny in an? ([\w -]+?(?:policy|boundary))", re.IGNORECASE)
_IMPLICIT: Final = re.compile(r"because no ([\w -]+?(?:policy|boundary)) allows", re.IGNORECASE)
_POLICY_KINDS: Final[Mapping[str, str]] = {
    "service control policy": "scp",
    "resource control policy": "rcp",
    "identity-based policy": "identity-policy",
    "resource-based policy": "resource-policy",
    "permissions boundary": "boundary",
    "session policy": "session-policy",
    "vpc endpoint policy": "endpoint-policy",
}


class Silent(Unreachable):
    """No connection at all: nothing at AWS has seen the request. `unknown_host` if its name has no address."""

    def __init__(self, code: str, *, unknown_host: bool, **values: str) -> None:
        super().__init__(code, **values)
        self.unknown_host = unknown_host


def translated(error: Exception, question: AwsQuestion, region: str, profiles: Profiles = ()) -> ProviderError:
    """An SDK's error, raised for a question in a region, in cloudscan's terms.

    Raises `ConfigurationError` where the SDK cannot work as configured.
    """
    if isinstance(error, sdk_errors.ClientError):
        by_role = error.operation_name == "AssumeRole"  # the SDK renews a role in the middle of another question
        return _answered(error, ROLE if by_role else question, region)
    if isinstance(error, _GARBLED):
        return Malformed("s3-garbled")
    if isinstance(error, sdk_errors.IncompleteReadError | sdk_errors.ResponseStreamingError):
        return Unreachable("s3-answer-cut")
    if isinstance(error, sdk_errors.ProxyConnectionError):
        return Unreachable("s3-proxy-silent", proxy=str(error.kwargs.get("proxy_url") or "HTTPS_PROXY"))
    if isinstance(error, sdk_errors.SSLError):
        return Unreachable("s3-certificate-unknown", endpoint=_where(error), quote=str(error.kwargs.get("error") or ""))
    if isinstance(error, _NO_ANSWER):
        where = _where(error)
        cause = error.kwargs.get("error")
        unknown_host = isinstance(error, sdk_errors.EndpointConnectionError) and _has_no_address(cause)
        return Silent("s3-no-answer", unknown_host=unknown_host, endpoint=where, error=type(error).__name__)
    raise unusable(error, profiles) from error


def code_of(error: sdk_errors.ClientError) -> str:
    """AWS's error code; empty where the answer has none."""
    return str(_error(error).get("Code") or "")


def status_of(error: sdk_errors.ClientError) -> int:
    """The HTTP status; 0 where there is none."""
    metadata = error.response.get("ResponseMetadata")
    return int(metadata.get("HTTPStatusCode", 0)) if metadata else 0


def _error(error: sdk_errors.ClientError) -> Mapping[str, Any]:
    given = error.response.get("Error")
    return given if isinstance(given, Mapping) else {}


def _answered(error: sdk_errors.ClientError, question: AwsQuestion, region: str) -> ProviderError:
    code, status = code_of(error), status_of(error)
    quote = " ".join(str(_error(error).get("Message") or "").split())
    if code in THROTTLED or status == 429:
        return Throttled("s3-throttled", quote=code)
    if code in _FAILED_AT_AWS or (status >= 500 and status != 501 and code not in _UNKNOWN_OPERATION):
        return Unreachable("s3-failed", quote=f"{code} {quote}".strip())
    if code in _VANISHED:
        return Vanished("s3-gone", quote=code)
    credentials = _about_credentials(code, quote, region)
    if credentials is not None:
        return credentials
    if code in _NOT_ENABLED:
        return NotOffered("s3-region-not-enabled", region=region)
    if code == "NotSignedUp":
        return NotOffered("s3-not-signed-up")
    if code in _DISABLED:
        return AccessDenied("s3-account-disabled", quote=quote)
    if code in _DENIED or status in (401, 403):
        return denied(quote, question)
    if code in _UNKNOWN_OPERATION or status == 501:
        return Malformed("s3-operation-unknown", quote=code)
    return Malformed("s3-answered", answer=code or str(status), quote=quote)


def _about_credentials(code: str, quote: str, region: str) -> ProviderError | None:
    if code in _CLOCK or (code in _SIGNATURE and _CLOCK_WORDS.search(quote)):
        return AccessDenied("s3-clock-wrong", quote=quote)
    if code in _SIGNATURE:
        return AccessDenied("s3-secret-wrong", quote=code)
    if code in _EXPIRED:
        return AccessDenied("s3-session-expired", quote=code)
    if code == "InvalidToken":
        return AccessDenied("s3-token-not-valid-in-region", region=region, quote=code)
    if code in _KEY_UNKNOWN:
        return AccessDenied("s3-key-unknown", region=region, quote=code)
    return None


def denied(quote: str, question: AwsQuestion) -> AccessDenied:
    """A refusal, with the kind of policy that AWS says is behind it.

    Only what is missing is needed: where a policy denies explicitly, or another kind of policy does not allow it, the
    permission itself may well be there.
    """
    permission = question.needs or f"{question.service}:{question.operation.title().replace('_', '')}"
    for pattern, prefix in ((_EXPLICIT, "s3-denied-by"), (_IMPLICIT, "s3-not-in")):
        if match := pattern.search(quote):
            kind = _POLICY_KINDS.get(" ".join(match[1].lower().split()), "policy")
            missing = prefix == "s3-not-in" and kind == "identity-policy"
            needs = question.needs if missing else ""
            return AccessDenied(f"{prefix}-{kind}", needs=needs, permission=permission, quote=quote)
    return AccessDenied("s3-denied", needs=question.needs, permission=permission, quote=quote)


def _where(error: Any) -> str:
    return str(error.kwargs.get("endpoint_url") or "").split("?")[0] or "AWS"


def _has_no_address(cause: object) -> bool:
    text = f"{type(cause).__name__} {cause}"
    return "gaierror" in text or "NameResolution" in text or "Failed to resolve" in text or "Name or service" in text
