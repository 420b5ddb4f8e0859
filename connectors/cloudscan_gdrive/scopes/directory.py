"""Reading the directory and the sharing settings of a Workspace customer."""

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
from cloudscan_gdrive.meaning.people import People, people

_USERS = (
    "nextPageToken,users(id,primaryEmail,name(fullName),suspended,archived,lastLoginTime,creationTime,orgUnitPath,"
    "aliases,nonEditableAliases,emails,recoveryEmail,relations,organizations)"
)
_GROUPS = "nextPageToken,groups(id,email,name,aliases,nonEditableAliases)"
_MEMBERS = "nextPageToken,members(id,email,role,type)"
_SIDE_BY_SIDE = 8  # groups whose members are asked for at the same time
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
    """Everything that was read, and what could not be."""

    people: People
    users: Sequence[User] = ()
    groups: Sequence[Group] = ()
    members: Mapping[str, Sequence[Member]] = field(default_factory=dict)
    units: Sequence[Unit] = ()
    policies: Sequence[Policy] | None = None
    gaps: Sequence[Gap] = ()


def read_directory(google: Google, estate: Estate, admin: str, customer: str) -> Directory:
    """Domains, users, groups and settings. Raises as `Google.ask` where not even the users can be read."""
    gaps: list[Gap] = []
    pages = list(
        google.pages(Users, google.users, admin, customer=customer, fields=_USERS, maxResults=500, projection="full")
    )
    users = [user for page in pages for user in page.users]
    unknown = sum(page.broken for page in pages)
    _note_broken(gaps, "principals", "users of the directory", unknown)
    primary, domains = _domains(google, admin, customer, gaps)
    groups = _groups(google, admin, customer, gaps)
    members = _members(google, admin, groups, gaps)
    return Directory(
        people=replace(people(estate, primary, domains, users, groups, members), whole=not unknown),
        users=users,
        groups=groups,
        members=members,
        units=_units(google, admin, customer, gaps),
        policies=_policies(google, admin, gaps),
        gaps=gaps,
    )


def facts_of_settings(directory: Directory) -> Iterator[Resource | Setting]:
    """The tenant, its org units, and how sharing is set for each."""
    primary = directory.people.primary
    tenant = uids.tenant(primary)
    places = {tenant: _place(tenant, "tenant", primary, primary)}
    names: dict[str, str] = {}
    for unit in directory.units:
        uid = tenant if unit.org_unit_path == "/" else uids.org_unit(unit.org_unit_id)
        names[unit.org_unit_id.removeprefix("id:")] = uid
        if uid != tenant:
            places[uid] = _place(uid, "org_unit", unit.org_unit_path, primary, tenant)
    values: dict[tuple[str, str], str] = {}
    for policy in sorted(directory.policies or (), key=lambda each: each.type == "ADMIN"):
        uid = names.get(policy.policy_query.org_unit.removeprefix("orgUnits/"), tenant if not names else "")
        if policy.policy_query.group or not uid:
            uid = uids.org_unit(policy.policy_query.group or policy.policy_query.org_unit)
            places[uid] = _place(uid, "org_unit", policy.policy_query.group or uid, primary, tenant)
        for name, value in policy.setting.value.items():
            values[uid, f"{policy.setting.type.removeprefix('settings/')}.{name}"] = _text(value)
    yield from places.values()
    for (uid, name), value in values.items():
        yield Setting(scope_uid=uid, name=name, value=value)
    if directory.policies is None:
        for name in KNOWN_SETTINGS:
            yield Setting(scope_uid=tenant, name=name, value=None)


def _domains(google: Google, admin: str, customer: str, gaps: list[Gap]) -> tuple[str, list[str]]:
    """Our first domain, and all of them with their other names."""
    own = admin.rpartition("@")[2].lower()
    try:
        found = google.ask(Domains, google.domains, admin, customer=customer).domains
    except AccessDenied as refused:
        gaps.append(_gap("principals", refused, "other domains and aliases of ours are taken for strangers'"))
        return own, [own]
    proven = [each for each in found if each.verified]  # a domain that was only entered may be somebody else's
    names = [each.domain_name.lower() for each in proven]
    aliases = [alias.domain_alias_name.lower() for each in proven for alias in each.domain_aliases if alias.verified]
    primary = next((each.domain_name.lower() for each in found if each.is_primary), own)
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
    """The members of each group that may be seen, by its address: a request for each, several at a time."""

    def asked(group: Group) -> list[Members] | AccessDenied | Vanished:
        pages = google.pages(Members, google.members, admin, groupKey=group.id, fields=_MEMBERS, maxResults=200)
        try:
            return list(pages)
        except (AccessDenied, Vanished) as refused:
            return refused

    found: dict[str, list[Member]] = {}
    refusals: list[AccessDenied] = []
    broken = 0
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        for group, answer in zip(groups, pool.map(asked, groups), strict=True):
            if isinstance(answer, AccessDenied):
                refusals.append(answer)
                if not found and len(refusals) > _SIDE_BY_SIDE:
                    pool.shutdown(cancel_futures=True)
                    break
            elif not isinstance(answer, Vanished):
                found[group.email.lower()] = [member for page in answer for member in page.members]
                broken += sum(page.broken for page in answer)
    if refusals:
        gaps.append(_gap("memberships", refusals[0], "who is in some groups is not known"))
    _note_broken(gaps, "memberships", "members of groups", broken)
    return found


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


def _place(uid: str, kind: str, name: str, account: str, parent: str | None = None) -> Resource:
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
        reason = f"{count} {what} are not told as Google's documentation promises"
        gaps.append(Gap(table=table, outcome=Outcome.PARTIAL, reason=reason))


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
