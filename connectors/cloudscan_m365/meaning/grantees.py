"""Whom a permission names: all the forms in which Microsoft writes one principal, weighed together.

One principal stands in up to two members (a newer one and its older form), in each as a user, a group, an application,
SharePoint's own user or group; any of these may be missing, empty or say less than the others. A form that says
nothing decides nothing. Where two forms name different principals, the wider one counts: nobody is ours unless nothing
says otherwise. Source: sharePointIdentitySet and sharingInvitation resources.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from cloudscan.facts import Affiliation, Audience, Principal
from cloudscan.text import domain_of
from cloudscan_m365.api.models import Identity, IdentitySet
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.logins import Login, Names, address_of, decoded, external_name, read
from cloudscan_m365.meaning.people import (
    EVERYONE,
    INSIDERS,
    DirectoryEntry,
    Grantee,
    GroupContents,
    People,
    SiteGroups,
    audience_of,
    audience_of_group,
    grantee_of_entry,
)

_NUMBER: Final = re.compile(r"(?:.*_)?(?P<number>\d+)")
_LINK_GROUP: Final = re.compile(r"SharingLinks\.[^.]+\.(?P<kind>[A-Za-z]+)\.[^.]+", re.IGNORECASE)
_LINK_KINDS: Final = (("anonymous", Audience.ANYONE_WITH_LINK), ("organization", Audience.ORGANISATION))
"""Each link has a hidden group of its site, whose name says for whom the link is (recorded in public scripts)."""

_ADMINISTRATORS: Final = frozenset(
    {"company administrator", "global administrator", "sharepoint service administrator", "sharepoint administrator"}
)
"""Roles of the directory that SharePoint knows by a claim, with names in English everywhere (scripts of pnp)."""

_CLAIMS: Final = {Names.EVERYONE: EVERYONE, Names.INSIDERS: INSIDERS}


@dataclass(frozen=True, kw_only=True)
class _Evidence:
    """What one form says: somebody, or that it may be anyone (None)."""

    grantee: Grantee | None
    sure: bool = True  # not only for want of anything better


def grantee_of(
    people: People,
    forms: IdentitySet | Sequence[IdentitySet],
    groups: SiteGroups,
    invited: Sequence[str] = (),
) -> Grantee | None:
    """The principal that a permission names. None where this version cannot tell who that is.

    `forms` are all that are written of the one principal, `invited` the addresses of an invitation for it.
    """
    written = [form for one in ([forms] if isinstance(forms, IdentitySet) else forms) for form in one.forms]
    sets = [forms] if isinstance(forms, IdentitySet) else list(forms)
    evidence = [*_by_site_group(people, sets, groups), *_by_login(people, written), *_by_id(people, sets)]
    sure = [one.grantee for one in evidence if one.sure and one.grantee is not None]
    accounts = [grantee for grantee in sure if grantee.principal.kind in ("user", "guest")]
    anchored = [grantee for grantee in accounts if grantee.principal.status != "deleted"]
    evidence += _by_address(people, sets, known=bool(anchored))
    evidence += _by_invitation(people, invited, anchored)
    if not any(one.sure for one in evidence):
        evidence += _by_name(people, written)
        evidence += _without_entry(people, sets)
    return _widest([one for one in evidence if one.sure] or evidence)


def _widest(evidence: Sequence[_Evidence]) -> Grantee | None:
    """The one who reaches furthest; None where a form may be anyone, unless another one is as wide as that already."""
    named = [one.grantee for one in evidence if one.grantee is not None]
    if not named:
        return None
    widest = max(named, key=width)
    doubtful = len(named) < len(evidence)
    return None if doubtful and (widest.audience is None or widest.audience < Audience.ORGANISATION) else widest


def width(grantee: Grantee) -> tuple[float, bool]:
    """Unknown is wider than external people, and less wide than everyone of ours."""
    audience = grantee.audience
    rung = Audience.NAMED_EXTERNAL.rung + 0.5 if audience is None else float(audience.rung)
    return rung, grantee.principal.status != "deleted"


def _by_site_group(people: People, sets: Sequence[IdentitySet], groups: SiteGroups) -> Iterator[_Evidence]:
    for one in sets:
        # The newer form first: a number of the older one means nothing outside its site.
        if group := one.share_point_group or one.site_group:
            yield _Evidence(grantee=_site_group(people, group, groups))


def _site_group(people: People, group: Identity, groups: SiteGroups) -> Grantee:
    title = group.title or group.display_name or group.login_name or ""
    identity = str(group.principal_id or group.id or "")
    match = _NUMBER.fullmatch(identity)
    number = match["number"] if match else groups.numbers.get(title.strip().lower(), identity or title)
    contents = None if groups.contents is None else groups.contents.get(number)
    principal = people.site_group(groups.site, number, title or number, contents)
    # Whether it comes from the site or from here decides who has to act: neither is guessed.
    audience = audience_of_group(contents) if contents and groups.origins_known else None
    return Grantee(
        principal=principal,
        audience=_of_link_group(group) or audience,
        claim=contents.claim if contents else "",
        is_site_group=True,
        contents=contents,
    )


def _of_link_group(group: Identity) -> Audience | None:
    """Whom the link admits whose hidden group this is; None for another group, and for a link for people."""
    for name in (group.login_name, group.title, group.display_name):
        if match := _LINK_GROUP.fullmatch(name or ""):
            kind = match["kind"].lower()
            return next((audience for begin, audience in _LINK_KINDS if kind.startswith(begin)), None)
    return None


def _by_login(people: People, forms: Sequence[Identity]) -> Iterator[_Evidence]:
    for form in forms:
        login = read(form.login_name)
        title = form.display_name or form.title or ""
        match login.names:
            case Names.NOTHING | Names.SOMEBODY:
                continue
            case Names.EVERYONE | Names.INSIDERS:
                claim = _CLAIMS[login.names]
                everyone = Grantee(principal=people.claim(claim), audience=Audience.ORGANISATION, claim=claim)
                yield _Evidence(grantee=everyone)
            case Names.ANYONE:
                yield _Evidence(grantee=Grantee(principal=people.anyone(), audience=Audience.ANYONE_WITH_LINK))
            case Names.GUEST:
                address = address_of(login.value)
                yield _Evidence(grantee=people.outside(address, "" if address else login.value))
            case Names.ACCOUNT:
                yield from _account(people, login.value)
            case Names.GROUP | Names.OWNERS | Names.ROLE:
                yield _group(people, login, title)
            case Names.APPLICATION:
                yield _Evidence(grantee=_application(people, login.value, form))
            case Names.SYSTEM:
                system = people.stand_in(uids.application("sharepoint"), "system", name="SharePoint", status="active")
                yield _Evidence(grantee=Grantee(principal=system, audience=Audience.NAMED))
            case Names.UNKNOWN:
                yield _Evidence(grantee=None)


def _account(people: People, name: str) -> Iterator[_Evidence]:
    """The account with a user principal name."""
    if entry := people.find(name):
        yield _Evidence(grantee=grantee_of_entry(entry))
        return
    external = external_name(name)
    if external is not None:
        grantee = people.outside(external, name)
        # Where the directory was read, such an account would be in it, unless it was deleted.
        if people.complete and "@" not in name.partition("#")[0] and not people.includes(grantee.principal):
            gone = msgspec.structs.replace(grantee.principal, uid=uids.deleted(name), status="deleted")
            grantee = Grantee(principal=gone, audience=grantee.audience)
        yield _Evidence(grantee=grantee)
    elif address_of(name) and not people.is_ours(domain_of(name)):
        grantee = people.by_email(name)
        yield _Evidence(grantee=grantee, sure=grantee.audience is not None)
    elif people.is_ours(domain_of(name)):
        # A name may have changed since: another form decides, if there is one.
        yield _Evidence(grantee=_gone(people, "user", name), sure=False)


def _gone(people: People, kind: str, name: str) -> Grantee:
    """Somebody of ours whom the directory lacks: deleted where it was read, unknown where it was not."""
    if people.complete:
        affiliation = Affiliation.INTERNAL if people.is_ours(domain_of(name)) else None
        principal = people.stand_in(uids.deleted(name), kind, status="deleted", affiliation=affiliation)
        return Grantee(principal=principal, audience=Audience.NAMED)
    uid = uids.group(name) if kind == "group" else uids.user(name)
    return Grantee(principal=people.stand_in(uid, kind), audience=None)


def _group(people: People, login: Login, title: str) -> _Evidence:
    """A group of the directory, its owners alone, or a role of administrators."""
    if entry := people.find(login.value) if login.value else None:
        return _Evidence(grantee=_owners_of(people, entry) if login.names is Names.OWNERS else grantee_of_entry(entry))
    if people.complete and title.strip().lower() in _ADMINISTRATORS and not people.has_group_called(title):
        uid = uids.role(title.strip().lower().replace(" ", "-"))
        role = people.stand_in(uid, "role", name=title.strip(), status="active", affiliation=Affiliation.INTERNAL)
        return _Evidence(grantee=Grantee(principal=role, audience=Audience.NAMED))
    if login.names is Names.ROLE:
        return _Evidence(grantee=None)
    return _Evidence(grantee=_gone(people, "group", login.value), sure=False)


def _owners_of(people: People, entry: DirectoryEntry) -> Grantee:
    """The owners of a Microsoft 365 group. The owners that are known are the active ones."""
    owners = [people.find(uid.rpartition("/")[2]) for uid in entry.owners or ()]
    affiliations = [owner.principal.affiliation if owner is not None else None for owner in owners]
    outside = (Affiliation.EXTERNAL, Affiliation.PARTNER)
    contents = GroupContents(
        externals=sum(affiliation in outside for affiliation in affiliations),
        known=entry.owners is not None and None not in affiliations,
    )
    return Grantee(principal=entry.principal, audience=audience_of_group(contents), contents=contents)


def _by_id(people: People, sets: Sequence[IdentitySet]) -> Iterator[_Evidence]:
    """The entries of the directory with these ids; the older form calls a group or an application a user too."""
    for one in sets:
        for form in (one.user, one.group, one.application):
            if form is not None and form.id and (entry := people.find(str(form.id))):
                yield _Evidence(grantee=grantee_of_entry(entry))
        application = one.application
        if application is not None and application.id and people.find(str(application.id)) is None:
            yield _Evidence(grantee=_application(people, str(application.id), application))


def _application(people: People, identity: str, form: Identity) -> Grantee:
    if (entry := people.find(identity)) is not None:
        return grantee_of_entry(entry)
    name = form.display_name or identity
    principal = people.stand_in(uids.application(identity), "service", name=name, status="active")
    return Grantee(principal=principal, audience=Audience.NAMED)


def _by_address(people: People, sets: Sequence[IdentitySet], *, known: bool) -> Iterator[_Evidence]:
    """What mail addresses and names say. Where another form is `known`, only what cannot be the same principal."""
    for one in sets:
        for form in (one.user, one.site_user, one.group):
            for text in (form.email, form.user_principal_name, str(form.id or "")) if form is not None else ():
                name = decoded(text).lower()
                if "@" not in name and "#" not in name:
                    continue  # an id, or nothing
                if entry := people.find(name):
                    yield _Evidence(grantee=grantee_of_entry(entry))
                elif external_name(name) is not None:
                    yield _Evidence(grantee=people.by_email(name))
                elif not known and address_of(name) and not people.is_ours(domain_of(address_of(name))):
                    grantee = people.by_email(name)
                    yield _Evidence(grantee=grantee, sure=grantee.audience is not None)


def _by_invitation(people: People, invited: Sequence[str], anchored: Sequence[Grantee]) -> Iterator[_Evidence]:
    """What an invitation says. One that went to somebody else than who has the permission leaves that in doubt."""
    for address in invited:
        grantee = people.by_email(address)
        if not anchored:
            yield _Evidence(grantee=grantee)
        elif _is_external(grantee) and not any(map(_is_external, anchored)):
            yield _Evidence(grantee=None)


def _is_external(grantee: Grantee) -> bool:
    return grantee.audience is None or grantee.audience >= Audience.NAMED_EXTERNAL


def _by_name(people: People, forms: Sequence[Identity]) -> Iterator[_Evidence]:
    """Names of people that are addresses of external ones. A name proves nothing else: people choose it."""
    for form in forms:
        name = decoded(form.display_name).lower()
        address = address_of(name)
        if external_name(name) is not None or (address and not people.is_ours(domain_of(address))):
            grantee = people.by_email(name)
            yield _Evidence(grantee=grantee, sure=grantee.audience is not None)


def _without_entry(people: People, sets: Sequence[IdentitySet]) -> Iterator[_Evidence]:
    """Principals that the directory lacks: of another tenant, deleted since, or it was not read.

    Who is named without an address may be anyone.
    """
    for one in sets:
        if (group := one.group) is not None and group.id:
            principal = people.stand_in(uids.group(str(group.id)), "group")
            yield _Evidence(grantee=Grantee(principal=principal, audience=None), sure=False)
        if (user := one.user) is not None and (user.id or user.email):
            yield _Evidence(grantee=_unlisted(people, user), sure=False)
        user = one.site_user
        if user is not None and user.email and read(user.login_name).names is Names.NOTHING:
            yield _Evidence(grantee=_unlisted(people, user), sure=False)


def _unlisted(people: People, user: Identity) -> Grantee:
    """An account by its id or address alone."""
    email = address_of(user.email)
    principal = people.stand_in(uids.user(str(user.id or email)), "user", email=email)
    if people.complete and people.is_ours(principal.domain):  # a domain that was verified, and no guest's address
        ours: Principal = msgspec.structs.replace(principal, affiliation=Affiliation.INTERNAL, status="active")
        return Grantee(principal=ours, audience=audience_of(ours))
    return Grantee(principal=principal, audience=None)
