"""Who is who: our own people, groups and applications, guests, external people, and the claims that mean everyone.

`People` is what is known when a permission is read. The directory fills it (`directory`); nothing here sends a request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import msgspec

from cloudscan.connector import Estate
from cloudscan.facts import Access, Affiliation, Audience, Principal
from cloudscan.text import CONSUMER, domain_of
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.logins import address_of, external_name

EVERYONE, INSIDERS, NO_CLAIM = "everyone", "insiders", "none"
_CLAIM_NAMES = {
    EVERYONE: ("everyone", "Everyone"),
    INSIDERS: ("everyone-except-external", "Everyone except external users"),
}
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
    numbers: Mapping[str, str] = field(default_factory=dict)  # by the groups' titles in lower case
    at_site: frozenset[tuple[str, Access]] = frozenset()  # group numbers with their access at the top of the site
    origin: str = ""  # the uid of the site where that was granted, which may be the one above
    origins_known: bool = True  # what was granted at the top of the site could be read

    @property
    def reach_beyond_colleagues(self) -> bool:
        """Whether a group contains more than named colleagues, or may."""
        if self.contents is None:
            return False
        return any(audience_of_group(group) is not Audience.NAMED for group in self.contents.values())


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

    def affiliation(self, domain: str, address: str = "") -> Affiliation | None:
        """Where a mail domain, or one address in it, belongs; None: it may be the tenant's own."""
        if self.is_ours(domain):
            return Affiliation.INTERNAL
        if self.estate.partner_of(address, domain):
            return Affiliation.PARTNER
        return Affiliation.EXTERNAL if domain and (self.domains_read or domain in CONSUMER) else None

    def find(self, identity_or_name: str) -> DirectoryEntry | None:
        """An entry of the directory by object id, mail address, UPN or application id."""
        key = identity_or_name.lower()
        return self.entries.get(self.names.get(key, key))

    def includes(self, principal: Principal) -> bool:
        """Whether the directory's scope reports a principal; libraries then need not."""
        return principal.uid.rpartition("/")[2] in self.entries

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

    def anyone(self) -> Principal:
        """The principal for anyone who opens a link without signing in."""
        return self.stand_in(
            uids.claim("anyone", self.tenant_id), "claim", name="Anyone with the link", status="active"
        )

    def stand_in(
        self,
        uid: str,
        kind: str,
        *,
        name: str = "",
        email: str = "",
        status: str | None = None,
        affiliation: Affiliation | None = None,
    ) -> Principal:
        """A principal that the directory does not have, by what a permission says of it."""
        return Principal(
            uid=uid,
            platform=uids.PLATFORM,
            account=self.primary,
            kind=kind,
            email=email,
            domain=domain_of(email),
            name=name or email or (f"deleted {kind}" if status == "deleted" else uid.rpartition("/")[2]),
            affiliation=affiliation,
            status=status,
        )

    def has_group_called(self, name: str) -> bool:
        """Whether a group of the directory has this name, in any case."""
        return name.strip().lower() in self._names_of_groups

    @cached_property
    def _names_of_groups(self) -> frozenset[str]:
        groups = (entry.principal for entry in self.entries.values() if entry.principal.kind == "group")
        return frozenset(group.name.strip().lower() for group in groups)

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
        domain = domain_of(email) if email.count("@") == 1 else ""
        detail = {
            "external_member": "false",  # that is an account of the directory
            "consumer": "true" if domain in CONSUMER else "false" if domain else "",
        }
        return Principal(
            uid=uids.external_user(email),
            platform=uids.PLATFORM,
            account=self.primary,
            kind="user",
            email=email.lower(),
            domain=domain,
            name=email.lower(),
            affiliation=self.affiliation(domain, email),
            status="active",
            detail={
                **{name: value for name, value in detail.items() if value},
                **self.estate.partner_detail(email, domain),
            },
        )

    def by_email(self, email: str) -> Grantee:
        """The owner of a mail address or a user principal name: an entry of the directory, or an external user."""
        if entry := self.find(email):
            return grantee_of_entry(entry)
        external = external_name(email)
        if external is not None:
            return self.outside(external, email)
        address = address_of(email)
        if entry := self.find(address) if address else None:
            return grantee_of_entry(entry)
        principal = self.external_user(address or email)
        if principal.affiliation is Affiliation.INTERNAL and not self.complete:
            # An address of ours, but the directory was not read: it may be a guest's.
            principal = msgspec.structs.replace(principal, affiliation=None, status=None)
        return Grantee(principal=principal, audience=audience_of(principal))

    def outside(self, address: str, name: str = "") -> Grantee:
        """A person whose account is not ours, as SharePoint says: a guest, or one with a passcode.

        `address` is empty where it cannot be determined; `name` is then what stands for it.
        """
        if entry := self.find(name):
            return grantee_of_entry(entry)
        entry = self.find(address)
        if entry is not None and entry.principal.affiliation is not Affiliation.INTERNAL:
            return grantee_of_entry(entry)
        principal = self.external_user(address or name)
        return grantee_of_entry(DirectoryEntry(principal=self.as_external(principal)))

    def as_external(self, principal: Principal) -> Principal:
        """An account that signs in elsewhere: a partner's, of another tenant of ours, or external."""
        elsewhere = principal.domain in self.estate.domains and principal.domain not in self.domains
        if elsewhere or principal.affiliation is Affiliation.PARTNER:
            return principal
        return msgspec.structs.replace(principal, affiliation=Affiliation.EXTERNAL)


def grantee_of_entry(entry: DirectoryEntry) -> Grantee:
    """An entry of the directory as somebody who is granted something."""
    principal, contents = entry.principal, entry.contents
    if principal.kind != "group":
        return Grantee(principal=principal, audience=audience_of(principal))
    if contents is None:
        return Grantee(principal=principal, audience=None)
    return Grantee(principal=principal, audience=audience_of_group(contents), claim=contents.claim, contents=contents)


def audience_of(principal: Principal) -> Audience | None:
    """Who a grant to one principal admits. An application is nobody's colleague, and not outside either."""
    if principal.kind == "service":
        return Audience.NAMED
    if principal.affiliation is None:
        return None
    return Audience.NAMED if principal.affiliation is Affiliation.INTERNAL else Audience.NAMED_EXTERNAL


def audience_of_group(contents: GroupContents) -> Audience | None:
    """The widest audience in a group; None where a member that cannot be identified may be wider."""
    if contents.claim or contents.whole_organisation:
        return Audience.ORGANISATION
    if not contents.known:
        return None
    return Audience.NAMED_EXTERNAL if contents.externals else Audience.NAMED
