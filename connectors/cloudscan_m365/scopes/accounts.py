"""Reading the accounts of a tenant: its own people, and the guests that were invited.

Sources: user resource; directoryAudit for who invited whom. Sign-ins need Entra ID P1. What the answers mean is in
`cloudscan_m365.meaning.accounts`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from cloudscan.connector import Gap
from cloudscan.errors import ProviderError
from cloudscan.facts import LEAVE_ON, Hidden, Outcome
from cloudscan.reason import Reason
from cloudscan_m365.api.inquiry import Inquiry, Listing
from cloudscan_m365.api.models import Answer, Text
from cloudscan_m365.meaning.accounts import Accounts, DirectoryObject, User
from cloudscan_m365.permissions import LEAVE_DATES
from cloudscan_m365.questions import AUDITS, MANAGERS, SIGN_INS, USERS

_FIELDS = (
    "id,displayName,mail,userPrincipalName,userType,accountEnabled,createdDateTime,externalUserState,creationType,"
    "employeeLeaveDateTime,department,employeeId,employeeType,employeeHireDate,companyName,jobTitle,otherMails,"
    "proxyAddresses,onPremisesImmutableId"
)
_SPONSORS, _MANAGER = "sponsors($select=id)", "manager($select=id)"
_INVITED = "activityDisplayName eq 'Invite external user'"
_PAGE, _PAGE_WITH_SIGN_INS = 999, 500
_LEAVING: Final = (
    Hidden(table="principals", columns=(f"detail.{LEAVE_ON}",), kinds=("user",)),
    Hidden(table="resources", columns=("detail.owner_state",), kinds=("onedrive",)),
)


class _Managed(DirectoryObject, frozen=True, kw_only=True):
    manager: DirectoryObject | None = None


class _Actor(Answer, frozen=True, kw_only=True):
    id: Text = ""


class _Initiator(Answer, frozen=True, kw_only=True):
    user: _Actor | None = None


class _Audit(Answer, frozen=True, kw_only=True):
    initiated_by: _Initiator | None = None
    target_resources: Sequence[_Actor] | None = ()


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
        managers=_managers(inquiry) if users.entries else {},
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


def _managers(inquiry: Inquiry) -> dict[str, str]:
    """Who manages whom. Of users one relationship can be expanded at a time: managers are a list of their own.

    Source: microsoft-graph-docs, issue 96.
    """
    listed = inquiry.all(_Managed, MANAGERS, select="id", expand=_MANAGER, top=_PAGE)
    return {user.id: user.manager.id for user in listed.entries if user.manager}


def _inviters(inquiry: Inquiry) -> dict[str, str] | None:
    audits = inquiry.all(_Audit, AUDITS, filter=_INVITED)
    return dict(_inviters_by_guest(audits.entries)) if audits.answered else None


def _inviters_by_guest(audits: Iterable[_Audit]) -> Iterator[tuple[str, str]]:
    for audit in audits:
        inviter = (audit.initiated_by and audit.initiated_by.user and audit.initiated_by.user.id) or ""
        for target in audit.target_resources or ():
            if inviter and target.id:
                yield target.id, inviter
