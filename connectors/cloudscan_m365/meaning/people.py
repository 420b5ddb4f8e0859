"""Who is who: our own people, groups and applications, guests, strangers, and the claims that mean everybody.

`People` is what is known when a permission is read. The directory fills it (`directory`); nothing here asks anybody.
Sources: sharePointIdentitySet resource; claims as recorded in public code of pnp/pnpcore.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from cloudscan.connector import Estate
from cloudscan.facts import Access, Affiliation, Audience, Principal
from cloudscan.text import CONSUMER, domain_of
from cloudscan_m365.api.models import Identity, IdentitySet
from cloudscan_m365.meaning import uids

EVERYONE, INSIDERS = "everyone", "insiders"
_CLAIM_NAMES = {
    EVERYONE: ("everyone", "Everyone"),
    INSIDERS: ("everyone-except-external", "Everyone except external users"),
}
_MEMBER = re.compile(r"i:0[^|]*\.f\|membership\|(?P<name>.+)", re.IGNORECASE)
_PASSCODE = re.compile(r"urn:spo:guest#(?P<mail>.+)", re.IGNORECASE)
_FOREIGN = re.compile(r"(?P<mail>[^|]+)#ext#@[^|]+", re.IGNORECASE)
_GROUP = re.compile(r"c:0.\.c\|(?:tenant|federateddirectoryclaimprovider)\|(?P<id>[0-9a-f-]{36})(?:_o)?", re.IGNORECASE)
_APPLICATION = re.compile(r"i:0i\.t\|[^|]+\|(?P<id>[0-9a-f-]{36})@.*", re.IGNORECASE)
_BLOCKS = {"suspended": "the account is disabled", "deleted": "the account is deleted"}


@dataclass(frozen=True, kw_only=True)
class GroupContents:
    """What a group lets in beside colleagues, members of members too."""

    outsiders: int = 0
    everybody: bool = False  # a dynamic group of all of us
    claim: str = ""  # EVERYONE or INSIDERS, where that is a member


@dataclass(frozen=True, kw_only=True)
class Known:
    """Somebody of whom the directory tells."""

    principal: Principal
    holds: GroupContents | None = GroupContents()  # of a group; None: its members could not be read
    owners: tuple[str, ...] = ()  # of a group: uids of those who are still there


@dataclass(frozen=True, kw_only=True)
class SiteGroups:
    """The groups of one site collection, as far as SharePoint's own API lets us see them."""

    site: str = ""  # the collection's guid
    holds: Mapping[str, GroupContents] | None = None  # by number; None: could not be read
    at_site: frozenset[tuple[str, Access]] = frozenset()  # numbers, and what each may do at the top of the site
    origin: str = ""  # the uid of the site where that was given, which may be one above

    @property
    def let_others_in(self) -> bool:
        """Whether a group holds more than named colleagues."""
        return any(each.outsiders or each.everybody or each.claim for each in (self.holds or {}).values())


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """Whom a permission names, and whom it lets in by that."""

    principal: Principal
    audience: Audience | None
    claim: str = ""
    is_site_group: bool = False
    holds: GroupContents | None = None  # groups; None: not known, or not a group

    @property
    def blocked_by(self) -> str:
        return _BLOCKS.get(self.principal.status or "", "")


