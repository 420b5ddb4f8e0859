"""Errors in the formats of Graph, of SharePoint's own REST API and of its gateways.

Sources: Graph "error responses and resource types", "best practices: JSON batching", and answers recorded in public
issue threads. Callers may rely on codes; messages are for people and change.
"""

from collections.abc import Mapping, Sequence
from typing import Any


class Refused(Exception):
    """An answer that is an error. `inner` is the more specific code within it."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        inner: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.inner = inner
        self.headers = headers or {}

    def body(self, date: str, request_id: str, client_request_id: str) -> dict[str, Any]:
        """The body of Graph's error answer."""
        inner: dict[str, Any] = {"date": date, "request-id": request_id, "client-request-id": client_request_id}
        if self.inner:
            inner = {"code": self.inner, **inner}
        return {"error": {"code": self.code, "message": self.message, "innerError": inner}}


# tokens and permissions


def no_token() -> Refused:
    return Refused(401, "InvalidAuthenticationToken", "Access token is empty.", headers=_CHALLENGE)


def no_such_token() -> Refused:
    message = "IDX14100: JWT is not well formed, there are no dots (.)."
    return Refused(401, "InvalidAuthenticationToken", message, headers=_CHALLENGE)


def expired() -> Refused:
    message = "Lifetime validation failed, the token is expired."
    return Refused(401, "InvalidAuthenticationToken", message, headers=_CHALLENGE)


def wrong_audience() -> Refused:
    message = "Access token validation failure. Invalid audience."
    return Refused(401, "InvalidAuthenticationToken", message, headers=_CHALLENGE)


def no_roles() -> Refused:
    message = "Either scp or roles claim need to be present in the token."
    return Refused(401, "generalException", message)


def denied(family: str, needs: Sequence[str], has: Sequence[str]) -> Refused:
    """A missing application permission, in the format of each of the services behind Graph."""
    if family == "files":
        return Refused(403, "accessDenied", "Access denied")
    if family == "teams":
        message = (
            f"Missing role permissions on the request. API requires one of '{', '.join(needs)}'. "
            f"Roles on the request '{', '.join(has)}'."
        )
        return Refused(403, "Forbidden", message)
    if family == "settings":
        return Refused(403, "accessDenied", "Caller does not have the required scopes for the API.")
    return Refused(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def delegated_only() -> Refused:
    return Refused(400, "BadRequest", "/me request is only valid with delegated authentication flow.")


def no_licence() -> Refused:
    message = "Neither tenant is B2C or tenant doesn't have premium license"
    return Refused(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", message)


def no_audit_permission() -> Refused:
    message = "Calling principal does not have required MSGraph permissions AuditLog.Read.All"
    return Refused(403, "Authentication_MSGraphPermissionMissing", message)


# malformed requests


def bad(message: str, code: str = "BadRequest") -> Refused:
    return Refused(400, code, message)


def too_many_expanded(number: int) -> Refused:
    return bad(f"The result of parsing $expand contained at least {number} items, but the maximum allowed is 1.")


def no_such_segment(segment: str) -> Refused:
    return Refused(400, "BadRequest", f"Resource not found for the segment '{segment}'.")


def read_only(verb: str) -> Refused:
    return Refused(405, "notAllowed", f"The emulator does not accept {verb} here: it is read-only.")


def no_such_property(name: str, kind: str) -> Refused:
    message = (
        f"Parsing OData Select and Expand failed: Could not find a property named '{name}' on type "
        f"'microsoft.graph.{kind}'."
    )
    return Refused(400, "BadRequest", message)


def no_such_option(name: str) -> Refused:
    return Refused(400, "BadRequest", f"The query parameter '{name}' is not supported.")


def not_supported(message: str) -> Refused:
    return Refused(400, "notSupported", message)


def bad_filter(message: str) -> Refused:
    return Refused(400, "BadRequest", f"Invalid filter clause: {message}")


def unsupported_filter(name: str) -> Refused:
    message = f"Unsupported or invalid query filter clause specified for property '{name}' of resource."
    return Refused(400, "Request_UnsupportedQuery", message)


def bad_page_size(value: str, most: int) -> Refused:
    message = f"Invalid page size specified: '{value}'. Must be between 1 and {most} inclusive."
    return Refused(400, "Request_BadRequest", message)


def bad_page() -> Refused:
    return Refused(400, "invalidRequest", "The provided skip token is malformed or no longer valid.")


# missing resources


def no_such_object(identity: str) -> Refused:
    message = f"Resource '{identity}' does not exist or one of its queried reference-property objects are not present."
    return Refused(404, "Request_ResourceNotFound", message)


def no_such_item() -> Refused:
    return Refused(404, "itemNotFound", "The resource could not be found.")


def no_such_site() -> Refused:
    return Refused(404, "itemNotFound", "Requested site could not be found")


def malformed_site(identity: str) -> Refused:
    return Refused(400, "invalidRequest", f"Invalid hostname for this tenancy: {identity}")


def malformed_drive() -> Refused:
    message = "The provided drive id appears to be malformed, or does not represent a valid drive."
    return Refused(400, "invalidRequest", message)


def no_onedrive() -> Refused:
    return Refused(404, "ResourceNotFound", "User's mysite not found.")


def no_such_team(identity: str) -> Refused:
    return Refused(404, "NotFound", f"No team found with Group Id {identity}")


def locked() -> Refused:
    """A site that an administrator has blocked (423, notAllowed: dust-tt/dust pull request 20377)."""
    message = "Access to this site has been blocked. Please contact the administrator to resolve this problem."
    return Refused(423, "notAllowed", message, inner="resourceLocked")


def resync(kind: str, location: str) -> Refused:
    """A delta token that is no longer valid (driveItem: delta)."""
    message = "Resync required. Start again from the address in the Location header."
    if kind == "resyncRequired":
        return Refused(410, kind, message, inner="resyncChangesApplyDifferences", headers={"Location": location})
    return Refused(410, kind, message, headers={"Location": location})


# throttling and outages


def throttled(*, retry_after: int = 1, headers: Mapping[str, str] | None = None) -> Refused:
    sent = {"Retry-After": str(retry_after), **(headers or {})}
    return Refused(
        429, "activityLimitReached", "The request has been throttled", inner="throttledRequest", headers=sent
    )


def unavailable(*, retry_after: int | None = 1, headers: Mapping[str, str] | None = None) -> Refused:
    sent = dict(headers or {}) if retry_after is None else {"Retry-After": str(retry_after), **(headers or {})}
    return Refused(503, "serviceNotAvailable", "The service is unavailable.", headers=sent)


def broken(status: int = 500) -> Refused:
    code = {500: "generalException", 502: "BadGateway", 504: "UnknownError"}.get(status, "UnknownError")
    return Refused(status, code, "General exception while processing" if status == 500 else "")


_CHALLENGE = {
    "WWW-Authenticate": (
        'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
        'client_id="00000003-0000-0000-c000-000000000000"'
    )
}
