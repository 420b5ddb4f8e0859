"""The client library, pointed at an emulator: what the tests speak through."""

from functools import cache
from typing import Any

from google.auth import crypt
from google.oauth2 import service_account
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from cloudscan_emulators.google import Server

PREFIX = "https://www.googleapis.com/auth/"
DRIVE = ("drive.metadata.readonly", "drive.readonly")
DIRECTORY = (
    "admin.directory.user.readonly",
    "admin.directory.group.readonly",
    "admin.directory.group.member.readonly",
    "admin.directory.orgunit.readonly",
    "admin.directory.domain.readonly",
    "admin.directory.customer.readonly",
)
MORI, HAYASHI, AOKI = "mori@kumo.example", "hayashi@kumo.example", "aoki@kumo.example"


def scopes(*names: str) -> list[str]:
    return [PREFIX + name for name in names]


def acting_for(server: Server, user: str, *names: str) -> Any:
    """The service account's credentials, acting for a user."""
    return key_of(server.service_account_info(), user, *names)


def key_of(info: dict[str, str], user: str, *names: str) -> Any:
    """Credentials from what a key file holds."""
    library: Any = service_account.Credentials
    signer = _signer(info["private_key"])
    return library(signer, info["client_email"], info["token_uri"], scopes=scopes(*names), subject=user)


@cache
def _signer(private_key: str) -> Any:
    """Reading a key takes longer than most tests."""
    library: Any = crypt.RSASigner
    return library.from_string(private_key)


def drive(server: Server, user: str = MORI, *names: str) -> Any:
    return client(server, "drive", acting_for(server, user, *(names or DRIVE)))


def directory(server: Server, user: str = AOKI) -> Any:
    return client(server, "admin", acting_for(server, user, *DIRECTORY))


def policies(server: Server, user: str = AOKI) -> Any:
    return client(server, "cloudidentity", acting_for(server, user, "cloud-identity.policies.readonly"))


def reports(server: Server, user: str = AOKI, *names: str) -> Any:
    return client(server, "reports", acting_for(server, user, *(names or ("admin.reports.audit.readonly",))))


def signed_in(server: Server, user: str, *names: str) -> Any:
    """One user who gave consent."""
    info = server.authorized_user_info(user, *scopes(*names))
    library: Any = Credentials
    wanted = ("refresh_token", "token_uri", "client_id", "client_secret", "scopes")
    return client(server, "drive", library(None, **{name: info[name] for name in wanted}))


def client(server: Server, api: str, credentials: Any) -> Any:
    name, version = {
        "drive": ("drive", "v3"),
        "admin": ("admin", "directory_v1"),
        "reports": ("admin", "reports_v1"),
        "cloudidentity": ("cloudidentity", "v1"),
        "groupssettings": ("groupssettings", "v1"),
    }[api]
    options = {"api_endpoint": server.endpoint(api)}
    return opened(build(name, version, credentials=credentials, client_options=options, static_discovery=True))


_OPEN: list[Any] = []  # clients whose connections the library leaves open; `conftest` closes them after each test


def opened(client: Any) -> Any:
    """The client, to be closed after the test."""
    _OPEN.append(client)
    return client


def close_clients() -> None:
    """Close the connections of all clients that a test opened."""
    while _OPEN:
        _OPEN.pop().close()


def refusal(request: Any) -> tuple[int, str]:
    """The status and reason that a request is refused with."""
    try:
        request.execute()
    except HttpError as error:
        return error.resp.status, reason(error)
    return 200, ""


def reason(error: HttpError) -> str:
    details = error.error_details
    if isinstance(details, list) and details and "reason" in details[0]:
        return str(details[0]["reason"])
    return str(error.reason)


def everything(method: Any, what: str, **parameters: Any) -> list[Any]:
    """All pages of a list."""
    entries: list[Any] = []
    token = None
    while True:
        page = method(pageToken=token, **parameters).execute()
        entries += page.get(what, [])
        token = page.get("nextPageToken")
        if not token:
            return entries
