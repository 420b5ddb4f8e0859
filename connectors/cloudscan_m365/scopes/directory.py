"""The directory of a tenant: who we are, who is with us, what may be shared. Read once, before any library."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from cloudscan.connector import Estate, Gap
from cloudscan.errors import AccessDenied
from cloudscan.facts import AnyFact, Resource
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.endpoints import Question
from cloudscan_m365.api.models import Answer, Text
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.people import Known, People
from cloudscan_m365.options import Options
from cloudscan_m365.permissions import LABELS, USERS
from cloudscan_m365.scopes.accounts import principals_of, read_accounts
from cloudscan_m365.scopes.applications import read_applications
from cloudscan_m365.scopes.gaps import gap
from cloudscan_m365.scopes.groups import facts_of_groups, holds_of, principal_of, read_groups
from cloudscan_m365.scopes.site_settings import Sites
from cloudscan_m365.scopes.teams import facts_of_channels
from cloudscan_m365.scopes.tenant import read_tenant, settings_of_tenant

_ORGANISATION = Question(path="organization", needs=USERS)
_LABELS = Question(path="security/dataSecurityAndGovernance/sensitivityLabels", needs=LABELS)


@dataclass(frozen=True, kw_only=True)
class Directory:
    """Everything that was read, what it says, and what could not be read."""

    people: People
    sites: Sites
    facts: Sequence[AnyFact] = ()  # everything but sites, with the tenant itself
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
    """The tenant's directory. Raises as `Graph.ask` where not even the tenant can be read."""
    gaps: list[Gap] = []
    tenant, nobody = _tenant(graph, estate)
    accounts, groups = read_accounts(graph, gaps), read_groups(graph, gaps)
    users = {user.id: (user, principal) for user, principal in principals_of(accounts, nobody)}
    known = {one: Known(principal=principal) for one, (_, principal) in users.items()}
    names = {name: user.id for user, _ in users.values() for name in user.names}
    holds = holds_of(groups, {one: each.principal for one, each in known.items()})
    for group in groups.groups:
        owners = [known[one].principal for one in groups.owners.get(group.id, ()) if one in known]
        known[group.id] = Known(
            principal=principal_of(group, holds[group.id], nobody),
            holds=holds[group.id] if group.id in groups.members else None,
            owners=tuple(each.uid for each in owners if each.status == "active"),
        )
    applications = read_applications(graph, nobody, gaps)
    known |= {each.id: Known(principal=each.principal) for each in applications}
    names |= {each.app_id: each.id for each in applications if each.app_id}
    people = replace(nobody, known=known, names=names, complete=accounts.complete and groups.complete)
    values, administration, address = read_tenant(graph, gaps)
    labels = _labels(graph, gaps)
    principals = {one: each.principal for one, each in known.items()}
    facts: list[AnyFact] = [
        tenant,
        *principals.values(),
        *facts_of_groups(groups, principals, people),
        *(each.resource for each in applications if each.enabled),
        *facts_of_channels(graph, groups, people, gaps),
        *settings_of_tenant(values, people),
    ]
    return Directory(
        people=people,
        sites=Sites(graph, options, people, labels, administration, address),
        facts=facts,
        gaps=gaps,
        sharing=values["sharing_capability"],
        onedrive_sharing=values["onedrive_sharing_capability"],
        labels=labels,
    )


def _tenant(graph: Graph, estate: Estate) -> tuple[Resource, People]:
    """The tenant as a place, and its people before any of them is known."""
    ours = next(iter(graph.things(_Organisation, _ORGANISATION, select="id,displayName,verifiedDomains")))
    primary = next((each.name.lower() for each in ours.verified_domains if each.is_default), ours.id)
    people = People(
        estate=estate,
        tenant=ours.id,
        primary=primary,
        domains=frozenset(each.name.lower() for each in ours.verified_domains),
    )
    place = Resource(
        uid=uids.tenant(ours.id),
        platform=uids.PLATFORM,
        account=primary,
        kind="tenant",
        name=ours.display_name or primary,
        path=primary,
        url="https://admin.microsoft.com",
    )
    return place, people


def _labels(graph: Graph, gaps: list[Gap]) -> dict[str, str]:
    try:
        return {each.id: each.name or each.id for each in graph.things(_Label, _LABELS)}
    except AccessDenied as refused:
        gaps.append(gap("resources", refused, "sensitivity labels have no names"))
        return {}
