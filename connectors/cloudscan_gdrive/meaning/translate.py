"""What a Drive permission means: whom it lets in, and with which access. Pure functions.

Sources: discovery document of Drive v3 (Permission); Drive guide, "Share files, folders and drives", "Limited and
expansive access"; Forms API, "Publish settings" (the view `published` of a form is open to respondents).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from cloudscan.facts import NEVER, Access, Affiliation, Audience, Grant, Principal, Via
from cloudscan.reason import Reason
from cloudscan_gdrive.api.models import Permission
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.people import AUDIENCE, People

FORM: Final = "application/vnd.google-apps.form"
"""The content type of a form, whose published view admits those who fill it in."""
PUBLISHED: Final = "published"
IDS_OF_LINKS: Final = ("anyoneWithLink", "anyone")
"""The ids of the permissions that let anyone in."""
RESPONDENTS: Final = "respondents"
"""The view of a form that may be filled in."""

_ACCESS: Final = {
    "reader": Access.READ,
    "publishedReader": Access.READ,
    "commenter": Access.COMMENT,
    "writer": Access.WRITE,
    "fileOrganizer": Access.WRITE,
    "organizer": Access.MANAGE,
    "owner": Access.OWN,
}
_MAY: Final = {
    "reader": "drive-may-read",
    "publishedReader": "drive-may-read",
    "commenter": "drive-may-comment",
    "writer": "drive-may-write",
    "fileOrganizer": "drive-may-organise",
    "organizer": "drive-may-manage",
    "owner": "drive-may-own",
}
_RESPONDING: Final = frozenset({"reader", "publishedReader", ""})
_MIN_GOOGLE_ID: Final = 15  # characters
DELETED: Final = "drive-account-deleted"
EXPIRED: Final = "drive-expired"


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """A permission translated into facts; the same for every file that has it."""

    key: str  # the permission with its role: what a parent must have for a child to have inherited it
    principal: Principal | None
    grant: Grant  # without uid and resource, which are filled in for each file


def meaning_of(
    permission: Permission, people: People, now: datetime, content_type: str = "", owner: str = ""
) -> Meaning | None:
    """Whom a permission of a file of some type lets in at the time `now`; None for the owner's, which is no grant.

    `owner` is the uid of the one owner whose entry is no grant; empty: any owner's. Old files may have several owners,
    and what is in a shared drive has none.
    """
    principal, audience = _principal_and_audience(permission, people)
    is_owner = not owner or (principal is not None and principal.uid == owner)
    if permission.role == "owner" and permission.type in ("user", "") and not permission.pending_owner and is_owner:
        return None
    view = permission.view
    if view == PUBLISHED and content_type == FORM and permission.role in _RESPONDING:
        view = RESPONDENTS
    blocked_by = DELETED if permission.deleted else EXPIRED if _has_expired(permission, now) else ""
    return Meaning(
        key=key_of(permission),
        principal=principal,
        grant=Grant(
            uid="",
            resource_uid="",
            principal_uid=principal.uid if principal else None,
            audience=audience,
            access=_access(permission, view),
            via=_via(permission),
            discoverable=_is_discoverable(permission),
            expires_on=_ends(permission) or NEVER,
            effective=not blocked_by,
            blocked_by=blocked_by,
            detail={
                "type": permission.type,
                "role": permission.role,
                **off_unless(view=view, pending_owner=permission.pending_owner),
                "chain": chain_of(_steps(permission, people, principal, audience, view)),
            },
        ),
    )


def strength_of(role: str) -> Access:
    """For choosing the stronger of two roles; one that is not known counts as the strongest."""
    return _ACCESS.get(role, Access.OWN)


def off_unless(*, view: str = "", pending_owner: bool = False) -> Mapping[str, str]:
    """What rules read of a permission beside the columns; what is known to be off is ``false``."""
    return {"view": view or "false", "pending_owner": "true" if pending_owner else "false"}


def chain_of(steps: Iterator[Reason]) -> list[Any]:
    """Steps from a setting to a verdict, as a grant's `detail` has them."""
    return [msgspec.to_builtins(step) for step in steps]


def step(code: str, **values: str | int) -> Reason:
    """One step of a chain, by the code of its words."""
    return Reason(code=code, values=values)


