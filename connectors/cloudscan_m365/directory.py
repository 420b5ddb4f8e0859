"""Reading the directory of a tenant: who we are, users, guests and groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cloudscan.connector import Estate, Gap
from cloudscan.errors import AccessDenied
from cloudscan.facts import Affiliation, AnyFact, Outcome, Principal, Resource
from cloudscan.mail import domain_of
from cloudscan_m365 import uids
from cloudscan_m365.answers import Answer, Text
from cloudscan_m365.graph import Graph
from cloudscan_m365.options import Options
from cloudscan_m365.people import Known, People
from cloudscan_m365.permissions import GROUPS, USERS
from cloudscan_m365.questions import Question

_ORGANISATION = Question(path="organization", needs=USERS)
_USERS = Question(path="users", needs=USERS)
_GROUPS = Question(path="groups", needs=GROUPS)


@dataclass(frozen=True, kw_only=True)
class SiteInfo:
    """What SharePoint's administration knows of a site collection, and Graph does not."""

    sharing: str | None = None  # disabled, existing, new_and_existing, anyone; None: could not be read
    owner_uid: str | None = None
    label: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)  # template, lock, group_id …


@dataclass(frozen=True, kw_only=True)
class Directory:
    """Everything that was read, what it says, and what could not be read."""

    people: People
    facts: Sequence[AnyFact] = ()  # everything but sites, with the tenant itself
    gaps: Sequence[Gap] = ()
    sharing: str | None = None  # the tenant's sharing_capability
    onedrive_sharing: str | None = None
    sites: Mapping[str, SiteInfo] = field(default_factory=dict)  # by the collection's guid
    labels: Mapping[str, str] = field(default_factory=dict)  # sensitivity labels: id, name


class _Domain(Answer, frozen=True, kw_only=True):
    name: str
    is_default: bool = False
    is_initial: bool = False


class _Organisation(Answer, frozen=True, kw_only=True):
    id: str
    display_name: Text = ""
    verified_domains: Sequence[_Domain] = ()


class _User(Answer, frozen=True, kw_only=True):
    id: str
    display_name: Text = ""
    mail: Text = ""
    user_principal_name: Text = ""
    user_type: Text = ""
    account_enabled: bool | None = True


class _Group(Answer, frozen=True, kw_only=True):
    id: str
    display_name: Text = ""
    mail: Text = ""


def read_directory(graph: Graph, estate: Estate, _options: Options) -> Directory:
    """The tenant's directory. Raises as `Graph.ask` where not even the tenant can be read."""
    ours = next(iter(graph.things(_Organisation, _ORGANISATION, select="id,displayName,verifiedDomains")))
    primary = next((each.name.lower() for each in ours.verified_domains if each.is_default), ours.id)
    people = People(
        estate=estate,
        tenant=ours.id,
        primary=primary,
        domains=frozenset(each.name.lower() for each in ours.verified_domains),
    )
    gaps: list[Gap] = []
    known: dict[str, Known] = {}
    names: dict[str, str] = {}
    fields = "id,displayName,mail,userPrincipalName,userType,accountEnabled"
    try:
        for user in graph.things(_User, _USERS, select=fields, top=999):
            known[user.id] = Known(principal=_user(user, people))
            names.update({name.lower(): user.id for name in (user.mail, user.user_principal_name) if name})
        for group in graph.things(_Group, _GROUPS, select="id,displayName,mail", top=999):
            known[group.id] = Known(principal=_group(group, people))
    except AccessDenied as refused:
        gaps.append(Gap(table="principals", outcome=Outcome.DENIED, reason=str(refused), needs=refused.needs))
    tenant = Resource(
        uid=uids.tenant(ours.id), platform=uids.PLATFORM, account=primary, kind="tenant",
        name=ours.display_name or primary, path=primary,
    )  # fmt: skip
    return Directory(
        people=People(
            estate=estate, tenant=ours.id, primary=primary, domains=people.domains, known=known, names=names,
            complete=not gaps,
        ),
        facts=[tenant, *(each.principal for each in known.values())],
        gaps=gaps,
    )  # fmt: skip


def _user(user: _User, people: People) -> Principal:
    mail = (user.mail or user.user_principal_name or "").lower()
    foreign = "#ext#" in (user.user_principal_name or "").lower()
    return Principal(
        uid=uids.user(user.id),
        platform=uids.PLATFORM,
        account=people.primary,
        kind="guest" if foreign else "user",
        email=mail,
        domain=domain_of(mail),
        name=mail if foreign else user.display_name or mail,
        affiliation=people.affiliation(domain_of(mail)) if foreign else Affiliation.INTERNAL,
        status="active" if user.account_enabled else "suspended",
    )


def _group(group: _Group, people: People) -> Principal:
    return Principal(
        uid=uids.group(group.id),
        platform=uids.PLATFORM,
        account=people.primary,
        kind="group",
        email=(group.mail or "").lower(),
        name=group.display_name or group.id,
        affiliation=Affiliation.INTERNAL,
        status="active",
    )
