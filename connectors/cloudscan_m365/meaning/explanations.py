"""The steps that lead from a permission to a verdict, as codes whose words stand in the catalogues."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from cloudscan.facts import NEVER, Access, Affiliation, Audience
from cloudscan.reason import Reason
from cloudscan_m365.api.models import Permission, SharingLink
from cloudscan_m365.meaning.people import EVERYONE, Grantee

_CAN: Final[Mapping[Access | None, str]] = {
    None: "reach",
    Access.LIST: "see",
    Access.READ: "read",
    Access.WRITE: "change",
    Access.MANAGE: "manage",
}
_NAMED_MOST = 3  # people whom a step names
SUBJECTS: Final = ("anyone", "organisation", "everyone", "somebody", "nobody-yet", "named", "external", "many")
"""Who gets in by a grant, as the middle of a step's code: ``graph-anyone-can-read``."""

ACTIONS: Final = tuple(_CAN.values())


def chain(
    subject: Reason, access: Access | None, expires: datetime | None, notes: Iterable[Reason]
) -> Sequence[Reason]:
    """The steps, from what is true to what it rests on. The code of `subject` is one of `SUBJECTS`."""
    steps = [Reason(code=f"graph-{subject.code}-can-{_CAN[access]}", values=subject.values), *notes]
    if expires is not None and expires != NEVER:
        steps.append(Reason(code="graph-expires", values={"day": expires.date().isoformat()}))
    return steps


def subject_of_link(audience: Audience | None, scope: str, grantees: Sequence[Grantee]) -> Reason:
    """Who gets in by a link."""
    if audience is Audience.ANYONE_WITH_LINK:
        return Reason(code="anyone")
    if scope == "organization":
        return Reason(code="organisation")
    if audience is None:
        return Reason(code="somebody")
    if not grantees:
        return Reason(code="nobody-yet")
    names = ", ".join(grantee.principal.email or grantee.principal.name for grantee in grantees[:_NAMED_MOST])
    more = len(grantees) - _NAMED_MOST
    if more > 0:
        return Reason(code="many", values={"names": names, "count": more})
    return Reason(code="named", values={"names": names})


def subject_of_role(grantee: Grantee | None, audience: Audience | None, grantees: Sequence[Grantee]) -> Reason:
    """Who was granted a role: `grantee`, if it is one principal; otherwise `grantees`."""
    if (
        audience is not None
        and audience >= Audience.ANYONE_WITH_LINK
        and (grantee is None or grantee.audience == audience)
    ):
        return Reason(code="anyone")
    if audience is None or (grantee is not None and grantee.audience is None):
        return Reason(code="somebody")
    if grantee is None:
        return subject_of_link(audience, "", grantees)
    if grantee.claim and grantee.principal.kind == "claim":
        return Reason(code="everyone" if grantee.claim == EVERYONE else "organisation")
    external = grantee.principal.affiliation in (Affiliation.EXTERNAL, Affiliation.PARTNER)
    names = grantee.principal.email or grantee.principal.name
    return Reason(code="external" if external else "named", values={"names": names})


def notes_on_link(permission: Permission, link: SharingLink, blocked_by: str) -> Iterator[Reason]:
    """What the verdict on a link rests on."""
    yield Reason(code="graph-link-type", values={"type": link.type or "?"})
    if permission.has_password:
        yield Reason(code="graph-link-password")
    if link.prevents_download:
        yield Reason(code="graph-link-no-download")
    yield from notes_on_block(blocked_by)


def notes_on_role(permission: Permission, grantee: Grantee | None, blocked_by: str) -> Iterator[Reason]:
    """What the verdict on a role rests on."""
    yield Reason(code="graph-role", values={"role": ", ".join(role for role in permission.roles or () if role)})
    if grantee and grantee.principal.kind in ("group", "site_group"):
        if grantee.claim:
            yield Reason(code="graph-group-has-everyone")
        if grantee.contents and grantee.contents.externals:
            yield Reason(code="graph-group-has-externals", values={"count": grantee.contents.externals})
        if grantee.contents is None or not grantee.contents.known:
            yield Reason(code="graph-group-not-known", values={"name": grantee.principal.name})
    elif grantee and grantee.principal.affiliation is Affiliation.INTERNAL and grantee.principal.kind == "user":
        yield Reason(code="graph-in-directory", values={"name": grantee.principal.email or grantee.principal.name})
    yield from notes_on_block(blocked_by)


def notes_on_invitation(*, without_sign_in: bool) -> Iterator[Reason]:
    """What the verdict on an invitation rests on that was not accepted yet."""
    yield Reason(code="graph-invitation-waits")
    if without_sign_in:
        yield Reason(code="graph-invitation-without-sign-in")


def notes_on_block(blocked_by: str) -> Iterator[Reason]:
    """What keeps a grant from being effective; nothing where `blocked_by` is empty."""
    if blocked_by:
        yield Reason(code=f"{blocked_by}-blocks")
