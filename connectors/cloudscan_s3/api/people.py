"""Who has an account in AWS: IAM users with their credentials, and the users of the IAM Identity Center.

Sources: IAM API Reference, GetAccountAuthorizationDetails (the only list of users with their tags) and
GetCredentialReport; IAM User Guide, "Generate credential reports for your AWS account" (columns, ``N/A`` and
``no_information``; a report is kept for four hours); Identity Store API Reference, ListUsers: department, employee
number and manager are an extension, told only where it is asked for; botocore's service models.
"""

import csv
import io
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

from botocore.exceptions import ClientError

from cloudscan.connector import Gap
from cloudscan.errors import Malformed, ProviderError
from cloudscan.reason import Reason
from cloudscan_s3.access.bucket import Unread
from cloudscan_s3.api.asking import Answer, Asker, name_of
from cloudscan_s3.api.failures import code_of
from cloudscan_s3.questions import CREDENTIAL_REPORT, CREDENTIALS, DIRECTORY_USERS, IAM_USERS, IDENTITY_CENTERS

_PAGE: Final = 1_000
_DIRECTORY_PAGE: Final = 100
_ENTERPRISE: Final = "aws:identitystore:enterprise"
_NOT_READY: Final = "ReportInProgress"
_KEYS: Final = ("access_key_1", "access_key_2")
_SWITCHES: Final = {"true": True, "false": False}


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What an IAM user can sign in with, and when that was last done."""

    password: bool | None  # for the console; None: the report does not say
    active_keys: int | None
    password_used_on: datetime | None  # None: never, as far as AWS knows
    keys_used_on: datetime | None


@dataclass(frozen=True, kw_only=True)
class IamUser:
    """An IAM user."""

    arn: str
    name: str
    created_on: datetime | None = None
    tags: Mapping[str, str] | None = None  # None: could not be read
    credentials: Credentials | None = None  # None: could not be read


@dataclass(frozen=True, kw_only=True)
class IdentityCenter:
    """An instance of the IAM Identity Center."""

    store: str  # the id of its directory
    owner: str  # the account; the management account's is the organisation's
    region: str


@dataclass(frozen=True, kw_only=True)
class DirectoryUser:
    """A user of an Identity Center. Texts are empty where AWS says nothing."""

    id: str
    name: str
    user_name: str
    addresses: Sequence[tuple[str, str]]  # each with its type: work, home, other; the primary one first
    external_ids: Sequence[tuple[str, str]]  # issuer and id
    title: str
    user_type: str
    status: str  # ENABLED, DISABLED
    created_on: datetime | None
    enterprise: Mapping[str, Any]  # employeeNumber, department, manager …


def begin_report(asker: Asker) -> Gap | None:
    """Have IAM write a credential report, which takes a while; the gap where it refuses.

    Whoever may read the list of users is told in it who has which credentials: nothing is changed by it.
    """
    answer = asker.ask(CREDENTIAL_REPORT)
    return answer.gap(None) if isinstance(answer, Unread) else None


def iam_users(asker: Asker, not_begun: Gap | None) -> tuple[Sequence[IamUser], Sequence[Gap]]:
    """The IAM users of an account, from the list of users or from the report, whichever is answered.

    `not_begun` is what `begin_report` gave: a report of the last hours may be there all the same.
    """
    listed, gaps = asker.list(IAM_USERS, _user, "Marker", Filter=["User"], MaxItems=_PAGE)
    reported, more = _reported(asker, not_begun)
    tagged = {user.arn: user for user in listed}
    found = [_merged(user, tagged.pop(user.arn, None)) for user in reported]
    return [*found, *tagged.values()], [*gaps, *more]


def identity_centers(asker: Asker, region: str) -> tuple[Sequence[IdentityCenter], Sequence[Gap]]:
    """The instances in a region that an account owns or can see; every member sees the organisation's."""
    return asker.list(IDENTITY_CENTERS, lambda entry: _center(entry, region), "NextToken", region=region)


def directory_users(asker: Asker, center: IdentityCenter) -> tuple[Sequence[DirectoryUser], Sequence[Gap]]:
    """The users of an Identity Center."""
    return asker.list(
        DIRECTORY_USERS,
        _directory_user,
        "NextToken",
        region=center.region,
        IdentityStoreId=center.store,
        Extensions=[_ENTERPRISE],
        MaxResults=_DIRECTORY_PAGE,
    )


def _user(entry: Mapping[str, Any]) -> IamUser:
    tags = {name_of(tag, "Key"): str(tag["Value"]) for tag in entry.get("Tags") or ()}
    return IamUser(
        arn=name_of(entry, "Arn"),
        name=name_of(entry, "UserName"),
        created_on=_moment(entry.get("CreateDate")),
        tags=tags,
    )


