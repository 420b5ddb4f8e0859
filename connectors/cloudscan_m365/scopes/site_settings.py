"""The sharing settings of single sites, from SharePoint's administration."""

import functools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec

from cloudscan.connector import Gap, OncePerKey
from cloudscan.errors import ProviderError, QuotaSpent
from cloudscan.facts import Outcome, Setting
from cloudscan.reason import Reason
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.models import Identity, IdentitySet
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.grantees import grantee_of
from cloudscan_m365.meaning.people import People, SiteGroups
from cloudscan_m365.options import Options
from cloudscan_m365.questions import ADMINISTRATION, SITE_PROPERTIES, SITES_PROPERTIES
from cloudscan_m365.scopes.tenant import (
    CAPABILITIES,
    DOMAIN_MODES,
    LINK_PERMISSIONS,
    LINK_TYPES,
    Administration,
    Settings,
    chosen,
    truth,
)

SITE_SETTINGS = (
    "sharing_capability",
    "default_link_type",
    "default_link_permission",
    "domain_restriction",
    "allowed_domains",
    "tenant_wider",
)
"""The settings of every site; `anonymous_link_expires_days` joins them where the site overrides the tenant's."""

_WIDTH = ("disabled", "existing", "new_and_existing", "anyone")
_ARCHIVED = frozenset({"fullyarchived", "recentlyarchived"})
_LOCKS = {"noaccess": "NoAccess", "readonly": "ReadOnly"}
_NO_GUID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, kw_only=True)
class SiteInfo:
    """The properties of a site collection that SharePoint's administration has and Graph lacks."""

    sharing: str | None = None  # disabled, existing, new_and_existing, anyone; None: could not be read
    owner_uid: str | None = None
    label: str = ""  # the name of its sensitivity label
    detail: Mapping[str, str] = field(default_factory=dict)  # template, lock, group_id …
    settings: Settings | None = None  # None: could not be read
    error: ProviderError | None = None  # why it could not
    unread: bool = False  # there is no answer, though the application may ask
    archived: bool = False