def link_by_id(identity: str) -> Grant:
    """The grant that the id of a permission proves where the permission itself could not be read."""
    found = identity == "anyone"
    return Grant(
        uid="",
        resource_uid="",
        audience=Audience.ANYONE_DISCOVERABLE if found else Audience.ANYONE_WITH_LINK,
        access=None,
        via=Via.LINK,
        discoverable=found,
        detail={
            "type": "anyone",
            "chain": chain_of(iter([step("drive-link-by-id", id=identity)])),
        },
    )


def utc(time: datetime | None) -> datetime | None:
    """A time in UTC; Google's times are, so one without a zone counts as that."""
    if time is None or time.tzinfo is UTC:
        return time
    if time.tzinfo is None:
        return time.replace(tzinfo=UTC)
    try:
        return time.astimezone(UTC)
    except OverflowError:  # within a day of the first or last day there is
        return time.replace(tzinfo=UTC)


def key_of(permission: Permission) -> str:
    """The same for a parent's permission and a child's that was inherited unchanged."""
    return f"{_identity(permission)}/{permission.role}/{permission.view}"


def _identity(permission: Permission) -> str:
    """Google's ids are long and unique to a principal; short ones come from recorded answers and may not be."""
    if len(permission.id) >= _MIN_GOOGLE_ID:
        return permission.id
    return f"{permission.id or permission.type}{permission.email_address or permission.domain}"


def is_inherited(permission: Permission) -> bool | None:
    """Whether a permission is inherited; None where Drive does not say: lists of My Drive leave the details out."""
    if not permission.permission_details:
        return None
    return all(detail.inherited for detail in permission.permission_details)


def _principal_and_audience(permission: Permission, people: People) -> tuple[Principal | None, Audience | None]:
    match permission.type:
        case "anyone":
            return None, Audience.ANYONE_DISCOVERABLE if _is_discoverable(permission) else Audience.ANYONE_WITH_LINK
        case "domain" if permission.domain:
            principal = people.domain_principal(permission.domain.lower())
            return principal, _by(principal, Audience.ORGANISATION, Audience.EXTERNAL_DOMAIN)
        case "user" | "group" if permission.deleted:
            return _deleted(permission, people)
        case "user" | "group" | "domain" if not permission.email_address:
            return None, None  # Drive does not say who
        case "group":
            return _group(permission, people)
        case "user" if people.address_of(permission.email_address) in people.groups:
            return _group(permission, people)
        case "user":
            principal = people.principal("user", permission.email_address)
            return principal, _by(principal, Audience.NAMED, Audience.NAMED_EXTERNAL)
        case _:
            return None, None  # a type that did not exist when this was written: it may admit anyone


def _is_discoverable(permission: Permission) -> bool:
    """Whether a search finds the file. Where Drive does not say, the id does: ``anyone``, not ``anyoneWithLink``."""
    discoverable = permission.allow_file_discovery
    return permission.type == "anyone" and permission.id == "anyone" if discoverable is None else discoverable


def _by(principal: Principal, ours: Audience, external: Audience) -> Audience | None:
    """None: it is not known whether the principal is one of ours."""
    if principal.affiliation is None:
        return None
    return ours if principal.affiliation is Affiliation.INTERNAL else external


def _access(permission: Permission, view: str) -> Access | None:
    """None: a role that did not exist when this was written."""
    if view in ("metadata", RESPONDENTS):
        return Access.LIST
    return _ACCESS.get(permission.role)


def _via(permission: Permission) -> Via | None:
    match permission.type:
        case "anyone" | "domain":
            return Via.LINK
        case "user" | "group":
            return Via.DIRECT
        case _:
            return None


def _ends(permission: Permission) -> datetime | None:
    """Only permissions of users and groups can expire."""
    return utc(permission.expiration_time) if permission.type in ("user", "group") else None


def _has_expired(permission: Permission, now: datetime) -> bool:
    """Drive keeps listing expired permissions for a while."""
    ends = _ends(permission)
    return ends is not None and ends <= now