def _merged(reported: IamUser, listed: IamUser | None) -> IamUser:
    if listed is None:
        return reported
    return IamUser(
        arn=listed.arn,
        name=listed.name,
        created_on=listed.created_on or reported.created_on,
        tags=listed.tags,
        credentials=reported.credentials,
    )


def _reported(asker: Asker, not_begun: Gap | None) -> tuple[Sequence[IamUser], Sequence[Gap]]:
    answer = _report(asker)
    if answer is None or isinstance(answer, Unread):
        gap = answer.gap(None) if answer else CREDENTIALS.gap(Malformed("s3-garbled"))
        return (), [not_begun or gap]
    try:
        rows = list(_rows(answer["Content"]))
    except (csv.Error, UnicodeDecodeError, AttributeError, KeyError):
        return (), [CREDENTIALS.gap(Malformed("s3-garbled"))]
    users = [user for user in map(_reported_user, rows) if user]
    broken = len(rows) - len(users)
    reason = Reason(code="s3-entries-malformed", values={"count": broken})
    return users, [CREDENTIALS.lacking(reason)] if broken else []


def _report(asker: Asker) -> Answer | Unread | None:
    """The report, once it is written: IAM takes seconds for it, and other questions were asked in between."""
    began = time.monotonic()
    for attempt in count(1):
        answer = asker.ask(CREDENTIALS)
        is_over = not asker.patience.is_left(attempt, time.monotonic() - began, throttled=True)
        if is_over or not (isinstance(answer, Unread) and _is_not_ready(answer.error)):
            return answer
        time.sleep(asker.patience.wait(attempt))
        asker.account.meter.repeated()
    raise AssertionError("there is always another attempt, or none is left")


def _is_not_ready(error: ProviderError) -> bool:
    return isinstance(error.__cause__, ClientError) and code_of(error.__cause__) == _NOT_READY


def _rows(content: bytes | str) -> Iterator[Mapping[str, str | None]]:
    """The users of a report, without the root user, which is no person's own. Raises `KeyError` for another table."""
    text = content.decode("utf-8") if isinstance(content, bytes) else content
    reader = csv.DictReader(io.StringIO(text))
    if not {"user", "arn"} <= set(reader.fieldnames or ()):
        raise KeyError("arn")
    return (row for row in reader if row["user"] != "<root_account>")


def _reported_user(row: Mapping[str, str | None]) -> IamUser | None:
    arn, name = row["arn"] or "", row["user"] or ""
    if not arn.startswith("arn:") or not name:
        return None
    states = [_SWITCHES.get((row.get(f"{key}_active") or "").lower()) for key in _KEYS]
    used = (_moment(row.get(f"{key}_last_used_date")) for key in _KEYS)
    credentials = Credentials(
        password=_SWITCHES.get((row.get("password_enabled") or "").lower()),
        active_keys=None if None in states else sum(state is True for state in states),
        password_used_on=_moment(row.get("password_last_used")),
        keys_used_on=max((moment for moment in used if moment), default=None),
    )
    return IamUser(arn=arn, name=name, created_on=_moment(row.get("user_creation_time")), credentials=credentials)


def _center(entry: Mapping[str, Any], region: str) -> IdentityCenter:
    return IdentityCenter(
        store=name_of(entry, "IdentityStoreId"), owner=str(entry.get("OwnerAccountId") or ""), region=region
    )


def _directory_user(entry: Mapping[str, Any]) -> DirectoryUser:
    mails = sorted(_records(entry.get("Emails")), key=lambda mail: mail.get("Primary") is not True)
    name = _record(entry.get("Name"))
    return DirectoryUser(
        id=name_of(entry, "UserId"),
        name=_text(entry.get("DisplayName")) or _text(name.get("Formatted")),
        user_name=_text(entry.get("UserName")),
        addresses=[(_text(mail.get("Value")), _text(mail.get("Type")).lower()) for mail in mails],
        external_ids=[(_text(one.get("Issuer")), _text(one.get("Id"))) for one in _records(entry.get("ExternalIds"))],
        title=_text(entry.get("Title")),
        user_type=_text(entry.get("UserType")),
        status=_text(entry.get("UserStatus")),
        created_on=_moment(entry.get("CreatedAt")),
        enterprise=_record(_record(entry.get("Extensions")).get(_ENTERPRISE)),
    )


def _records(value: object) -> Sequence[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _record(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _moment(value: object) -> datetime | None:
    """A time, as the SDK or a report has it; None for ``N/A``, ``no_information`` and what makes no sense."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
