"""The accounts of a tenant: its own people, and the guests that were invited.

Sources: user and signInActivity resources; directoryAudit for who invited whom. Sign-ins need Entra ID P1; whoever has
never signed in has no signInActivity at all. Attempts count as sign-ins only where no success is told: those are kept
since December 2023 and were not filled in for before.
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
from cloudscan_m365.permissions import LEAVERS, SIGN_INS, USERS
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
_FOREIGN = "#ext#"


class Thing(Answer, frozen=True, kw_only=True):
    """An object of the directory, of which only the id is asked for."""

    id: str


class SignInActivity(Answer, frozen=True, kw_only=True):
    last_sign_in_date_time: datetime | None = None
    last_non_interactive_sign_in_date_time: datetime | None = None
    last_successful_sign_in_date_time: datetime | None = None


class User(Answer, frozen=True, kw_only=True):
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
    sponsors: Sequence[Thing] = ()

    @property
    def names(self) -> Iterator[str]:
        """What permissions may call him."""
        return (name.lower() for name in (self.mail, self.user_principal_name) if name)

    @property
    def is_foreign(self) -> bool:
        """Whether he signs in elsewhere: as a guest, or as a member out of another tenant."""
        return _FOREIGN in (self.user_principal_name or "").lower()

    @property
    def address(self) -> str:
        """His mail address; a foreigner's is written into his UPN where he has none."""
        if self.mail or not self.is_foreign:
            return (self.mail or self.user_principal_name or "").lower()
        name, _, domain = (self.user_principal_name or "").lower().partition(_FOREIGN)[0].rpartition("_")
        return f"{name}@{domain}"


class _By(Answer, frozen=True, kw_only=True):
    id: Text = ""


class _Initiator(Answer, frozen=True, kw_only=True):
    user: _By | None = None


class _Audit(Answer, frozen=True, kw_only=True):
    initiated_by: _Initiator | None = None
    target_resources: Sequence[_By] = ()


@dataclass(frozen=True, kw_only=True)
class Accounts:
    """The users of a tenant, as far as they could be read."""

    users: Sequence[User] = ()
    complete: bool = True
    seen: bool = True  # sign-ins could be read
    invited_by: Mapping[str, str] = field(default_factory=dict)  # a guest's id: the inviter's


def read_accounts(graph: Graph, gaps: list[Gap]) -> Accounts:
    """All users, with what the licence and the rights give of them."""
    accounts = _accounts(graph, gaps)
    if accounts.users and not any(user.employee_leave_date_time for user in accounts.users):
        # Without the right the property comes empty and not refused (user resource: employeeLeaveDateTime).
        reason = "no account has a leave date; Microsoft tells it only to an application with the right"
        gaps.append(Gap(table="principals", outcome=Outcome.SKIPPED, reason=reason, needs=LEAVERS))
    return accounts


def _accounts(graph: Graph, gaps: list[Gap]) -> Accounts:
    seen = True
    try:
        users = _users(graph, _USERS_SEEN, f"{_FIELDS},signInActivity", _PAGE_WITH_SIGN_INS)
    except AccessDenied as refused:
        seen = False
        try:
            users = _users(graph, _USERS, _FIELDS, _PAGE)
        except AccessDenied as closed:
            gaps.append(gap("principals", closed, "who is ours, a guest or gone is not known"))
            return Accounts(complete=False, seen=False)
        unlicensed = _NOT_LICENSED in str(refused)
        missing = AccessDenied(str(refused), needs=_LICENCE if unlicensed else SIGN_INS)
        gaps.append(gap("principals", missing, "when people last signed in is not known"))
        if not unlicensed:
            return Accounts(users=users, seen=False)
    return Accounts(users=users, seen=seen, invited_by=_inviters(graph, gaps))


def principals_of(accounts: Accounts, people: People) -> Iterator[tuple[User, Principal]]:
    """Each user with the principal that he is."""
    states = {user.id: user.account_enabled for user in accounts.users}
    for user in accounts.users:
        yield user, _principal(user, accounts, people, states)


def _principal(user: User, accounts: Accounts, people: People, states: Mapping[str, bool | None]) -> Principal:
    address = user.address
    domain = domain_of(address)
    guest = user.user_type == "Guest" or (not user.user_type and user.is_foreign)
    affiliation = people.affiliation(domain) if user.is_foreign else Affiliation.INTERNAL
    here = [each.id for each in user.sponsors if states.get(each.id)]
    sponsor = next(iter(here or [each.id for each in user.sponsors]), "")
    inviter = accounts.invited_by.get(user.id, "")
    leaves = user.employee_leave_date_time
    detail: dict[str, Any] = {
        "guest": "true" if guest else "",
        "external_member": "true" if user.is_foreign and not guest else "",
        "sponsors": str(len(here)) if guest else "",
        "invited_by": uids.user(inviter) if inviter else "",
        "leave_on": leaves.date().isoformat() if leaves else "",
        **(people.outsider(address).detail if affiliation is not Affiliation.INTERNAL else {}),
    }
    return Principal(
        uid=uids.user(user.id),
        platform=uids.PLATFORM,
        account=people.primary,
        kind="guest" if guest else "user",
        email=address,
        domain=domain,
        # Strangers choose their display names: not used.
        name=address if user.is_foreign else user.display_name or address,
        affiliation=affiliation,
        status={True: "active", False: "suspended", None: None}[user.account_enabled],
        created_on=user.created_date_time,
        redeemed={"Accepted": True, "PendingAcceptance": False}.get(user.external_user_state or ""),
        last_seen_on=_last_seen(user.sign_in_activity) if accounts.seen else None,
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
    return max((each for each in attempts if each), default=_NEVER_SEEN)


def _users(graph: Graph, question: Question, fields: str, page: int) -> list[User]:
    return list(graph.things(User, question, select=fields, expand=_SPONSORS, top=page))


def _inviters(graph: Graph, gaps: list[Gap]) -> dict[str, str]:
    try:
        return dict(_pairs(graph.things(_Audit, _AUDITS, filter=_INVITED)))
    except AccessDenied as refused:
        gaps.append(gap("principals", refused, "who invited whom is not known"))
        return {}


def _pairs(audits: Iterable[_Audit]) -> Iterator[tuple[str, str]]:
    for audit in audits:
        inviter = (audit.initiated_by and audit.initiated_by.user and audit.initiated_by.user.id) or ""
        for target in audit.target_resources:
            if inviter and target.id:
                yield target.id, inviter
