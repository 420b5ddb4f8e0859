"""Who is who: our own people, groups and applications, guests, external people, and the claims that mean everyone.

`People` is what is known when a permission is read. The directory fills it (`directory`); nothing here sends a request.
Sources: sharePointIdentitySet resource; claims as recorded in public code of pnp/pnpcore.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

import msgspec

from cloudscan.connector import Estate
from cloudscan.facts import Access, Affiliation, Audience, Principal
from cloudscan.text import CONSUMER, domain_of
from cloudscan_m365.api.models import Identity, IdentitySet
from cloudscan_m365.meaning import uids

EVERYONE, INSIDERS, NO_CLAIM = "everyone", "insiders", "none"
_CLAIM_NAMES = {
    EVERYONE: ("everyone", "Everyone"),
    INSIDERS: ("everyone-except-external", "Everyone except external users"),
}
_MEMBER = re.compile(r"i:0[^|]*\.f\|membership\|(?P<name>.+)", re.IGNORECASE)
_PASSCODE = re.compile(r"urn:spo:guest#(?P<mail>.+)", re.IGNORECASE)
_EXTERNAL = re.compile(r"(?P<mail>[^|]+)#ext#@[^|]+", re.IGNORECASE)
_GROUP = re.compile(r"c:0.\.c\|(?:tenant|federateddirectoryclaimprovider)\|(?P<id>[0-9a-f-]{36})(?:_o)?", re.IGNORECASE)
_APPLICATION = re.compile(r"i:0i\.t\|[^|]+\|(?P<id>[0-9a-f-]{36})@.*", re.IGNORECASE)
_ANONYMOUS = re.compile(r"urn:spo:anon#.*", re.IGNORECASE)
_NUMBER = re.compile(r"(?:.*_)?(?P<number>\d+)")
_BLOCKS = {"suspended": "graph-account-disabled", "deleted": "graph-account-deleted"}


@dataclass(frozen=True, kw_only=True)
class GroupContents:
    """Who is in a group beside named colleagues, nested groups included."""

    externals: int = 0  # how many people are guests, partners or other external people
    whole_organisation: bool = False  # a dynamic group of all our own people
    claim: str = ""  # EVERYONE or INSIDERS, where that is a member
    known: bool = True  # all members could be told


@dataclass(frozen=True, kw_only=True)
class DirectoryEntry:
    """A user, guest, group or application of the directory."""

    principal: Principal
    contents: GroupContents | None = GroupContents()  # of a group; None: its members could not be read
    owners: tuple[str, ...] | None = ()  # of a group: uids of its active owners; None: could not be read


@dataclass(frozen=True, kw_only=True)
class SiteGroups:
    """The groups of one site collection, as far as SharePoint's own API shows them."""

    site: str = ""  # the collection's guid
    contents: Mapping[str, GroupContents] | None = None  # by the groups' numbers; None: could not be read
    at_site: frozenset[tuple[str, Access]] = frozenset()  # group numbers with their access at the top of the site
    origin: str = ""  # the uid of the site where that was granted, which may be the one above
    origins_known: bool = True  # what was granted at the top of the site could be read

    @property
    def reach_beyond_colleagues(self) -> bool:
        """Whether a group contains more than named colleagues, or may."""
        if self.contents is None:
            return False
        return any(_audience_of_group(group) is not Audience.NAMED for group in self.contents.values())


@dataclass(frozen=True, kw_only=True)
class Grantee:
    """The principal that a permission names, and the audience that gets in by it."""

    principal: Principal
    audience: Audience | None
    claim: str = ""
    is_site_group: bool = False
    contents: GroupContents | None = None  # of a group; None: unknown, or not a group

    @property
    def blocked_by(self) -> str:
        """Why the principal cannot use what was granted; empty where it can."""
        return _BLOCKS.get(self.principal.status or "", "")


