"""What Google's errors mean, so that the advice fits the cause: by their reasons, never by the words of a message.

Sources: Drive guide, "Resolve errors"; Directory API and Cloud Identity guides on errors; AIP-193 (`ErrorInfo`);
RFC 6750, section 3.1 (`insufficient_scope`).
"""

import re
from typing import Final

import msgspec

from cloudscan.errors import AccessDenied, Malformed, ProviderError, QuotaSpent, StalePage, Vanished
from cloudscan.http import Answer, decoder
from cloudscan_gdrive.api.lenient_decoding import decoded_leniently
from cloudscan_gdrive.api.models import ApiError, ErrorBody
from cloudscan_gdrive.codes import Code
from cloudscan_gdrive.permissions import AUDIT, DIRECTORY, GROUP_SETTINGS, PREFIX, SHARED_DRIVES

_TOO_FAST: Final = frozenset(
    {"rateLimitExceeded", "userRateLimitExceeded", "sharingRateLimitExceeded", "quotaExceeded", "RATE_LIMIT_EXCEEDED"}
)
_QUOTA_SPENT: Final = frozenset({"dailyLimitExceeded"})
_API_OFF: Final = frozenset({"accessNotConfigured", "SERVICE_DISABLED"})
_SCOPE_MISSING: Final = frozenset({"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "insufficientScopes"})
_FORBIDDEN: Final = frozenset({"forbidden", "notAuthorized"})
_NOT_OF_DRIVE: Final = frozenset(PREFIX + name for name in (*DIRECTORY, *GROUP_SETTINGS, *AUDIT))
_FOR_ADMINISTRATORS: Final = _NOT_OF_DRIVE | {PREFIX + SHARED_DRIVES[0]}
_LINK: Final = re.compile(r"https://console\.[^\s\"']+")
_PROJECT: Final = re.compile(r"project[s]?[/ =](\d{6,}|[a-z][a-z0-9:.-]{4,})")
_API: Final = re.compile(r"([a-z0-9-]+\.googleapis\.com)")


def too_fast(answer: Answer) -> bool:
    """Whether Google refuses because there are too many requests."""
    error = _explained(answer.body) if answer.status == 403 else None
    return error is not None and bool(_reasons(error) & _TOO_FAST)


def refused(answer: Answer, needs: str, person: str) -> ProviderError:
    """The error that an answer is. `needs` is the scope that was used, `person` the address in whose name we asked."""
    error = _explained(answer.body)
    if error is None or not (error.code or error.message or error.status or error.errors or error.details):
        return Malformed(Code.NOT_GOOGLE, status=str(answer.status))
    if answer.status == 403 and 'error="insufficient_scope"' in answer.headers.get("www-authenticate", ""):
        return _without_scope(needs, error.message)
    return meaning_of(error, answer.status, needs, person)


def _explained(body: bytes) -> ApiError | None:
    """The error that a body describes, as far as it can be read; None: it describes none."""
    try:
        return decoder(ErrorBody).decode(body).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        answer = decoded_leniently(ErrorBody, body)
        return answer.error if answer else None


def _reasons(error: ApiError) -> set[str]:
    return ({one.reason for one in error.errors} | {one.reason for one in error.details}) - {""}


def meaning_of(error: ApiError, status: int, needs: str, person: str) -> ProviderError:
    """The cause of an error that Google explains."""
    reasons = _reasons(error)
    message = error.message or ", ".join(sorted(reasons)) or error.status
    if reasons & _QUOTA_SPENT:
        return QuotaSpent(Code.QUOTA_SPENT, quote=message)
    if any(entry.location == "pageToken" for entry in error.errors):
        return StalePage(Code.PAGE_EXPIRED, quote=message)
    match status:
        case 401:
            return AccessDenied(Code.NOT_SIGNED_IN, quote=message, person=person)
        case 403:
            return _denied(error, reasons, message, needs, person)
        case 404:
            return Vanished(Code.NOT_FOUND, quote=message)
        case _:
            return Malformed(Code.UNEXPECTED, status=str(status), quote=message)


def _denied(error: ApiError, reasons: set[str], message: str, needs: str, person: str) -> AccessDenied:
    if reasons & _API_OFF:
        return _api_off(error, message)
    if reasons & _SCOPE_MISSING:
        return _without_scope(needs, message)
    if "domainPolicy" in reasons and needs not in _NOT_OF_DRIVE:
        return AccessDenied(Code.PERSON_WITHOUT_DRIVE, quote=message, person=person)
    if reasons & {"teamDriveMembershipRequired", "teamDrivesSharingRestrictionNotAllowed"}:
        return AccessDenied(Code.NOT_A_MEMBER, quote=message, person=person)
    if "insufficientFilePermissions" in reasons:
        return AccessDenied(Code.PERMISSIONS_NOT_SHOWN, quote=message, person=person)
    if "cloud-identity.policies" in needs:
        return AccessDenied(Code.NOT_A_SUPER_ADMIN, quote=message, person=person)
    if needs in _FOR_ADMINISTRATORS and (reasons & _FORBIDDEN or error.status == "PERMISSION_DENIED"):
        return AccessDenied(Code.NOT_AN_ADMINISTRATOR, quote=message, person=person)
    return AccessDenied(Code.REFUSED, quote=message, person=person)


def _without_scope(needs: str, message: str) -> AccessDenied:
    return AccessDenied(Code.SCOPE_MISSING, needs=needs, quote=message, scope=needs)


def _api_off(error: ApiError, message: str) -> AccessDenied:
    """An API that nobody has enabled in the project: which, where, and the whole link to switch it on."""
    helps = " ".join([message, *(entry.extended_help for entry in error.errors)])
    metadata = {name: value for entry in error.details for name, value in entry.metadata.items()}
    link = next((match.rstrip(".,;)") for match in _LINK.findall(helps)), metadata.get("activationUrl", ""))
    api = metadata.get("service") or _first(_API, link) or _first(_API, helps) or message.partition(" has not been")[0]
    project = metadata.get("consumer", "").rpartition("/")[2] or _first(_PROJECT, link) or _first(_PROJECT, message)
    if not link and api.endswith(".googleapis.com") and project:
        link = f"https://console.cloud.google.com/apis/library/{api}?project={project}"
    elif not link:
        link = "https://console.cloud.google.com/apis/library"
    return AccessDenied(Code.API_OFF, quote=message, api=api or "?", project=project or "?", link=link)


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""
