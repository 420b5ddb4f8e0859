"""The directory of a tenant: its people, groups and applications, and what may be shared. Read before any library."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from cloudscan.connector import Estate, Gap
from cloudscan.errors import AccessDenied
from cloudscan.facts import AnyFact, Resource
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.endpoints import Question
from cloudscan_m365.api.models import Answer, Text
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.people import DirectoryEntry, People
from cloudscan_m365.options import Options
from cloudscan_m365.permissions import LABELS, USERS
from cloudscan_m365.scopes.accounts import principals_of, read_accounts
from cloudscan_m365.scopes.applications import read_applications
from cloudscan_m365.scopes.gaps import gap
from cloudscan_m365.scopes.groups import contents_of_groups, facts_of_groups, principal_of, read_groups
from cloudscan_m365.scopes.site_settings import Sites
from cloudscan_m365.scopes.teams import facts_of_channels
from cloudscan_m365.scopes.tenant import read_tenant, settings_of_tenant

_ORGANISATION = Question(path="organization", needs=USERS)
_LABELS = Question(path="security/dataSecurityAndGovernance/sensitivityLabels", needs=LABELS)


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
    name: str
    is_default: bool = False


class _Organisation(Answer, frozen=True, kw_only=True):
    id: str
    display_name: Text = ""
    verified_domains: Sequence[_Domain] = ()


class _Label(Answer, frozen=True, kw_only=True):
    id: str
    name: Text = ""


def read_directory(graph: Graph, estate: Estate, options: Options) -> Directory:
    """The tenant's directory. Raises as `Graph.ask` does where not even the tenant can be read."""
    gaps: list[Gap] = []
    tenant, empty = _tenant(graph, estate)
    accounts, groups = read_accounts(graph, gaps), read_groups(graph, gaps)
    users = {user.id: (user, principal) for user, principal in principals_of(accounts, empty)}
    entries = {identity: DirectoryEntry(principal=principal) for identity, (_, principal) in users.items()}
    names = {name: user.id for user, _ in users.values() for name in user.names}
    contents = contents_of_groups(groups, {identity: entry.principal for identity, entry in entries.items()})
    for group in groups.groups:
        owners = [entries[identity].principal for identity in groups.owners.get(group.id, ()) if identity in entries]
        entries[group.id] = DirectoryEntry(
            principal=principal_of(group, contents[group.id], empty),
            contents=contents[group.id] if group.id in groups.members else None,
            owners=tuple(owner.uid for owner in owners if owner.status == "active"),
        )
    applications = read_applications(graph, empty, gaps)
    entries |= {application.id: DirectoryEntry(principal=application.principal) for application in applications}
    names |= {application.app_id: application.id for application in applications if application.app_id}
    people = replace(empty, entries=entries, names=names, complete=accounts.complete and groups.complete)
    settings, administration, address = read_tenant(graph, gaps)
    labels = _labels(graph, gaps)
    principals = {identity: entry.principal for identity, entry in entries.items()}
    facts: list[AnyFact] = [
        tenant,
        *principals.values(),
        *facts_of_groups(groups, principals, people),
        *(application.resource for application in applications if application.enabled),
        *facts_of_channels(graph, groups, people, gaps),
        *settings_of_tenant(settings, people),
    ]
    return Directory(
        people=people,
        sites=Sites(graph, options, people, labels, administration, address),
        facts=facts,
        gaps=gaps,
        sharing=settings["sharing_capability"],
        onedrive_sharing=settings["onedrive_sharing_capability"],
        labels=labels,
    )


def _tenant(graph: Graph, estate: Estate) -> tuple[Resource, People]:
    """The tenant as a resource, and a directory without any entries yet."""
    ours = next(iter(graph.entries(_Organisation, _ORGANISATION, select="id,displayName,verifiedDomains")))
    primary = next((domain.name.lower() for domain in ours.verified_domains if domain.is_default), ours.id)
    people = People(
        estate=estate,
        tenant_id=ours.id,
        primary=primary,
        domains=frozenset(domain.name.lower() for domain in ours.verified_domains),
    )
    tenant = Resource(
        uid=uids.tenant(ours.id),
        platform=uids.PLATFORM,
        account=primary,
        kind="tenant",
        name=ours.display_name or primary,
        path=primary,
        url="https://admin.microsoft.com",
    )
    return tenant, people


def _labels(graph: Graph, gaps: list[Gap]) -> dict[str, str]:
    try:
        return {label.id: label.name or label.id for label in graph.entries(_Label, _LABELS)}
    except AccessDenied as refused:
        gaps.append(gap("resources", refused, "sensitivity labels have no names"))
        return {}