@dataclass(frozen=True, kw_only=True)
class People:
    """The tenant's directory, ready for lookups. Mail addresses, UPNs and domains are in lower case."""

    estate: Estate
    tenant_id: str = ""
    primary: str = ""  # the tenant's default domain, which is the account of every fact
    domains: frozenset[str] = frozenset()
    entries: Mapping[str, DirectoryEntry] = field(default_factory=dict)  # by object id
    names: Mapping[str, str] = field(default_factory=dict)  # mail address, UPN or an application's id → object id
    complete: bool = True  # users and groups could be read: one that is not among them does not exist any more
    domains_read: bool = True  # a domain that is not among them is not the tenant's

    def is_ours(self, domain: str) -> bool:
        """Whether a mail domain belongs to the tenant or to the configured estate."""
        return domain in self.domains or domain in self.estate.domains

    def affiliation(self, domain: str) -> Affiliation | None:
        """Where a mail domain belongs; None: it may be one of the tenant's, whose domains could not be read."""
        if self.is_ours(domain):
            return Affiliation.INTERNAL
        if self.estate.partner_of(domain):
            return Affiliation.PARTNER
        return Affiliation.EXTERNAL if domain and (self.domains_read or domain in CONSUMER) else None

    def find(self, identity_or_name: str) -> DirectoryEntry | None:
        """An entry of the directory by object id, mail address, UPN or application id."""
        key = identity_or_name.lower()
        return self.entries.get(self.names.get(key, key))

    def includes(self, principal: Principal) -> bool:
        """Whether the directory's scope reports a principal; libraries then need not."""
        return principal.uid.rpartition("/")[2] in self.entries

    def grantee(self, identity: IdentitySet, groups: SiteGroups, invited: str = "") -> Grantee | None:
        """The principal that a permission names. None where this version cannot identify any.

        `invited` is the mail address to which an invitation for it was sent.
        """
        if group := identity.share_point_group or identity.site_group:
            return self._site_group(group, groups)
        login = unquote((identity.site_user and identity.site_user.login_name) or "")
        if claim := _claim(login):
            return Grantee(principal=self.claim(claim), audience=Audience.ORGANISATION, claim=claim)
        for candidate in (identity.user, identity.group, identity.application):
            if candidate and candidate.id and (entry := self.find(candidate.id)):
                return _grantee(entry)
        if invited:
            return self.by_email(invited)
        return self._by_login(login) or self._by_email(identity) or self._unlisted(identity, login)

    def claim(self, claim: str) -> Principal:
        """The principal for Everyone, or for Everyone except external users."""
        slug, name = _CLAIM_NAMES[claim]
        return Principal(
            uid=uids.claim(slug, self.tenant_id),
            platform=uids.PLATFORM,
            account=self.primary,
            kind="claim",
            name=name,
            affiliation=Affiliation.INTERNAL,
            status="active",
        )

    def site_group(self, site: str, number: str, title: str, contents: GroupContents | None) -> Principal:
        """A group of a site. `contents` is None where its members could not be read."""
        return Principal(
            uid=uids.site_group(site, number),
            platform=uids.PLATFORM,
            account=self.primary,
            kind="site_group",
            name=title,
            affiliation=Affiliation.INTERNAL,
            status="active",
            detail={"externals": str(contents.externals)} if contents and contents.known else {},
        )

    def external_user(self, email: str) -> Principal:
        """A person without an object in our directory. External people choose their display names: not used."""
        domain = domain_of(email)
        partner = self.estate.partner_of(domain)
        ends: dict[str, str] = {}
        detail = {
            "external_member": "false",  # that is an account of the directory
            "consumer": "true" if domain in CONSUMER else "false" if domain else "",
            "partner": partner.name if partner else "",
        }
        if partner:  # empty: no end is recorded
            ends["contract_ends"] = partner.contract_ends.isoformat() if partner.contract_ends else ""
        return Principal(
            uid=uids.external_user(email),
            platform=uids.PLATFORM,
            account=self.primary,
            kind="user",
            email=email.lower(),
            domain=domain,
            name=email.lower(),
            affiliation=self.affiliation(domain),
            status="active",
            detail={**{name: value for name, value in detail.items() if value}, **ends},
        )

    def by_email(self, email: str) -> Grantee:
        """The owner of a mail address: an entry of the directory, or an external user."""
        external = _EXTERNAL.fullmatch(email)
        address = _decoded(external["mail"]) if external else email
        if entry := self.find(email) or self.find(address):
            return _grantee(entry)
        email = address
        principal = self.external_user(email)
        if principal.affiliation is Affiliation.INTERNAL and not self.complete:
            # An address of ours, but the directory was not read: it may be a guest's.
            principal = msgspec.structs.replace(principal, affiliation=None, status=None)
        return Grantee(principal=principal, audience=_audience(principal))

    def _site_group(self, group: Identity, groups: SiteGroups) -> Grantee:
        identity = group.principal_id or group.id or ""
        match = _NUMBER.fullmatch(identity)
        number = match["number"] if match else identity or group.title or ""
        contents = None if groups.contents is None else groups.contents.get(number)
        title = group.title or group.display_name or number
        principal = self.site_group(groups.site, number, title, contents)
        return Grantee(
            principal=principal,
            # Whether it comes from the site or from here decides who has to act: neither is guessed.
            audience=_audience_of_group(contents) if contents and groups.origins_known else None,
            claim=contents.claim if contents else "",
            is_site_group=True,
            contents=contents,
        )

    def _by_login(self, login: str) -> Grantee | None:
        if match := _MEMBER.fullmatch(login):
            name = match["name"]
            if passcode := _PASSCODE.fullmatch(name):
                return self.by_email(passcode["mail"])
            if entry := self.find(name):
                return _grantee(entry)
            external = _EXTERNAL.fullmatch(name)
            # Where the directory was read, such an account would be in it, unless it was deleted.
            if external and ("@" in external["mail"] or not self.complete):
                return self.by_email(name)
            return None
        if (match := _GROUP.fullmatch(login) or _APPLICATION.fullmatch(login)) and (entry := self.find(match["id"])):
            return _grantee(entry)
        return None

    def _by_email(self, identity: IdentitySet) -> Grantee | None:
        for candidate in (identity.user, identity.site_user):
            email = (candidate and candidate.email) or ""
            if "@" in email and (self.find(email) or not self.is_ours(domain_of(email)) or _EXTERNAL.fullmatch(email)):
                return self.by_email(email)
        return None

    def _unlisted(self, identity: IdentitySet, login: str) -> Grantee | None:
        """A principal that the directory lacks: of another tenant, deleted since, or the directory was not readable.

        What Graph still names as an application exists somewhere; of a deleted account only SharePoint's claim is left.
        Who is named without an address may be anyone.
        """
        if (application := identity.application) and application.id:
            principal = self._principal(uids.application(application.id), "service", application, "active")
            return Grantee(principal=principal, audience=Audience.NAMED)
        if (group := identity.group) and group.id:
            return Grantee(principal=self._principal(uids.group(group.id), "group", group, None), audience=None)
        if (user := identity.user) and (user.id or user.email):
            principal = self._principal(uids.user(user.id or user.email or ""), "user", user, None)
            if self.complete and self.is_ours(principal.domain):  # a domain that was verified, and no guest's address
                principal = msgspec.structs.replace(principal, affiliation=Affiliation.INTERNAL, status="active")
            return Grantee(principal=principal, audience=_audience(principal))
        return self._claimed(identity.site_user, login) if identity.site_user else None

    def _claimed(self, site_user: Identity, login: str) -> Grantee | None:
        """A principal known only by SharePoint's claim."""
        kind, name = "user", site_user.email or ""  # an address without a claim
        if member := _MEMBER.fullmatch(login):
            name = member["name"]
        elif group := _GROUP.fullmatch(login):
            kind, name = "group", group["id"]
        elif login:
            name = ""
        if not name or _ANONYMOUS.fullmatch(name):
            return None  # a claim that did not exist when this was written: it may admit anyone
        if self.complete:
            principal = self._principal(uids.deleted(name), kind, site_user, "deleted", name)
            return Grantee(principal=principal, audience=Audience.NAMED)
        if kind == "user" and self.affiliation(domain_of(name)) in (Affiliation.EXTERNAL, Affiliation.PARTNER):
            return self.by_email(name)
        uid = uids.group(name) if kind == "group" else uids.user(name)
        return Grantee(principal=self._principal(uid, kind, site_user, None), audience=None)

    def _principal(self, uid: str, kind: str, identity: Identity, status: str | None, name: str = "") -> Principal:
        email = (identity.email or "").lower()
        return Principal(
            uid=uid,
            platform=uids.PLATFORM,
            account=self.primary,
            kind=kind,
            email=email,
            domain=domain_of(email),
            name=email or (f"deleted {kind}" if status == "deleted" else uid.rpartition("/")[2]),
            affiliation=Affiliation.INTERNAL if status == "deleted" and self.is_ours(domain_of(name)) else None,
            status=status,
        )


