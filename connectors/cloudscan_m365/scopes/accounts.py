"""The accounts of a tenant: its own people, and the guests that were invited.

Sources: user and signInActivity resources; directoryAudit for who invited whom. Sign-ins need Entra ID P1; an account
that never signed in has no signInActivity at all. Attempts count as sign-ins only where no success is recorded:
successes are kept since December 2023 and were not filled in for the time before.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cloudscan.connector import Gap
from cloudscan.errors import AccessDenied
from cloudscan.facts import Affiliation, Outcome, Principal
from cloudscan.text import domain_of
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.endpoints import Question
from cloudscan_m365.api.models import Answer, Text
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.people import People
from cloudscan_m365.permissions import LEAVE_DATES, SIGN_INS, USERS
from cloudscan_m365.scopes.gaps import gap

_USERS = Question(path="users", needs=USERS)
_USERS_SEEN = Question(path="users", needs=SIGN_INS)
_AUDITS = Question(path="auditLogs/directoryAudits", needs=SIGN_INS)
_FIELDS = (
    "id,displayName,mail,userPrincipalName,userType,accountEnabled,createdDateTime,externalUserState,creationType,"
    "employeeLeaveDateTime,department"
)
_SPONSORS = "sponsors($select=id)"
_INVITED = "activityDisplayName eq 'Invite external user'"
_PAGE, _PAGE_WITH_SIGN_INS = 999, 500
_LICENCE = "Microsoft Entra ID P1"
_NOT_LICENSED = "NonPremium"
_NEVER_SEEN = datetime(1970, 1, 1, tzinfo=UTC)
_EXTERNAL = "#ext#"


class DirectoryObject(Answer, frozen=True, kw_only=True):
    """An object of the directory for which only the id is asked."""

    id: str


class SignInActivity(Answer, frozen=True, kw_only=True):
    """The last sign-ins of an account; only attempts where no success was recorded."""

    last_sign_in_date_time: datetime | None = None
    last_non_interactive_sign_in_date_time: datetime | None = None
    last_successful_sign_in_date_time: datetime | None = None


class User(Answer, frozen=True, kw_only=True):
    """A user object of the directory, which may be a guest."""

    id: str
    display_name: Text = ""
    mail: Text = ""
    user_principal_name: Text = ""
    user_type: Text = ""
    account_enabled: bool | None = None
    created_date_time: datetime | None = None
    external_user_state: Text = ""
    creation_type: Text = ""
    employee_leave_date_time: datetime | None = None
    department: Text = ""
    sign_in_activity: SignInActivity | None = None
    sponsors: Sequence[DirectoryObject] = ()

    @property
    def names(self) -> Iterator[str]:
        """The names that permissions may use for the account, in lower case."""
        return (name.lower() for name in (self.mail, self.user_principal_name) if name)

    @property
    def is_external(self) -> bool:
        """Whether the account signs in elsewhere: as a guest, or as a member from another tenant."""
        return _EXTERNAL in (self.user_principal_name or "").lower()

    @property
    def address(self) -> str:
        """The mail address; an external account without one has it encoded in its UPN."""
        if self.mail or not self.is_external:
            return (self.mail or self.user_principal_name or "").lower()
        name, _, domain = (self.user_principal_name or "").lower().partition(_EXTERNAL)[0].rpartition("_")
        return f"{name}@{domain}"


class _Actor(Answer, frozen=True, kw_only=True):
    id: Text = ""


class _Initiator(Answer, frozen=True, kw_only=True):
    user: _Actor | None = None


class _Audit(Answer, frozen=True, kw_only=True):
    initiated_by: _Initiator | None = None
    target_resources: Sequence[_Actor] = ()


@dataclass(frozen=True, kw_only=True)
class Accounts:
    """The users of a tenant, as far as they could be read."""

    users: Sequence[User] = ()
    complete: bool = True
    sign_ins_read: bool = True
    invited_by: Mapping[str, str] = field(default_factory=dict)  # a guest's id: the inviter's


def read_accounts(graph: Graph, gaps: list[Gap]) -> Accounts:
    """All users, with the properties that the licence and the permissions allow. Adds to `gaps` what is missing."""
    accounts = _accounts(graph, gaps)
    if accounts.users and not any(user.employee_leave_date_time for user in accounts.users):
        # Without the permission the property is empty rather than refused (user resource: employeeLeaveDateTime).
        reason = "no account has a leave date; Microsoft returns it only to an application with the permission"
        gaps.append(Gap(table="principals", outcome=Outcome.SKIPPED, reason=reason, needs=LEAVE_DATES))
    return accounts


def _accounts(graph: Graph, gaps: list[Gap]) -> Accounts:
    sign_ins_read = True
    try:
        users = _users(graph, _USERS_SEEN, f"{_FIELDS},signInActivity", _PAGE_WITH_SIGN_INS)
    except AccessDenied as refused:
        sign_ins_read = False
        try:
            users = _users(graph, _USERS, _FIELDS, _PAGE)
        except AccessDenied as denied:
            gaps.append(gap("principals", denied, "who is ours, who is a guest and who has left is unknown"))
            return Accounts(complete=False, sign_ins_read=False)
        unlicensed = _NOT_LICENSED in str(refused)
        missing = AccessDenied(str(refused), needs=_LICENCE if unlicensed else SIGN_INS)
        gaps.append(gap("principals", missing, "when people last signed in is unknown"))
        if not unlicensed:
            return Accounts(users=users, sign_ins_read=False)
    return Accounts(users=users, sign_ins_read=sign_ins_read, invited_by=_inviters(graph, gaps))


def principals_of(accounts: Accounts, people: People) -> Iterator[tuple[User, Principal]]:
    """Each user with their principal."""
    states = {user.id: user.account_enabled for user in accounts.users}
    for user in accounts.users:
        yield user, _principal(user, accounts, people, states)


def _principal(user: User, accounts: Accounts, people: People, states: Mapping[str, bool | None]) -> Principal:
    address = user.address
    domain = domain_of(address)
    guest = user.user_type == "Guest" or (not user.user_type and user.is_external)
    affiliation = people.affiliation(domain) if user.is_external else Affiliation.INTERNAL
    active = [sponsor.id for sponsor in user.sponsors if states.get(sponsor.id)]
    sponsor = next(iter(active or [sponsor.id for sponsor in user.sponsors]), "")
    inviter = accounts.invited_by.get(user.id, "")
    leaves = user.employee_leave_date_time
    detail: dict[str, Any] = {
        "guest": "true" if guest else "",
        "external_member": "true" if user.is_external and not guest else "",
        "sponsors": str(len(active)) if guest else "",
        "invited_by": uids.user(inviter) if inviter else "",
        "leave_on": leaves.date().isoformat() if leaves else "",
        **(people.external_user(address).detail if affiliation is not Affiliation.INTERNAL else {}),
    }
    return Principal(
        uid=uids.user(user.id),
        platform=uids.PLATFORM,
        account=people.primary,
        kind="guest" if guest else "user",
        email=address,
        domain=domain,
        # External people choose their display names: not used.
        name=address if user.is_external else user.display_name or address,
        affiliation=affiliation,
        status={True: "active", False: "suspended", None: None}[user.account_enabled],
        created_on=user.created_date_time,
        redeemed={"Accepted": True, "PendingAcceptance": False}.get(user.external_user_state or ""),
        last_seen_on=_last_seen(user.sign_in_activity) if accounts.sign_ins_read else None,
        department=user.department or "",
        sponsor_uid=uids.user(sponsor) if sponsor else None,
        detail={name: value for name, value in detail.items() if value},
    )


def _last_seen(activity: SignInActivity | None) -> datetime:
    if activity is None:
        return _NEVER_SEEN
    if activity.last_successful_sign_in_date_time:
        return activity.last_successful_sign_in_date_time
    attempts = (activity.last_sign_in_date_time, activity.last_non_interactive_sign_in_date_time)
    return max((attempt for attempt in attempts if attempt), default=_NEVER_SEEN)


def _users(graph: Graph, question: Question, fields: str, page: int) -> list[User]:
    return list(graph.entries(User, question, select=fields, expand=_SPONSORS, top=page))


def _inviters(graph: Graph, gaps: list[Gap]) -> dict[str, str]:
    try:
        return dict(_inviters_by_guest(graph.entries(_Audit, _AUDITS, filter=_INVITED)))
    except AccessDenied as refused:
        gaps.append(gap("principals", refused, "who invited whom is unknown"))
        return {}


def _inviters_by_guest(audits: Iterable[_Audit]) -> Iterator[tuple[str, str]]:
    for audit in audits:
        inviter = (audit.initiated_by and audit.initiated_by.user and audit.initiated_by.user.id) or ""
        for target in audit.target_resources:
            if inviter and target.id:
                yield target.id, inviter
