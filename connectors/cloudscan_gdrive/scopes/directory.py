"""Reading the directory and the sharing settings of a Workspace customer.

Sources: discovery documents of Admin Directory v1 and Cloud Identity v1; Policy API, "Drive and Docs settings".
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import msgspec

from cloudscan.connector import Estate, Gap
from cloudscan.errors import AccessDenied, Vanished
from cloudscan.facts import Outcome, Resource, Setting
from cloudscan_gdrive.api.client import Google
from cloudscan_gdrive.api.models import (
    Domains,
    Group,
    Groups,
    Member,
    Members,
    Policies,
    Policy,
    Unit,
    Units,
    User,
    Users,
)
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.people import People, people_of

_USERS = (
    "nextPageToken,users(id,primaryEmail,name(fullName),suspended,archived,lastLoginTime,creationTime,orgUnitPath,"
    "aliases,nonEditableAliases,emails,recoveryEmail,relations,organizations)"
)
_GROUPS = "nextPageToken,groups(id,email,name,aliases,nonEditableAliases)"
_MEMBERS = "nextPageToken,members(id,email,role,type)"
_CONCURRENT_GROUPS = 8  # whose members are asked for at the same time
_SETTINGS = "setting.type.matches('drive_and_docs.*')"

KNOWN_SETTINGS = tuple(
    f"drive_and_docs.{name}"
    for name in (
        "external_sharing.externalSharingMode",
        "external_sharing.allowReceivingExternalFiles",
        "external_sharing.warnForExternalSharing",
        "external_sharing.warnForSharingOutsideAllowlistedDomains",
        "external_sharing.allowNonGoogleInvites",
        "external_sharing.allowPublishingFiles",
        "external_sharing.accessCheckerSuggestions",
        "external_sharing.allowedPartiesForDistributingContent",
        "general_access_default.defaultFileAccess",
        "shared_drive_creation.allowSharedDriveCreation",
        "shared_drive_creation.allowManagersToOverrideSettings",
        "shared_drive_creation.allowExternalUserAccess",
        "shared_drive_creation.allowNonMemberAccess",
    )
)
"""What is unknown where the policies cannot be read (Policy API, "Drive and Docs settings")."""


@dataclass(frozen=True, kw_only=True)
class Directory:
    """Everything that was read; `gaps` is what could not be."""

    people: People
    users: Sequence[User] = ()
    groups: Sequence[Group] = ()
    members: Mapping[str, Sequence[Member]] = field(default_factory=dict)
    units: Sequence[Unit] = ()
    policies: Sequence[Policy] | None = None  # None: they could not be read
    gaps: Sequence[Gap] = ()


def read_directory(google: Google, estate: Estate, admin: str, customer: str) -> Directory:
    """Read domains, users, groups and settings, as `admin` (an address).

    Raises as `Google.ask` does where not even the users can be read.
    """
    gaps: list[Gap] = []
    pages = list(
        google.pages(Users, google.users, admin, customer=customer, fields=_USERS, maxResults=500, projection="full")
    )
    users = [user for page in pages for user in page.users]
    broken = sum(page.broken for page in pages)
    _note_broken(gaps, "principals", "users of the directory", broken)
    primary, domains = _domains(google, admin, customer, gaps)
    groups = _groups(google, admin, customer, gaps)
    members = _members(google, admin, groups, gaps)
    return Directory(
        people=replace(people_of(estate, primary, domains, users, groups, members), all_users_read=not broken),
        users=users,
        groups=groups,
        members=members,
        units=_units(google, admin, customer, gaps),
        policies=_policies(google, admin, gaps),
        gaps=gaps,
    )


def facts_of_settings(directory: Directory) -> Iterator[Resource | Setting]:
    """The tenant, its org units, and the sharing settings of each."""
    primary = directory.people.primary
    tenant = uids.tenant(primary)
    containers = {tenant: _container(tenant, "tenant", primary, primary)}
    unit_uids: dict[str, str] = {}
    for unit in directory.units:
        uid = tenant if unit.org_unit_path == "/" else uids.org_unit(unit.org_unit_id)
        unit_uids[unit.org_unit_id.removeprefix("id:")] = uid
        if uid != tenant:
            containers[uid] = _container(uid, "org_unit", unit.org_unit_path, primary, tenant)
    values: dict[tuple[str, str], str] = {}
    for policy in sorted(directory.policies or (), key=lambda policy: policy.type == "ADMIN"):
        unit_id = policy.policy_query.org_unit.removeprefix("orgUnits/")
        uid = unit_uids.get(unit_id, tenant if not unit_uids else "")
        if policy.policy_query.group or not uid:
            uid = uids.org_unit(policy.policy_query.group or policy.policy_query.org_unit)
            containers[uid] = _container(uid, "org_unit", policy.policy_query.group or uid, primary, tenant)
        for name, value in policy.setting.value.items():
            values[uid, f"{policy.setting.type.removeprefix('settings/')}.{name}"] = _text(value)
    yield from containers.values()
    for (uid, name), value in values.items():
        yield Setting(scope_uid=uid, name=name, value=value)
    if directory.policies is None:
        for name in KNOWN_SETTINGS:
            yield Setting(scope_uid=tenant, name=name, value=None)


def _domains(google: Google, admin: str, customer: str, gaps: list[Gap]) -> tuple[str, list[str]]:
    """Our primary domain, and all of ours with their aliases."""
    own = admin.rpartition("@")[2].lower()
    try:
        all_domains = google.ask(Domains, google.domains, admin, customer=customer).domains
    except AccessDenied as refused:
        gaps.append(_gap("principals", refused, "our other domains and aliases are taken for external ones"))
        return own, [own]
    verified = [domain for domain in all_domains if domain.verified]  # an unverified one may belong to somebody else
    names = [domain.domain_name.lower() for domain in verified]
    aliases = [
        alias.domain_alias_name.lower() for domain in verified for alias in domain.domain_aliases if alias.verified
    ]
    primary = next((domain.domain_name.lower() for domain in all_domains if domain.is_primary), own)
    return primary, [primary, *names, *aliases]


def _groups(google: Google, admin: str, customer: str, gaps: list[Gap]) -> list[Group]:
    try:
        pages = list(google.pages(Groups, google.groups, admin, customer=customer, fields=_GROUPS, maxResults=200))
    except AccessDenied as refused:
        gaps.append(_gap("memberships", refused, "who is in which group is not known"))
        return []
    _note_broken(gaps, "principals", "groups of the directory", sum(page.broken for page in pages))
    return [group for page in pages for group in page.groups]


def _members(google: Google, admin: str, groups: Sequence[Group], gaps: list[Gap]) -> dict[str, list[Member]]:
    """The members of each group that we may see, by its address in lower case: one request per group."""

    def members_of(group: Group) -> list[Members] | AccessDenied | Vanished:
        pages = google.pages(Members, google.members, admin, groupKey=group.id, fields=_MEMBERS, maxResults=200)
        try:
            return list(pages)
        except (AccessDenied, Vanished) as refused:
            return refused

    members: dict[str, list[Member]] = {}
    refusals: list[AccessDenied] = []
    broken = 0
    with ThreadPoolExecutor(_CONCURRENT_GROUPS) as pool:
        for group, answer in zip(groups, pool.map(members_of, groups), strict=True):
            if isinstance(answer, AccessDenied):
                refusals.append(answer)
                if not members and len(refusals) > _CONCURRENT_GROUPS:
                    pool.shutdown(cancel_futures=True)
                    break
            elif not isinstance(answer, Vanished):
                members[group.email.lower()] = [member for page in answer for member in page.members]
                broken += sum(page.broken for page in answer)
    if refusals:
        gaps.append(_gap("memberships", refusals[0], "who is in some groups is not known"))
    _note_broken(gaps, "memberships", "members of groups", broken)
    return members


def _units(google: Google, admin: str, customer: str, gaps: list[Gap]) -> Sequence[Unit]:
    try:
        return google.ask(Units, google.units, admin, customerId=customer, type="allIncludingParent").organization_units
    except AccessDenied as refused:
        gaps.append(_gap("settings", refused, "org units have no names"))
        return ()


def _policies(google: Google, admin: str, gaps: list[Gap]) -> list[Policy] | None:
    try:
        pages = google.pages(Policies, google.policies, admin, filter=_SETTINGS, pageSize=100)
        return [policy for page in pages for policy in page.policies]
    except AccessDenied as refused:
        gaps.append(_gap("settings", refused, "sharing settings could not be read; only a super admin may"))
        return None


def _container(uid: str, kind: str, name: str, account: str, parent: str | None = None) -> Resource:
    return Resource(
        uid=uid,
        platform=uids.PLATFORM,
        account=account,
        kind=kind,
        name=name,
        path=name,
        parent_uid=parent,
        url="https://admin.google.com/ac/appsettings/55656082996",
    )


def _gap(table: str, refused: AccessDenied, what: str) -> Gap:
    return Gap(table=table, outcome=Outcome.DENIED, reason=f"{refused}; {what}", needs=refused.needs)


def _note_broken(gaps: list[Gap], table: str, what: str, count: int) -> None:
    if count:
        reason = f"{count} {what} do not match Google's documented format"
        gaps.append(Gap(table=table, outcome=Outcome.PARTIAL, reason=reason))


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