def _group(permission: Permission, people: People) -> tuple[Principal, Audience | None]:
    principal = people.principal("group", permission.email_address)
    info = people.groups.get(principal.email)
    if info and info.external_members:
        return principal, Audience.NAMED_EXTERNAL
    if info and info.everyone:
        return principal, Audience.ORGANISATION
    if principal.affiliation is not Affiliation.INTERNAL:
        return principal, _by(principal, Audience.NAMED, Audience.NAMED_EXTERNAL)
    return principal, Audience.NAMED if info and not info.unread else None  # its members are not known


def _deleted(permission: Permission, people: People) -> tuple[Principal, Audience | None]:
    domain = permission.email_address.lower().rpartition("@")[2]
    affiliation = people.affiliation(domain) if domain else Affiliation.INTERNAL
    account = Principal(
        uid=uids.deleted(permission.id),
        platform=uids.PLATFORM,
        account=people.primary,
        kind=permission.type,
        name=permission.email_address or permission.id,
        affiliation=None,
        status="deleted",
    )
    if affiliation is None:
        return account, None
    return account, Audience.NAMED if affiliation is Affiliation.INTERNAL else Audience.NAMED_EXTERNAL


def _steps(
    permission: Permission, people: People, principal: Principal | None, audience: Audience | None, view: str
) -> Iterator[Reason]:
    """The explanation of a grant: whom it lets in, by which proof, to do what, and where that is written."""
    yield _who(permission, people, principal, audience)
    if evidence := _evidence(people, principal):
        yield evidence
    yield _may(permission, view)
    values = {"id": permission.id or "?", "type": permission.type or "?", "role": permission.role or "?"}
    yield step("drive-permission", **values)
    yield from _notes(permission, people)


def _who(permission: Permission, people: People, principal: Principal | None, audience: Audience | None) -> Reason:
    name = permission.email_address or permission.domain
    match audience:
        case Audience.ANYONE_DISCOVERABLE:
            return step("drive-anyone-discoverable")
        case Audience.ANYONE_WITH_LINK:
            return step("drive-anyone-with-link")
        case Audience.EXTERNAL_DOMAIN:
            return step("drive-external-domain", name=name)
        case Audience.ORGANISATION:
            found = permission.allow_file_discovery
            code = "drive-organisation-discoverable" if found else "drive-organisation"
            return step(code, name=name or people.primary)
        case Audience.NAMED_EXTERNAL if name:
            return step("drive-named-external", name=name)
        case None if principal and permission.type == "group" and principal.affiliation is Affiliation.INTERNAL:
            return step("drive-group-unread", name=name)
        case None if principal:
            return step("drive-perhaps-ours", name=name or principal.name)
        case None:
            return step("drive-nobody-named")
        case _ if name:
            return step("drive-named", name=name)
        case _:
            return step("drive-account-was-deleted")


def _evidence(people: People, principal: Principal | None) -> Reason | None:
    """Why a principal counts as one of ours, or as a guest; None: it does not, or it is no matter of proof."""
    if principal is None:
        return None
    if principal.detail.get("guest") == "true":
        return step("drive-guest", name=principal.email)
    if principal.affiliation is not Affiliation.INTERNAL:
        return None
    if principal.email in people.users or principal.email in people.groups:
        return step("drive-in-directory", name=principal.email)
    if principal.domain.endswith(AUDIENCE):
        return step("drive-target-audience")
    if principal.status == "no_account":
        return step("drive-no-account", name=principal.email, domain=principal.domain)
    return step("drive-our-domain", domain=principal.domain)


def _may(permission: Permission, view: str) -> Reason:
    if view == "metadata":
        return step("drive-may-see")
    if view == RESPONDENTS:
        return step("drive-may-fill-in")
    if view == PUBLISHED:
        return step("drive-may-read-published")
    known = _MAY.get(permission.role)
    return step(known) if known else step("drive-role-unknown", role=permission.role or "?")


def _notes(permission: Permission, people: People) -> Iterator[Reason]:
    address = permission.email_address.lower()
    group = people.groups.get(people.address_of(address)) if permission.type == "group" else None
    if group and group.external_members:
        yield step("drive-group-externals", count=group.external_members)
    if person := people.private.get(address):
        yield step("drive-private-account", person=person)
    if permission.deleted:
        yield step("drive-nobody-can-use-it")
    if permission.pending_owner:
        yield step("drive-pending-owner")
    if ends := _ends(permission):
        yield step("drive-ends", day=ends.date().isoformat())