class _Site(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    site_id: str
    template: str | None = ""
    group_id: str | None = ""
    owner_login_name: str | None = ""
    owner_email: str | None = ""
    lock_state: str | None = ""
    archive_status: str | None = ""
    sharing_capability: int | None = None
    site_defined_sharing_capability: int | None = None
    default_sharing_link_type: int | None = None
    default_link_permission: int | None = None
    anonymous_link_expiration_in_days: int | None = None
    override_tenant_anonymous_link_expiration_policy: bool | None = None
    sharing_domain_restriction_mode: int | None = None
    sharing_allowed_domain_list: str | None = ""
    sharing_blocked_domain_list: str | None = ""
    sensitivity_label: str | None = msgspec.field(name="SensitivityLabel2", default="")


@dataclass(frozen=True, kw_only=True)
class _Listing:
    """The sites that SharePoint's administration lists, by their guid in lower case."""

    address: str = ""  # of the administration
    tenant: Administration | None = None  # the settings of its geography
    by_collection: Mapping[str, SiteInfo] = field(default_factory=dict)
    unread: bool = False  # there may be others
    error: ProviderError | None = None
    broken: int = 0


@dataclass
class Sites:
    """The sites of a tenant. May be used from any thread.

    One question lists as many as SharePoint returns in one answer; the others are asked for when they are needed.
    """

    graph: Graph
    options: Options
    people: People
    labels: Mapping[str, str]  # sensitivity labels: id, name
    tenant: Administration | None = None
    address: str = ""  # of the administration; empty: access to it is refused
    allowed: bool = False  # the application may ask the administration
    _listings: OncePerKey[str, _Listing] = field(default_factory=OncePerKey)  # by the administration's address
    _administrations: set[str] = field(default_factory=set)  # those that were asked
    _single: OncePerKey[str, SiteInfo] = field(default_factory=OncePerKey)

    def info(self, collection: str, url: str) -> SiteInfo:
        """The properties of a site collection, by its guid and address; empty ones where they cannot be read."""
        listing = self._all(url)
        listed = listing.by_collection.get(collection)
        return listed or self._single.get(collection, lambda: self._ask(collection, listing))

    def listed(self, collection: str, url: str) -> SiteInfo:
        """The same without a request for a single site: there are as many OneDrives as people."""
        listing = self._all(url)
        return listing.by_collection.get(collection, SiteInfo(unread=listing.unread))

    def gap(self, collection: str, url: str) -> Gap | None:
        """The gap that a site leaves whose properties gave no answer.

        Where the administration gives none at all, there is one already.
        """
        error = self.info(collection, url).error
        return SITE_PROPERTIES.gap(error, uids.site(collection)) if error is not None else None

    def gaps(self) -> Iterator[Gap]:
        """What the lists of all sites leave unknown."""
        for address in sorted({self.address, *self._administrations}):
            listing = self._listings.get(address, functools.partial(self._list, address))
            if listing.error is not None:
                yield SITES_PROPERTIES.gap(listing.error)
            if listing.broken:
                reason = Reason(code="graph-entries-malformed", values={"count": listing.broken})
                yield SITES_PROPERTIES.lacking(reason)
        if elsewhere := self._administrations - {self.address}:
            yield _other_geographies(elsewhere)

    def sharing(self, url: str, ours: str | None) -> str | None:
        """How far the geography of a site allows sharing: `ours` in the first one, its own setting in another."""
        if self._administration_of(url) == self.address:
            return ours
        tenant = self._all(url).tenant
        return chosen(CAPABILITIES, tenant.sharing_capability) if tenant is not None else None

    def _administration_of(self, url: str) -> str:
        """The address of the administration of a site's geography; empty: access is refused, or it is not known.

        Hosts of a geography have its code after the tenant's name: ``kumoeur.sharepoint.com``.
        """
        host = urlsplit(url).netloc.lower()
        name, _, rest = host.partition(".")
        ours, _, domain = urlsplit(self.address).netloc.partition(".")
        if not host or not self.address:
            return self.address
        geography = name.removesuffix("-my").removesuffix("-admin")
        if rest != domain or not geography.startswith(ours.removesuffix("-admin")):
            return ""  # no host of this tenant: it is sent no token
        return f"https://{geography}-admin.{rest}"

    def _all(self, url: str) -> _Listing:
        address = self._administration_of(url)
        if address:
            self._administrations.add(address)
        return self._listings.get(address, lambda: self._list(address))

    def _list(self, address: str) -> _Listing:
        if not address:
            return _Listing(unread=self.allowed)
        tenant = self.tenant if address == self.address else self._tenant_at(address)
        try:
            sites = self.graph.sharepoint_list(_Site, SITES_PROPERTIES, address)
        except QuotaSpent:
            raise
        except ProviderError as error:
            return _Listing(address=address, tenant=tenant, unread=True, error=error)  # sites are asked for one by one
        known = {site.site_id.lower(): self._info(site, tenant) for site in sites.value if site.site_id}
        return _Listing(
            address=address, tenant=tenant, by_collection=known, unread=sites.broken > 0, broken=sites.broken
        )

    def _tenant_at(self, address: str) -> Administration | None:
        """The settings of another geography; None: they gave no answer, as the list of its sites will not either."""
        try:
            return self.graph.sharepoint(Administration, ADMINISTRATION, address)
        except QuotaSpent:
            raise
        except ProviderError:
            return None

    def _ask(self, collection: str, listing: _Listing) -> SiteInfo:
        if not listing.address:
            return SiteInfo(unread=self.allowed)
        try:
            site = self.graph.sharepoint(_Site, SITE_PROPERTIES, listing.address, collection)
        except QuotaSpent:
            raise
        except ProviderError as error:
            return SiteInfo(error=error, unread=True)
        return self._info(site, listing.tenant)

    def _info(self, site: _Site, tenant: Administration | None) -> SiteInfo:
        # A label whose name is not known is shown by its id, and may be any.
        known = site.sensitivity_label in self.labels
        label = self.labels.get(site.sensitivity_label or "", site.sensitivity_label or "")
        archived = (site.archive_status or "").lower() in _ARCHIVED
        private = self.options.private_labels
        detail = {
            "template": site.template or "",
            "lock": _LOCKS.get((site.lock_state or "").lower(), ""),
            "group_id": "" if site.group_id in (None, _NO_GUID) else site.group_id,
            "label_privacy": ("private" if label in private else "open") if known and private else "",
            "archived": "true" if archived else "",
        }
        return SiteInfo(
            archived=archived,
            sharing=chosen(CAPABILITIES, site.sharing_capability),
            owner_uid=self._owner(site),
            label=label,
            detail={name: value for name, value in detail.items() if value},
            settings=settings_of(site, tenant),
        )

    def _owner(self, site: _Site) -> str | None:
        login = site.owner_login_name or ""
        if login.endswith("_o") and (group := self.people.find(login[:-2].rpartition("|")[2])):
            return next(iter(group.owners or ()), None)
        identity = IdentitySet(site_user=Identity(login_name=login, email=site.owner_email))
        owner = grantee_of(self.people, identity, SiteGroups()) if login else None
        return owner.principal.uid if owner else None


def _other_geographies(addresses: Collection[str]) -> Gap:
    """The row for geographies beside the first one: their sites are judged, their own default settings are not."""
    names = sorted(urlsplit(address).netloc.partition("-admin.")[0] for address in addresses)
    reason = Reason(code="graph-geographies", values={"count": len(names), "names": ", ".join(names)})
    return Gap(question=ADMINISTRATION.name, table="settings", outcome=Outcome.NOT_JUDGED, reason=reason, hides=())


def settings_of(site: _Site, tenant: Administration | None) -> dict[str, str | None]:
    """A site's settings, by the names of `SITE_SETTINGS`."""
    values = {
        "sharing_capability": chosen(CAPABILITIES, site.sharing_capability),
        "default_link_type": chosen(LINK_TYPES, site.default_sharing_link_type),
        "default_link_permission": chosen(LINK_PERMISSIONS, site.default_link_permission),
        "domain_restriction": chosen(DOMAIN_MODES, site.sharing_domain_restriction_mode),
        "allowed_domains": " ".join(sorted(_domains(site.sharing_allowed_domain_list))),
        "tenant_wider": truth(_is_wider(site, tenant)),
    }
    if site.override_tenant_anonymous_link_expiration_policy:
        days = site.anonymous_link_expiration_in_days
        values["anonymous_link_expires_days"] = None if days is None else str(max(days, 0))
    return values


def facts_of_settings(site_uid: str, info: SiteInfo) -> Iterator[Setting]:
    """A site's settings as facts; all of them unknown where they could not be read."""
    values = dict.fromkeys(SITE_SETTINGS) if info.settings is None else info.settings
    for name, value in values.items():
        yield Setting(scope_uid=site_uid, name=name, value=value)


def _is_wider(site: _Site, tenant: Administration | None) -> bool | None:
    """Whether a site is set to share with more people, or other domains, than the tenant allows; None: unknown."""
    if tenant is None:
        return None
    mine = chosen(CAPABILITIES, site.site_defined_sharing_capability)
    most = chosen(CAPABILITIES, tenant.sharing_capability)
    if mine is None or most is None:
        return None
    return _WIDTH.index(mine) > _WIDTH.index(most) or _other_domains(site, tenant)


def _other_domains(site: _Site, tenant: Administration) -> bool:
    if chosen(DOMAIN_MODES, site.sharing_domain_restriction_mode) != "allow":
        return False
    mine = _domains(site.sharing_allowed_domain_list)
    match chosen(DOMAIN_MODES, tenant.sharing_domain_restriction_mode):
        case "allow":
            return not mine <= _domains(tenant.sharing_allowed_domain_list)
        case "block":
            return bool(mine & _domains(tenant.sharing_blocked_domain_list))
        case _:
            return False


def _domains(text: str | None) -> set[str]:
    return {domain.lower() for domain in (text or "").replace(",", " ").split()}