def _grantee(entry: DirectoryEntry) -> Grantee:
    principal, contents = entry.principal, entry.contents
    if principal.kind != "group":
        return Grantee(principal=principal, audience=_audience(principal))
    if contents is None:
        return Grantee(principal=principal, audience=None)
    return Grantee(principal=principal, audience=_audience_of_group(contents), claim=contents.claim, contents=contents)


def _audience(principal: Principal) -> Audience | None:
    """Who a grant to one principal admits. An application is nobody's colleague, and not outside either."""
    if principal.kind == "service":
        return Audience.NAMED
    if principal.affiliation is None:
        return None
    return Audience.NAMED if principal.affiliation is Affiliation.INTERNAL else Audience.NAMED_EXTERNAL


def _audience_of_group(contents: GroupContents) -> Audience | None:
    """The widest audience in a group; None where a member that cannot be told may be wider."""
    if contents.claim or contents.whole_organisation:
        return Audience.ORGANISATION
    if not contents.known:
        return None
    return Audience.NAMED_EXTERNAL if contents.externals else Audience.NAMED


def _decoded(mail: str) -> str:
    """The address in the name of an external account, which has an underscore in place of the @."""
    name, _, domain = mail.rpartition("_")
    return mail if "@" in mail else f"{name}@{domain}"


def _claim(login: str) -> str:
    """Which of the claims that mean everyone a login is, if any. Titles are localised, claims are not."""
    lower = login.lower()
    if lower == "c:0(.s|true" or lower in ("c:0!.s|windows", "c:0!.s|forms:membership"):
        return EVERYONE
    return INSIDERS if "|spo-grid-all-users" in lower else ""
