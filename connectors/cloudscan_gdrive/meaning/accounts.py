"""What a user's entry in the directory says: whose account it is, and of the person behind it. Pure functions.

Sources: Directory API v1, User, UserEmail, UserExternalId, UserOrganization, UserRelation; "Search for users" names
`orgDepartment`, `orgTitle` and `externalId` after the same fields. Several organisations are 兼務; one is the primary.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from cloudscan.facts import (
    ADDRESSES,
    COMPANY,
    DEPARTMENTS,
    DISABLED_ON,
    DISABLED_WHY,
    EMPLOYEE_NUMBER,
    EMPLOYMENT,
    IDENTITIES,
    PRIVATE_ADDRESSES,
    ROLE,
)
from cloudscan_gdrive.api.models import Job, User

_OF_THE_EMPLOYER: Final = "organization"
_FOR_WORK: Final = "work"


def outside_address(guest: User) -> str:
    """The address by which a guest is known outside, in lower case."""
    return (guest.guest_account_info.primary_guest_email or guest.primary_email).lower()


def is_guest(user: User) -> bool:
    """An external user whom the directory lists: Google says so, or names their address outside."""
    return bool(user.is_guest_user or user.guest_account_info.primary_guest_email)


def is_suspended(user: User) -> bool:
    """Suspended or archived, for whatever reason: Google does not allow acting as them."""
    return bool(user.suspended or user.archived)


def status_of(user: User) -> str | None:
    """The status of an account; None: not known."""
    if user.suspended or user.archived:
        return "suspended" if user.suspended else "archived"
    return "active" if user.suspended is False and user.archived is False else None


def addresses_of(user: User) -> Iterator[str]:
    """The addresses that permissions may use for a user, as Google writes them."""
    yield user.primary_email
    yield from user.aliases or ()
    yield from user.non_editable_aliases or ()


def addresses_known(user: User) -> bool:
    """Whether these are all of a user's addresses."""
    return user.aliases is not None and user.non_editable_aliases is not None


def private_addresses(user: User, is_ours: Callable[[str], bool]) -> Sequence[str] | None:
    """A user's own addresses elsewhere, in lower case; None: not all are known.

    An address elsewhere that the directory calls one for work, such as a contractor's, is not private.
    """
    if user.emails is None or user.recovery_email is None:
        return None
    noted = [one.address for one in user.emails if one.type.lower() != _FOR_WORK]
    found = (_as_address(text) for text in (*noted, user.recovery_email))
    return tuple(dict.fromkeys(one for one in found if one and not is_ours(one.rpartition("@")[2])))


def department_of(user: User) -> str:
    """The primary department; the first one only where none is marked as primary. Empty: none is known."""
    jobs = _jobs(user) or ()
    primary = [job for job in jobs if job.primary]
    return next((job.department.strip() for job in primary or jobs if job.department.strip()), "")


def manager_of(user: User) -> str:
    """The first manager who is given by an address, in lower case; empty: none is known."""
    managers = (_as_address(one.value) for one in user.relations or () if one.type.lower() == "manager")
    return next((address for address in managers if address), "")


def detail_of(user: User, address: str, is_ours: Callable[[str], bool]) -> Mapping[str, object]:
    """What the directory says of the person, as `cloudscan.facts` names it; what is not known is left out.

    `address` is the one that the account goes by.
    """
    known = {
        EMPLOYEE_NUMBER: _employee_number(user),
        ROLE: _first(user, lambda job: job.title),
        EMPLOYMENT: _first(user, lambda job: job.description),
        COMPANY: _first(user, lambda job: job.name) if is_guest(user) else "",
        **_disabled(user),
    }
    return {
        **{name: text for name, text in known.items() if text},
        **({ADDRESSES: _further_addresses(user, address, is_ours)} if addresses_known(user) else {}),
        **_private(user, is_ours),
        **({DEPARTMENTS: _departments(user)} if user.organizations is not None else {}),
        IDENTITIES: [f"google|{user.id}"],
    }


def _jobs(user: User) -> Sequence[Job] | None:
    """The primary one first; None: not known."""
    jobs = user.organizations
    return None if jobs is None else sorted(jobs, key=lambda job: not job.primary)


def _first(user: User, member: Callable[[Job], str]) -> str:
    return next((member(job).strip() for job in _jobs(user) or () if member(job).strip()), "")


def _departments(user: User) -> Sequence[str]:
    named = (job.department.strip() for job in _jobs(user) or ())
    return list(dict.fromkeys(name for name in named if name))


def _employee_number(user: User) -> str:
    """Empty where there is none, or more than one: then it is not known which is right."""
    numbers = {one.value.strip() for one in user.external_ids or () if one.type.lower() == _OF_THE_EMPLOYER}
    numbers.discard("")
    return numbers.pop() if len(numbers) == 1 else ""


def _further_addresses(user: User, address: str, is_ours: Callable[[str], bool]) -> Sequence[str]:
    of_ours = (one.address for one in user.emails or () if is_ours(one.address.strip().lower().rpartition("@")[2]))
    named = (_as_address(text) for text in (*addresses_of(user), *of_ours))
    return sorted({one for one in named if one} - {address})


def _private(user: User, is_ours: Callable[[str], bool]) -> Mapping[str, Sequence[str]]:
    """Nothing of guests: what they are known by outside is their address."""
    private = None if is_guest(user) else private_addresses(user, is_ours)
    return {} if private is None else {PRIVATE_ADDRESSES: list(private)}


def _disabled(user: User) -> Mapping[str, str]:
    """Since when an account is suspended or archived, whichever came first, and why it is suspended."""
    suspended = user.suspension_time if user.suspended else None
    archived = user.archival_time if user.archived else None
    since = min((moment for moment in (suspended, archived) if moment), default=None)
    return {
        DISABLED_ON: since.isoformat() if since else "",
        DISABLED_WHY: (user.suspension_reason or "") if user.suspended else "",
    }


def _as_address(text: str) -> str:
    """A text that is one address, in lower case; empty where it is none."""
    address = text.strip().lower()
    name, _, domain = address.rpartition("@")
    return address if name and domain and "@" not in name and not any(map(str.isspace, address)) else ""