@dataclass(frozen=True, kw_only=True)
class People:
    """The tenant's directory, ready to be looked up. Mail addresses, UPNs and domains are in lower case."""

    estate: Estate
    tenant: str = ""  # its id
    primary: str = ""  # its first domain, the account of every fact
    domains: frozenset[str] = frozenset()
    known: Mapping[str, Known] = field(default_factory=dict)  # users, guests, groups, applications by object id
    names: Mapping[str, str] = field(default_factory=dict)  # mail, UPN, an application's id: object id
    complete: bool = True  # users and groups could be read: whoever is not among them is not there any more

    def is_ours(self, domain: str) -> bool:
        return domain in self.domains or domain in self.estate.domains

    def affiliation(self, domain: str) -> Affiliation:
        """Where a mail domain belongs."""
        if self.is_ours(domain):
            return Affiliation.INTERNAL
        return Affiliation.PARTNER if self.estate.partner_of(domain) else Affiliation.EXTERNAL

    def find(self, identity_or_name: str) -> Known | None:
        """Somebody in the directory, by object id, mail address, UPN or application id."""
        key = identity_or_name.lower()
        return self.known.get(self.names.get(key, key))

    def are_told(self, principal: Principal) -> bool:
        """Whether the directory tells of somebody; libraries then need not."""
        return principal.uid.rpartition("/")[2] in self.known

    def who(self, named: IdentitySet, groups: SiteGroups) -> Recipient | None:
        """Whom a permission names. None where it names nobody whom this version can tell."""
        if group := named.share_point_group or named.site_group:
            return self._site_group(group, groups)
        login = unquote((named.site_user and named.site_user.login_name) or "")
        if claim := _claim(login):
            return Recipient(principal=self.claim(claim), audience=Audience.ORGANISATION, claim=claim)
        for one in (named.user, named.group, named.application):
            if one and one.id and (known := self.find(one.id)):
                return _who(known)
        return self._by_login(login) or self._by_mail(named) or self._unknown(named, login)

    def claim(self, claim: str) -> Principal:
        """The principal that Everyone, or Everyone except external users, is."""
        slug, name = _CLAIM_NAMES[claim]
        return Principal(
            uid=uids.claim(slug, self.tenant),
            platform=uids.PLATFORM,
            account=self.primary,
            kind="claim",
            name=name,
            affiliation=Affiliation.INTERNAL,
            status="active",
        )

    def site_group(self, site: str, number: str, title: str, holds: GroupContents | None) -> Principal:
        """A group of a site. `holds` is None where its members could not be read."""
        return Principal(
            uid=uids.site_group(site, number),
            platform=uids.PLATFORM,
            account=self.primary,
            kind="site_group",
            name=title,
            affiliation=Affiliation.INTERNAL,
            status="active",
            detail={} if holds is None else {"outsiders": str(holds.outsiders)},
        )

    def outsider(self, mail: str) -> Principal:
        """Somebody without an object in our directory. Strangers choose their display names: not used."""
        domain = domain_of(mail)
        partner = self.estate.partner_of(domain)
        detail = {
            "consumer": "true" if domain in CONSUMER else "",
            "partner": partner.name if partner else "",
            "contract_ends": partner.contract_ends.isoformat() if partner and partner.contract_ends else "",
        }
        return Principal(
            uid=uids.outsider(mail),
            platform=uids.PLATFORM,
            account=self.primary,
            kind="user",
            email=mail.lower(),
            domain=domain,
            name=mail.lower(),
            affiliation=self.affiliation(domain),
            status="active",
            detail={name: value for name, value in detail.items() if value},
        )

    def by_mail(self, mail: str) -> Recipient:
        """Whoever has an address: one of the directory, or an outsider."""
        if known := self.find(mail):
            return _who(known)
        principal = self.outsider(mail)
        return Recipient(principal=principal, audience=_audience(principal))

    def _site_group(self, group: Identity, groups: SiteGroups) -> Recipient:
        number = group.principal_id or group.id or group.title or ""
        holds = None if groups.holds is None else groups.holds.get(number, GroupContents())
        title = group.title or group.display_name or number
        principal = self.site_group(groups.site, number, title, holds)
        # Whom a group lets in whose members nobody shows is a gap of its site, not of every file in it.
        return Recipient(
            principal=principal,
            audience=_of_group(holds or GroupContents()),
            claim=holds.claim if holds else "",
            is_site_group=True,
            holds=holds,
        )

    def _by_login(self, login: str) -> Recipient | None:
        if match := _MEMBER.fullmatch(login):
            name = match["name"]
            if passcode := _PASSCODE.fullmatch(name):
                return self.by_mail(passcode["mail"])
            if known := self.find(name):
                return _who(known)
            if foreign := _FOREIGN.fullmatch(name):
                return self.by_mail(foreign["mail"]) if "@" in foreign["mail"] else None
            return None
        if (match := _GROUP.fullmatch(login) or _APPLICATION.fullmatch(login)) and (known := self.find(match["id"])):
            return _who(known)
        return None

    def _by_mail(self, named: IdentitySet) -> Recipient | None:
        for one in (named.user, named.site_user):
            mail = (one and one.email) or ""
            if mail and (self.find(mail) or not self.is_ours(domain_of(mail))):
                return self.by_mail(mail)
        return None

    def _unknown(self, named: IdentitySet, login: str) -> Recipient | None:
        """Somebody whom the directory does not have: of another tenant, or gone since, or it could not be read.

        Whoever Microsoft still calls a user or an application is there somewhere; of who was deleted, SharePoint alone
        remembers the claim.
        """
        if (one := named.application) and one.id:
            return Recipient(
                principal=self._unlisted(uids.application(one.id), "service", one, "active"), audience=Audience.NAMED
            )
        if (one := named.group) and one.id:
            return Recipient(principal=self._unlisted(uids.group(one.id), "group", one, None), audience=None)
        if (one := named.user) and (one.id or one.email):
            ours = self.is_ours(domain_of(one.email or "")) or not self.complete
            principal = self._unlisted(uids.user(one.id or one.email or ""), "user", one, "active", ours=ours)
            return Recipient(principal=principal, audience=Audience.NAMED if ours else Audience.NAMED_EXTERNAL)
        kind, name = "user", ""
        if member := _MEMBER.fullmatch(login):
            name = member["name"]
        elif group := _GROUP.fullmatch(login):
            kind, name = "group", group["id"]
        elif named.site_user and named.site_user.email:
            name = named.site_user.email
        if not name or named.site_user is None:
            return None  # a claim that did not exist when this was written: it may admit anybody
        if self.complete:
            principal = self._unlisted(uids.deleted(name), kind, named.site_user, "deleted")
            return Recipient(principal=principal, audience=Audience.NAMED)
        uid = uids.group(name) if kind == "group" else uids.user(name)
        audience = None if kind == "group" else Audience.NAMED
        return Recipient(principal=self._unlisted(uid, kind, named.site_user, None), audience=audience)

    def _unlisted(self, uid: str, kind: str, one: Identity, status: str | None, *, ours: bool = True) -> Principal:
        mail = (one.email or "").lower()
        affiliation = None if kind == "service" else Affiliation.INTERNAL if ours else Affiliation.EXTERNAL
        return Principal(
            uid=uid,
            platform=uids.PLATFORM,
            account=self.primary,
            kind=kind,
            email=mail,
            domain=domain_of(mail),
            name=mail or (f"deleted {kind}" if status == "deleted" else uid.rpartition("/")[2]),
            affiliation=affiliation,
            status=status,
        )


def _who(known: Known) -> Recipient:
    principal = known.principal
    if principal.kind == "group":
        if known.holds is None:
            return Recipient(principal=principal, audience=None)
        return Recipient(
            principal=principal, audience=_of_group(known.holds), claim=known.holds.claim, holds=known.holds
        )
    return Recipient(principal=principal, audience=_audience(principal))


def _audience(principal: Principal) -> Audience:
    ours = principal.affiliation in (Affiliation.INTERNAL, None)
    return Audience.NAMED if ours else Audience.NAMED_EXTERNAL


def _of_group(holds: GroupContents) -> Audience:
    if holds.claim or holds.everybody:
        return Audience.ORGANISATION
    return Audience.NAMED_EXTERNAL if holds.outsiders else Audience.NAMED


def _claim(login: str) -> str:
    """Which of the claims that mean everybody it is, if any. Titles are localised, claims are not."""
    low = login.lower()
    if low == "c:0(.s|true" or low in ("c:0!.s|windows", "c:0!.s|forms:membership"):
        return EVERYONE
    return INSIDERS if "|spo-grid-all-users" in low else ""
