"""The directory of a tenant: its people, groups and applications, and what may be shared. Read before any library."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from cloudscan.connector import Estate, Gap
from cloudscan.errors import Malformed
from cloudscan.facts import Affiliation, AnyFact, Principal, Resource
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.inquiry import Inquiry
from cloudscan_m365.api.models import Answer, Text
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.accounts import User, principals_of
from cloudscan_m365.meaning.people import DirectoryEntry, People
from cloudscan_m365.options import Options
from cloudscan_m365.questions import LABELS, ORGANISATION, TENANT
from cloudscan_m365.scopes.accounts import read_accounts
from cloudscan_m365.scopes.applications import read_applications
from cloudscan_m365.scopes.groups import contents_of_groups, facts_of_groups, principal_of, read_groups
from cloudscan_m365.scopes.site_settings import Sites
from cloudscan_m365.scopes.teams import TenantInformation, facts_of_channels
from cloudscan_m365.scopes.tenant import read_tenant, settings_of_tenant


@dataclass(frozen=True, kw_only=True)
class Directory:
    """What was read, the facts in it, and what could not be read."""

    people: People
    sites: Sites
    facts: Sequence[AnyFact] = ()  # everything but sites, including the tenant itself
    gaps: Sequence[Gap] = ()
    sharing: str | None = None  # the tenant's sharing_capability
    onedrive_sharing: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)  # sensitivity labels: id, name


class _Domain(Answer, frozen=True, kw_only=True):
    name: Text = ""
    is_default: bool | None = False


class _Organisation(Answer, frozen=True, kw_only=True):
    id: str
    display_name: Text = ""
    verified_domains: Sequence[_Domain]


class _Label(Answer, frozen=True, kw_only=True):
    id: str
    name: Text = ""


def read_directory(graph: Graph, estate: Estate, options: Options) -> Directory:
    """The tenant's directory, as far as it gives answers.

    Raises as `SignIn.token` does, and as `Graph.ask` where not even the tenant's name can be read: it is the account of
    every fact, and another name would be another account.
    """
    graph.sign_in.token(graph.service)
    inquiry = Inquiry(graph=graph)
    tenant, empty = _tenant(inquiry, estate)
    accounts, groups = read_accounts(inquiry), read_groups(inquiry)
    users = {user.id: (user, principal) for user, principal in principals_of(accounts, empty)}
    entries = {identity: DirectoryEntry(principal=principal) for identity, (_, principal) in users.items()}
    names = _names(list(users.values()))
    people_by_id = {identity: entry.principal for identity, entry in entries.items()}
    contents = contents_of_groups(groups, people_by_id, complete=accounts.complete)
    for group in groups.groups:
        if group.mail:
            names.setdefault(group.mail.lower(), group.id)
        entries[group.id] = DirectoryEntry(
            principal=principal_of(group, contents[group.id], empty),
            contents=contents[group.id],
            owners=_active_owners(groups.owners.get(group.id), people_by_id, complete=accounts.complete),
        )
    applications = read_applications(inquiry, empty)
    entries |= {application.id: DirectoryEntry(principal=application.principal) for application in applications}
    names |= {application.app_id: application.id for application in applications if application.app_id}
    people = replace(empty, entries=entries, names=names, complete=accounts.complete and groups.complete)
    settings = read_tenant(inquiry)
    labels = _labels(inquiry)
    principals = {identity: entry.principal for identity, entry in entries.items()}
    facts: list[AnyFact] = [
        tenant,
        *principals.values(),
        *facts_of_groups(groups, principals, people),
        *(application.resource for application in applications if application.enabled is not False),
        *facts_of_channels(inquiry, groups, people),
        *settings_of_tenant(settings.values, people),
    ]
    return Directory(
        people=people,
        sites=Sites(
            graph, options, people, labels, settings.administration, settings.address, allowed=settings.allowed
        ),
        facts=facts,
        gaps=inquiry.gaps,
        sharing=settings.values["sharing_capability"],
        onedrive_sharing=settings.values["onedrive_sharing_capability"],
        labels=labels,
    )


def _names(users: Sequence[tuple[User, Principal]]) -> dict[str, str]:
    """Mail addresses and user principal names of accounts, with their ids.

    A principal name belongs to one account. An address that several have is that of the one who is not ours. An alias
    is anybody's address only where it is nobody's first.
    """
    names: dict[str, str] = {alias: user.id for user, _ in users for alias in user.mail_addresses or ()}
    first: dict[str, str] = {}
    for user, principal in users:
        if user.mail and (principal.affiliation is not Affiliation.INTERNAL or user.mail.lower() not in first):
            first[user.mail.lower()] = user.id
    return names | first | {user.user_principal_name.lower(): user.id for user, _ in users if user.user_principal_name}


def _active_owners(
    owners: Sequence[str] | None, accounts: Mapping[str, Principal], *, complete: bool
) -> tuple[str, ...] | None:
    """The uids of active owners; None where it is not known who they are."""
    if owners is None or (not complete and not all(owner in accounts for owner in owners)):
        return None
    known = [accounts[owner] for owner in owners if owner in accounts]
    return tuple(owner.uid for owner in known if owner.status == "active")


def _tenant(inquiry: Inquiry, estate: Estate) -> tuple[Resource, People]:
    """The tenant as a resource, and a directory without any entries yet."""
    graph, claims = inquiry.graph, inquiry.graph.claims()
    listed = inquiry.all(_Organisation, ORGANISATION, select="id,displayName,verifiedDomains")
    ours = next(iter(listed.entries), None)
    domains = [domain for domain in (ours.verified_domains if ours else ()) if domain.name]
    identity = (ours.id if ours else "") or claims.tid
    primary = next(((domain.name or "").lower() for domain in domains if domain.is_default), "")
    name = (ours and ours.display_name) or ""
    if listed.answered and not primary:
        inquiry.lacking(ORGANISATION, "graph-list-empty")
    if not primary:
        if not identity:
            raise Malformed("graph-tenant-not-named")
        other = graph.ask(TenantInformation, TENANT, identity)
        primary, name = (other.default_domain_name or "").lower(), other.display_name or ""
        if not primary:
            raise Malformed("graph-tenant-not-named")
    people = People(
        estate=estate,
        tenant_id=identity,
        primary=primary,
        domains=frozenset((domain.name or "").lower() for domain in domains) | {primary},
        domains_read=listed.whole and bool(domains),
    )
    tenant = Resource(
        uid=uids.tenant(identity),
        platform=uids.PLATFORM,
        account=primary,
        kind="tenant",
        name=name or primary,
        path=primary,
        url="https://admin.microsoft.com",
    )
    return tenant, people


def _labels(inquiry: Inquiry) -> dict[str, str]:
    return {label.id: label.name or label.id for label in inquiry.all(_Label, LABELS).entries}
