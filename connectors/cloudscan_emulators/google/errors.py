"""Refusals in the words and shapes of Google's three kinds of API.

Drive: `errors` always, `status` only where the refusal is about who asks. Directory: `errors`, never `status`.
Cloud Identity: `status`, never `errors`. (Shapes of Drive's as measured by the tests of brekkylab/backlot against
the live service; the others' from answers recorded in public code.)
"""

from collections.abc import Mapping, Sequence
from typing import Any

WHERE_TO_SIGN_IN = (
    "Expected OAuth 2 access token, login cookie or other valid authentication credential. "
    "See https://developers.google.com/identity/sign-in/web/devconsole-project."
)


class Refused(Exception):
    """An answer that is an error. The caller of `body` says which API was asked."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        location: str = "",
        location_type: str = "parameter",
        status: str = "",
        domain: str = "global",
        short: str = "",
        details: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.location = location
        self.location_type = location_type
        self.status = status
        self.domain = domain
        self.short = short or message
        self.details = details
        self.headers = headers or {}

    def body(self, api: str) -> dict[str, Any]:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if api != "cloudidentity":
            entry = {"message": self.short, "domain": self.domain, "reason": self.reason}
            if self.location:
                entry |= {"location": self.location, "locationType": self.location_type}
            error["errors"] = [entry]
        status = self.status or (_STATUSES.get(self.code, "") if api == "cloudidentity" else "")
        if status:
            error["status"] = status
        if self.details:
            error["details"] = list(self.details)
        return {"error": error}


_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
_LIMITS = {
    "rateLimitExceeded": "Rate Limit Exceeded",
    "userRateLimitExceeded": "User Rate Limit Exceeded",
    "quotaExceeded": "The user has exceeded their quota.",
    "dailyLimitExceeded": "Daily Limit Exceeded",
    "sharingRateLimitExceeded": "Rate limit exceeded. User message omitted.",
}


def limited(code: int, reason: str) -> Refused:
    """Too much was asked for (Drive guide "resolve errors")."""
    status = "RESOURCE_EXHAUSTED" if code == 429 else ""
    return Refused(code, reason, _LIMITS.get(reason, reason), domain="usageLimits", status=status)


def broken(code: int) -> Refused:
    reason, message = {500: ("internalError", "Internal Error"), 503: ("backendError", "Backend Error")}.get(
        code, ("backendError", "Backend Error")
    )
    return Refused(code, reason, message)


def required(parameter: str) -> Refused:
    return Refused(400, "required", f"Required parameter: {parameter}", location=parameter)


def invalid(parameter: str, message: str = "Invalid Value") -> Refused:
    return Refused(400, "invalid", message, location=parameter)


def out_of_range(parameter: str, value: str, least: str, most: str) -> Refused:
    message = f"Invalid value '{value}'. Values must be within the range: [{least}, {most}]"
    return Refused(400, "invalidParameter", message, location=parameter)


def badly_typed(parameter: str, value: str, kind: str) -> Refused:
    message = f"Invalid value at '{parameter}' ({kind}), \"{value}\""
    return Refused(400, "invalid", message, location=parameter, status="INVALID_ARGUMENT")


def unknown_parameter(name: str) -> Refused:
    message = (
        f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter. '
        f"Field '{name}' could not be found in request message."
    )
    return Refused(400, "badRequest", message, status="INVALID_ARGUMENT")


def no_such_field(name: str) -> Refused:
    return Refused(400, "invalidParameter", f"Invalid field selection {name}", location="fields")


def no_such_file(identity: str) -> Refused:
    return Refused(404, "notFound", f"File not found: {identity}.", location="fileId")


def no_such_drive(identity: str) -> Refused:
    return Refused(404, "notFound", f"Shared drive not found: {identity}", location="driveId")


def no_such_permission(identity: str) -> Refused:
    return Refused(404, "notFound", f"Permission not found: {identity}.", location="permissionId")


def not_a_member() -> Refused:
    message = "The attempted action requires shared drive membership."
    return Refused(403, "teamDriveMembershipRequired", message)


def may_not_list_permissions() -> Refused:
    message = "The user does not have sufficient permissions for this file."
    return Refused(403, "insufficientFilePermissions", message)


def not_an_admin() -> Refused:
    return Refused(403, "forbidden", "Not Authorized to access this resource/api")


def bad_token() -> Refused:
    return Refused(
        401,
        "authError",
        f"Request had invalid authentication credentials. {WHERE_TO_SIGN_IN}",
        location="Authorization",
        location_type="header",
        status="UNAUTHENTICATED",
        short="Invalid Credentials",
        headers={"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'},
    )


def no_token(api: str) -> Refused:
    """Drive also accepts an API key, so its message mentions callers; the others ask for a token."""
    if api == "drive":
        message = (
            "Method doesn't allow unregistered callers (callers without established identity). "
            "Please use API Key or other form of API consumer identity to call this API."
        )
        return Refused(403, "forbidden", message, status="PERMISSION_DENIED")
    message = f"Request is missing required authentication credential. {WHERE_TO_SIGN_IN}"
    return Refused(401, "required", message, location="Authorization", location_type="header", status="UNAUTHENTICATED")


def scope_missing(api: str, method: str, scopes: Sequence[str]) -> Refused:
    detail = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        "domain": "googleapis.com",
        "metadata": {"service": f"{api}.googleapis.com", "method": method},
    }
    realm = f'Bearer realm="https://accounts.google.com/", error="insufficient_scope", scope="{" ".join(scopes)}"'
    return Refused(
        403,
        "insufficientPermissions",
        "Request had insufficient authentication scopes.",
        status="PERMISSION_DENIED",
        short="Insufficient Permission",
        details=[detail],
        headers={"WWW-Authenticate": realm},
    )
