"""What accounts mean: whose they are, whether they may sign in, and what the directory says of the person behind them.

Pure functions. Sources: user and signInActivity resources of Graph v1.0. An account that never signed in has no
signInActivity at all. Attempts count as sign-ins only where no success is recorded: successes are kept since December
2023 and were not filled in for the time before. `employeeHireDate` and `employeeLeaveDateTime` are moments that mean
days, `otherMails` are addresses elsewhere, and of `proxyAddresses` only those of mail (SMTP:, smtp:) are addresses.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from cloudscan.connector import Estate
from cloudscan.facts import (
    ADDRESSES,
    COMPANY,
    DEPARTMENTS,
    EMPLOYEE_NUMBER,
    EMPLOYMENT,
    IDENTITIES,
    LEAVE_ON,
    PRIVATE_ADDRESSES,
    ROLE,
    STARTS_ON,
    Affiliation,
    Principal,
)
from cloudscan.text import domain_of
from cloudscan_m365.api.models import Answer, Text
from cloudscan_m365.api.moments import moment
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.logins import address_of, external_name
from cloudscan_m365.meaning.people import People

_NEVER_SEEN = datetime(1970, 1, 1, tzinfo=UTC)
_EXTERNAL = "#ext#"
_GUEST: Final = "guest"
_MEMBER: Final = "member"
_NO_YEARS: Final = ("0001", "9999")  # .NET's first and last moment, which stand for none
_NONE: Final = "false"


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
    # What joins accounts to persons. Whatever is here, it must not cost the account itself.
    employee_id: Any = None
    employee_type: Any = None
    employee_hire_date: Any = msgspec.UNSET
    company_name: Any = None
    job_title: Any = None
    other_mails: Any = msgspec.UNSET
    proxy_addresses: Any = msgspec.UNSET
    on_premises_immutable_id: Any = None

    @property
    def is_guest(self) -> bool:
        """Whether the directory calls the account a guest."""
        kind = (self.user_type or "").lower()
        return kind == _GUEST or (not kind and self.is_external)

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
    def mail_addresses(self) -> Sequence[str] | None:
        """All addresses that reach the account, in lower case; None: they could not be read."""
        proxies = _texts(self.proxy_addresses)
        if proxies is None:
            return None
        of_mail = (address_of(text) for text in proxies if text.lower().startswith("smtp:"))
        names = (address_of(name) for name in self.names if _EXTERNAL not in name)
        return tuple(dict.fromkeys(filter(None, (*names, *of_mail))))

    @property
    def is_external(self) -> bool:
        """Whether the account signs in elsewhere: as a guest, or as a member from another tenant."""
        return _EXTERNAL in (self.user_principal_name or "").lower()

    @property
    def address(self) -> str:
        """The mail address; an external account without one has it encoded in its UPN."""
        return (self.mail or external_name(self.user_principal_name) or self.user_principal_name or "").lower()


@dataclass(frozen=True, kw_only=True)
class Accounts:
    """The users of a tenant, as far as they could be read."""

    users: Sequence[User] = ()
    complete: bool = False  # who is not among them has no account
    sign_ins_read: bool = False
    leave_dates_read: bool = False
    invited_by: Mapping[str, str] | None = None  # a guest's id: the inviter's; None: could not be read
    managers: Mapping[str, str] = field(default_factory=dict)  # an account's id: the manager's, where it was read


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
    sponsor = next(iter(active or sponsors or ()), "") or _manager(user, accounts, states)
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
        detail={
            **external,
            **_detail(user, accounts, people.estate),
            **_sponsors(user, sponsors, active, known=accounts.complete or states.keys() >= set(sponsors or ())),
            **_of_the_person(user, address, people),
        },
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
    detail = {
        "guest": "true" if user.is_guest else "",
        STARTS_ON: _day(user.employee_hire_date, estate),
    }
    if user.user_principal_name:
        detail["external_member"] = "true" if user.is_external and not user.is_guest else "false"
    if user.employee_leave_date_time or accounts.leave_dates_read:
        detail[LEAVE_ON] = _day(user.employee_leave_date_time, estate)
    if accounts.invited_by and (inviter := accounts.invited_by.get(user.id)):
        detail["invited_by"] = uids.user(inviter)
    return {name: value for name, value in detail.items() if value}


def _of_the_person(user: User, address: str, people: People) -> Mapping[str, object]:
    """What joins the account to a person, as `cloudscan.facts` names it; what is not known is left out."""
    immutable = _text(user.on_premises_immutable_id)
    known: Mapping[str, object] = {
        EMPLOYEE_NUMBER: _text(user.employee_id),
        ROLE: _text(user.job_title),
        EMPLOYMENT: _text(user.employee_type) or user.user_type or "",
        COMPANY: _text(user.company_name),
        DEPARTMENTS: [user.department.strip()] if user.department and user.department.strip() else [],
        IDENTITIES: [f"entra|{identity}" for identity in (user.id, immutable) if identity],
    }
    return {**{name: value for name, value in known.items() if value != ""}, **_addresses(user, address, people)}


def _addresses(user: User, address: str, people: People) -> Mapping[str, Sequence[str]]:
    """Further addresses. What a member of ours has elsewhere is private; what a guest has is the account's own."""
    mails, others = user.mail_addresses, _texts(user.other_mails)
    found = {}
    elsewhere = [one for one in map(address_of, others or ()) if one]
    private = [one for one in elsewhere if not (user.is_guest or user.is_external or people.is_ours(domain_of(one)))]
    if mails is not None and others is not None:
        found[ADDRESSES] = sorted({*mails, *elsewhere} - {address, *private})
    if others is not None:
        found[PRIVATE_ADDRESSES] = list(dict.fromkeys(private))
    return found


def _manager(user: User, accounts: Accounts, states: Mapping[str, bool | None]) -> str:
    """The id of an employee's manager; empty where there is none, or a contact without an account."""
    manager = "" if user.is_guest else accounts.managers.get(user.id, "")
    return manager if manager in states or not accounts.complete else ""


def _day(recorded: object, estate: Estate) -> str:
    """The organisation's day of a moment, ``false`` where none is recorded; empty: not known."""
    if recorded is None or recorded == "" or str(recorded).startswith(_NO_YEARS):
        return _NONE
    found = moment(recorded) if isinstance(recorded, str) else None
    return estate.day_of(found).isoformat() if found else ""


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _texts(value: object) -> Sequence[str] | None:
    """The texts of a list; None where there is no list, or one that has more than texts in it."""
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        return None
    return tuple(value)


def _sponsors(user: User, sponsors: Sequence[str] | None, active: Sequence[str], *, known: bool) -> Mapping[str, str]:
    """How many active sponsors a guest has; nothing where that is unknown. `known`: the state of each is."""
    if not user.is_guest or sponsors is None or not known:
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
