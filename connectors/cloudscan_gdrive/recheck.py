"""Asking for single things again that no list named this time, before they count as gone.

Google answers 404 for a file that exists and that the asking user may not see. So a file is there if anybody of ours
sees it, and it is gone only if everybody was asked.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from cloudscan.errors import ProviderError, QuotaSpent, Vanished
from cloudscan_gdrive.api.client import Google, Method
from cloudscan_gdrive.api.models import Thing
from cloudscan_gdrive.meaning import uids

_MOST_REQUESTS: Final = 500  # for one call
_NOT_FILES: Final = ("user", "group", "my-drive", "shared-drive")


def still_there(
    google: Google, admin: str, users: Callable[[], Sequence[str]], wanted: Sequence[str]
) -> Mapping[str, bool]:
    """Whether things exist, by uid; those of which nothing can be said are left out. Raises nothing."""
    try:
        return dict(_answers(google, admin, users, wanted))
    except ProviderError:
        return {}


def _answers(
    google: Google, admin: str, users: Callable[[], Sequence[str]], wanted: Sequence[str]
) -> Iterator[tuple[str, bool]]:
    left = _MOST_REQUESTS
    for uid in wanted:
        kind, _, identity = uid.removeprefix(f"{uids.PLATFORM}:").partition("/")
        if kind == "file":
            people = dict.fromkeys([admin, *users()])
        elif kind in _NOT_FILES and admin:
            people = {admin: None}
        else:
            continue
        if len(people) > left:
            return
        left -= len(people)
        answers = [answer for user in people for answer in (_is_there(google, user, kind, identity),)]
        if any(answers):
            yield uid, True
        elif None not in answers:
            yield uid, False


def _is_there(google: Google, user: str, kind: str, identity: str) -> bool | None:
    """None: it is not known."""
    method, parameters = _request(google, kind, identity)
    try:
        return google.ask(Thing, method, user, fields="id", **parameters).id != ""
    except Vanished:
        return False
    except QuotaSpent:
        raise
    except ProviderError:
        return None


def _request(google: Google, kind: str, identity: str) -> tuple[Method, Mapping[str, Any]]:
    match kind:
        case "file":
            return google.file, {"fileId": identity, "supportsAllDrives": True}
        case "shared-drive":
            return google.drive, {"driveId": identity, "useDomainAdminAccess": True}
        case "group":
            return google.group, {"groupKey": identity}
        case _:
            return google.user, {"userKey": identity}
