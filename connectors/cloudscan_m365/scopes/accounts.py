"""The accounts of a tenant: its own people, and the guests that were invited.

Sources: user and signInActivity resources; directoryAudit for who invited whom. Sign-ins need Entra ID P1; an account
that never signed in has no signInActivity at all. Attempts count as sign-ins only where no success is recorded:
successes are kept since December 2023 and were not filled in for the time before.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from cloudscan.connector import Estate, Gap
from cloudscan.errors import ProviderError
from cloudscan.facts import NEVER, Affiliation, Hidden, Outcome, Principal
from cloudscan.reason import Reason
from cloudscan.text import domain_of
from cloudscan_m365.api.inquiry import Inquiry, Listing
from cloudscan_m365.api.models import Answer, Text
from cloudscan_m365.api.moments import moment
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.logins import external_name
from cloudscan_m365.meaning.people import People
from cloudscan_m365.permissions import LEAVE_DATES
from cloudscan_m365.questions import AUDITS, SIGN_INS, USERS

_FIELDS = (
    "id,displayName,mail,userPrincipalName,userType,accountEnabled,createdDateTime,externalUserState,creationType,"
    "employeeLeaveDateTime,department"
)
_SPONSORS = "sponsors($select=id)"
_INVITED = "activityDisplayName eq 'Invite external user'"
_PAGE, _PAGE_WITH_SIGN_INS = 999, 500
_NEVER_SEEN = datetime(1970, 1, 1, tzinfo=UTC)
_EXTERNAL = "#ext#"
_GUEST: Final = "guest"
_MEMBER: Final = "member"
_LEAVING: Final = (
    Hidden(table="principals", columns=("detail.leave_on",), kinds=("user",)),
    Hidden(table="resources", columns=("detail.owner_state",), kinds=("onedrive",)),
)


class DirectoryObject(Answer, frozen=True, kw_only=True):
    """An object of the directory for which only the id is asked."""

    id: str


class SignInActivity(Answer, frozen=True, kw_only=True):
    """The last sign-ins of an account; only attempts where no success was recorded."""

    last_sign_in_date_time: Text = ""
    last_non_interactive_sign_in_date_time: Text = ""
    last_successful_sign_in_date_time: Text = ""


class User(Answer, frozen=True, kw_only=True):
    """A user object of the directory, which may be a guest. Its times are read with `moment`."""

    id: str
    display_name: Text = ""
    mail: Text = ""
    user_principal_name: Text = ""
    user_type: Text = ""
    account_enabled: bool | None = None
    created_date_time: Text = ""
    external_user_state: Text | msgspec.UnsetType = msgspec.UNSET  # null: there was no invitation
    creation_type: Text = ""
    employee_leave_date_time: Text | msgspec.UnsetType = msgspec.UNSET
    department: Text = ""
    sign_in_activity: SignInActivity | None = None
    sponsors: Sequence[DirectoryObject] | msgspec.UnsetType | None = msgspec.UNSET

    @property
    def is_guest(self) -> bool:
        """Whether the directory calls the account a guest."""
        kind = (self.user_type or "").lower()
        return kind == _GUEST or (not kind and self.is_external)

    @property
    def leaves_on(self) -> datetime | None:
        """When the person leaves, `NEVER` where nothing is recorded; None: unknown."""
        recorded = self.employee_leave_date_time
        if recorded is msgspec.UNSET:
            return None
        return moment(recorded) if recorded and not recorded.startswith("0001") else NEVER

    @property
    def redeemed(self) -> bool | None:
        """Whether no invitation waits to be accepted; None: unknown."""
        state = self.external_user_state
        if state is None:
            return True if self.is_guest else None
        return {"accepted": True, "pendingacceptance": False}.get((state or "").lower())

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
        return (self.mail or external_name(self.user_principal_name) or self.user_principal_name or "").lower()


class _Actor(Answer, frozen=True, kw_only=True):
    id: Text = ""


class _Initiator(Answer, frozen=True, kw_only=True):
    user: _Actor | None = None


class _Audit(Answer, frozen=True, kw_only=True):
    initiated_by: _Initiator | None = None
    target_resources: Sequence[_Actor] | None = ()


@dataclass(frozen=True, kw_only=True)
class Accounts:
    """The users of a tenant, as far as they could be read."""

    users: Sequence[User] = ()
    complete: bool = False  # who is not among them has no account
    sign_ins_read: bool = False
    leave_dates_read: bool = False
    invited_by: Mapping[str, str] | None = None  # a guest's id: the inviter's; None: could not be read


def read_accounts(inquiry: Inquiry) -> Accounts:
    """All users, with the properties that the licence and the permissions allow."""
    users, sign_ins_read = _users(inquiry)
    if users.answered and not users.entries:
        # A tenant has an administrator: a list without anybody is no list of its users.
        inquiry.lacking(USERS, "graph-list-empty")
        users = Listing(answered=True)
    return Accounts(
        users=users.entries,
        complete=users.whole,
        sign_ins_read=sign_ins_read,
        leave_dates_read=_leave_dates_read(inquiry, users.entries),
        invited_by=_inviters(inquiry) if users.answered else None,
    )


def _users(inquiry: Inquiry) -> tuple[Listing[User], bool]:
    """The users, and whether their sign-ins were answered."""
    fields, first = f"{_FIELDS},signInActivity", Inquiry(graph=inquiry.graph)
    users = first.all(User, SIGN_INS, select=fields, expand=_SPONSORS, top=_PAGE_WITH_SIGN_INS)
    if users.answered:
        for gap in first.gaps:  # entries that make no sense are missing from the users
            inquiry.gaps.append(msgspec.structs.replace(gap, hides=USERS.hides))
        return users, True
    inquiry.gaps.extend(first.gaps)
    return inquiry.all(User, USERS, select=_FIELDS, expand=_SPONSORS, top=_PAGE), False


def _leave_dates_read(inquiry: Inquiry, users: Sequence[User]) -> bool:
    """Whether leave dates are told: without the permission the property is empty rather than refused.

    Source: user resource, employeeLeaveDateTime.
    """
    if any(user.employee_leave_date_time for user in users):
        return True
    try:
        told = inquiry.graph.claims().has(LEAVE_DATES)
    except ProviderError:
        told = False
    if users and not told:
        inquiry.gaps.append(
            Gap(
                table="principals",
                outcome=Outcome.SKIPPED,
                reason=Reason(code="graph-no-leave-dates"),
                question=USERS.name,
                hides=_LEAVING,
                needs=LEAVE_DATES,
            )
        )
    return told


def principals_of(accounts: Accounts, people: People) -> Iterator[tuple[User, Principal]]:
    """Each user with their principal."""
    states = {user.id: user.account_enabled for user in accounts.users}
    for user in accounts.users:
        yield user, _principal(user, accounts, people, states)


def _principal(user: User, accounts: Accounts, people: People, states: Mapping[str, bool | None]) -> Principal:
    address = user.address
    domain = domain_of(address)
    affiliation = _affiliation(user, address, people)
    sponsors = None if user.sponsors is msgspec.UNSET else [one.id for one in user.sponsors or ()]
    active = [sponsor for sponsor in sponsors or () if states.get(sponsor)]
    sponsor = next(iter(active or sponsors or ()), "")
    external = people.external_user(address).detail if affiliation is not Affiliation.INTERNAL else {}
    return Principal(
        uid=uids.user(user.id),
        platform=uids.PLATFORM,
        account=people.primary,
        kind="guest" if user.is_guest else "user",
        email=address,
        domain=domain,
        # External people choose their display names: not used.
        name=address if user.is_external else user.display_name or address,
        affiliation=affiliation,
        status={True: "active", False: "suspended", None: None}[user.account_enabled],
        created_on=moment(user.created_date_time),
        redeemed=user.redeemed,
        last_seen_on=_last_seen(user.sign_in_activity) if accounts.sign_ins_read else None,
        department=user.department or "",
        sponsor_uid=uids.user(sponsor) if sponsor else None,
        detail={**external, **_detail(user, accounts, people.estate), **_sponsors(user, accounts, sponsors, active)},
    )


def _affiliation(user: User, address: str, people: People) -> Affiliation | None:
    """Where an account belongs. Ours is one that the directory calls a member, and that signs in here.

    An account that signs in elsewhere has the address of its home in its name; its mail is what somebody wrote there.
    """
    if user.is_guest or user.is_external:
        domain, at_home = domain_of(address), external_name(user.user_principal_name) or ""
        home = domain_of(at_home) or domain
        known_as = ((home, at_home or address), (domain, address))
        where = {people.affiliation(one, name) for one, name in known_as if one}
        if where == {Affiliation.INTERNAL} and not user.is_guest and home not in people.domains:
            return Affiliation.INTERNAL  # of another tenant of ours
        outside = where - {Affiliation.INTERNAL} or {Affiliation.EXTERNAL}
        return next(one for one in (Affiliation.EXTERNAL, None, Affiliation.PARTNER) if one in outside)
    if not user.user_principal_name or (user.user_type or _MEMBER).lower() != _MEMBER:
        return None
    return Affiliation.INTERNAL


def _detail(user: User, accounts: Accounts, estate: Estate) -> Mapping[str, str]:
    """What is known of an account beside its columns. What is left out is not known."""
    leaves = user.leaves_on if user.employee_leave_date_time or accounts.leave_dates_read else None
    detail = {"guest": "true" if user.is_guest else ""}
    if user.user_principal_name:
        detail["external_member"] = "true" if user.is_external and not user.is_guest else "false"
    if leaves is not None:
        detail["leave_on"] = estate.day_of(leaves).isoformat()
    if accounts.invited_by and (inviter := accounts.invited_by.get(user.id)):
        detail["invited_by"] = uids.user(inviter)
    return {name: value for name, value in detail.items() if value}


def _sponsors(
    user: User, accounts: Accounts, sponsors: Sequence[str] | None, active: Sequence[str]
) -> Mapping[str, str]:
    """How many active sponsors a guest has; nothing where that is unknown."""
    known = {account.id for account in accounts.users}
    if not user.is_guest or sponsors is None or (not accounts.complete and not known.issuperset(sponsors)):
        return {}
    return {"sponsors": str(len(active))}


def _last_seen(activity: SignInActivity | None) -> datetime | None:
    """The last sign-in; None where Microsoft tells one that makes no sense."""
    if activity is None:
        return _NEVER_SEEN
    if success := moment(activity.last_successful_sign_in_date_time):
        return success
    written = [
        text
        for text in (
            activity.last_successful_sign_in_date_time,
            activity.last_sign_in_date_time,
            activity.last_non_interactive_sign_in_date_time,
        )
        if text and not text.startswith("0")  # the year 0 or 1 is .NET's way to say never
    ]
    attempts = [seen for text in written if (seen := moment(text)) is not None]
    return max(attempts) if attempts else None if written else _NEVER_SEEN


def _inviters(inquiry: Inquiry) -> dict[str, str] | None:
    audits = inquiry.all(_Audit, AUDITS, filter=_INVITED)
    return dict(_inviters_by_guest(audits.entries)) if audits.answered else None


def _inviters_by_guest(audits: Iterable[_Audit]) -> Iterator[tuple[str, str]]:
    for audit in audits:
        inviter = (audit.initiated_by and audit.initiated_by.user and audit.initiated_by.user.id) or ""
        for target in audit.target_resources or ():
            if inviter and target.id:
                yield target.id, inviter
