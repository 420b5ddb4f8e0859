"""Reading the directory and the sharing settings of a Workspace customer.

Each list is a question of its own: one that fails, or lacks what cannot be missing from it, costs what hangs on its
answer, and drives are read all the same.

Sources: discovery documents of Admin Directory v1 and Cloud Identity v1; Policy API, "Drive and Docs settings".
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, TypeVar

from msgspec.structs import replace

from cloudscan.connector import Estate, Gap, Question
from cloudscan.facts import Hidden, Resource, Setting
from cloudscan.reason import Reason
from cloudscan_gdrive import questions
from cloudscan_gdrive.api.client import Everything, Google
from cloudscan_gdrive.api.models import (
    Domain,
    Domains,
    Groups,
    Policies,
    Policy,
    Unit,
    Units,
    User,
    Users,
)
from cloudscan_gdrive.codes import Code
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.accounts import is_guest
from cloudscan_gdrive.meaning.people import Lists, People, people_of
from cloudscan_gdrive.meaning.sharing_settings import Made, camel, effective, value_of
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.scopes.groups import OfGroups, members_of_groups, not_asked, settings_of_groups
from cloudscan_gdrive.settings import SETTINGS

_Entry = TypeVar("_Entry")
_USERS: Final = (
    "nextPageToken,users(id,primaryEmail,name(fullName),suspended,suspensionTime,suspensionReason,archived,archivalTime,"
    "isGuestUser,guestAccountInfo(primaryGuestEmail),lastLoginTime,creationTime,orgUnitPath,aliases,nonEditableAliases,"
    "emails,recoveryEmail,relations,organizations,externalIds)"
)
_GROUPS: Final = "nextPageToken,groups(id,email,name,directMembersCount,aliases,nonEditableAliases)"
_LICENCE: Final = re.compile(r"/product/[^'\"\]\s]+")
_SETTINGS: Final = "setting.type.matches('drive_and_docs.*') || setting.type.matches('groups_for_business.*')"

KNOWN_SETTINGS: Final = tuple(
    spec.name
    for spec in SETTINGS
    if spec.name.startswith(("drive_and_docs.", "groups_for_business.")) and "*" not in spec.name
)
"""What is unknown where the policies cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Directory:
    """Everything that was read; `gaps` is what could not be."""

    people: People
    lists: Lists
    units: Sequence[Unit] = ()
    top_unit: str = ""  # the id of the top org unit; empty: it is not known
    policies: Sequence[Policy] = ()
    all_policies_read: bool = True  # else none of the settings is certain: any policy may override another
    gaps: Sequence[Gap] = field(default_factory=tuple)


def read_directory(google: Google, estate: Estate, options: Options) -> Directory:
    """Read domains, users, groups, units and settings, as the administrator. Whatever fails is a gap."""
    admin, customer = options.admin, options.customer
    users = _users(google, admin, customer)
    domains = _domains(google, admin, customer)
    groups = google.everything(Groups, google.groups, admin, customer=customer, fields=_GROUPS, maxResults=200)
    members = members_of_groups(google, admin, groups.entries)
    joining = (
        settings_of_groups(google, admin, groups.entries) if options.group_settings else OfGroups(gaps=[not_asked()])
    )
    own = admin.rpartition("@")[2].lower()
    primary = next((domain.domain_name.lower() for domain in domains.entries if domain.is_primary), own)
    lists = Lists(
        domains=_names_of_ours(own, domains, users),
        unverified=_unverified(domains.entries),
        all_domains_read=domains.complete,
        users=users.entries,
        all_users_read=users.complete,
        groups=groups.entries,
        members=members.answers,
        partly_read=frozenset(members.partly_read),
        settings=joining.answers,
    )
    units = google.everything(Units, google.units, admin, customerId=customer, type="allIncludingParent")
    policies = google.everything(Policies, google.policies, admin, uids.tenant(primary), filter=_SETTINGS, pageSize=100)
    top = _top_unit(units.entries, policies.entries)
    return Directory(
        people=people_of(estate, primary, lists),
        lists=lists,
        units=units.entries,
        top_unit=top,
        policies=policies.entries,
        all_policies_read=policies.complete and bool(policies.entries),
        gaps=[
            *users.gaps,
            *domains.gaps,
            *groups.gaps,
            *members.gaps,
            *joining.gaps,
            *_complete(units, questions.UNITS, Code.TOP_UNIT_MISSING, there=any(map(_is_top, units.entries))).gaps,
            *_complete(
                policies, questions.SHARING_SETTINGS, Code.SETTINGS_MISSING, there=bool(policies.entries),
                about=uids.tenant(primary),
            ).gaps,
        ],
    )  # fmt: skip


def facts_of_settings(directory: Directory) -> Iterator[Resource | Setting | Gap]:
    """The tenant, its org units, and what the sharing settings come to for each; gaps for values that say nothing.

    Where it is not known which unit is the top one, whose settings are the tenant's, the settings of units that may be
    are not known either.
    """
    primary = directory.people.primary
    tenant = uids.tenant(primary)
    containers = {tenant: _container(tenant, "tenant", primary, primary)}
    unit_uids: dict[str, str] = {directory.top_unit: tenant} if directory.top_unit else {}
    for unit in directory.units:
        uid = tenant if _is_top(unit) else uids.org_unit(unit.org_unit_id)
        unit_uids[unit.org_unit_id.removeprefix("id:")] = uid
        if uid != tenant:
            containers[uid] = _container(uid, "org_unit", unit.org_unit_path, primary, tenant)
    made = _made(directory, tenant, unit_uids, containers)
    yield from containers.values()
    for uid, name, value in effective(made.settings):
        yield Setting(scope_uid=uid, name=name, value=value)
    for uid, name in sorted(made.odd):
        reason = Reason(code=Code.SETTING_UNKNOWN, values={"name": name})
        hidden = Hidden(table="settings", columns=(f"value.{name}",), below=uid)
        yield replace(questions.SHARING_SETTINGS.lacking(reason, uid), hides=(hidden,))


@dataclass(frozen=True, kw_only=True)
class _Policies:
    """The policies by place."""

    settings: Made
    odd: frozenset[tuple[str, str]]  # place and name of what has no value that is documented, or more than one


def _made(
    directory: Directory, tenant: str, unit_uids: Mapping[str, str], containers: dict[str, Resource]
) -> _Policies:
    """What was made for which place; adds the places that no list of units contains to `containers`."""
    primary = directory.people.primary
    values: dict[tuple[str, str], str | None] = {}
    odd: set[tuple[str, str]] = set()
    by_admin: dict[tuple[str, str], str | None] = {}
    above = {uid: _parent(uid, directory.units, unit_uids, tenant) for uid in containers if uid != tenant}
    if not directory.all_policies_read or not directory.top_unit:
        values.update({(tenant, name): None for name in KNOWN_SETTINGS})
    for policy in sorted(directory.policies, key=lambda policy: policy.type == "ADMIN"):
        query = policy.policy_query
        identity = query.org_unit.removeprefix("orgUnits/")
        uid = unit_uids.get(identity, "")
        licences = ",".join(_LICENCE.findall(query.query))
        if query.group or not uid or licences:
            name = query.group or (containers[uid].name if uid else "")
            parent = uid or tenant
            uid = uids.org_unit("/".join(filter(None, (query.group or query.org_unit, licences))))
            name = f"{name or uid} ({licences})" if licences else name or uid
            containers[uid] = _container(uid, "org_unit", name, primary, tenant)
            above.setdefault(uid, parent)
        certain = directory.all_policies_read and (directory.top_unit or identity in unit_uids or query.group)
        for field_name, value in policy.setting.value.items():
            key = uid, f"{policy.setting.type.removeprefix('settings/')}.{camel(field_name)}"
            text = value_of(key[1], value)
            if policy.type == "ADMIN" and by_admin.setdefault(key, text) != text:
                text = None
            if certain and text is None:
                odd.add(key)
            values[key] = text if certain else None
    return _Policies(settings=Made(values=values, above=above), odd=frozenset(odd))


def _parent(uid: str, units: Sequence[Unit], unit_uids: Mapping[str, str], tenant: str) -> str:
    """The uid of the nearest unit above a unit."""
    by_path = {unit.org_unit_path: unit_uids[unit.org_unit_id.removeprefix("id:")] for unit in units}
    path = next((path for path, of in by_path.items() if of == uid), "")
    while path := path.rpartition("/")[0]:
        if path in by_path:
            return by_path[path]
    return tenant


def _users(google: Google, admin: str, customer: str) -> Everything[User]:
    """All users; the very administrator who asks cannot be missing."""
    users = google.everything(
        Users, google.users, admin, customer=customer, fields=_USERS, maxResults=500, projection="full"
    )
    me = admin.lower()
    there = any(
        me == address.lower()
        for user in users.entries
        for address in (user.primary_email, *(user.aliases or ()), *(user.non_editable_aliases or ()))
    )
    return _complete(users, questions.USERS, Code.ADMIN_MISSING, there=there, name=admin)


def _domains(google: Google, admin: str, customer: str) -> Everything[Domain]:
    """Our domains; the primary one cannot be missing."""
    domains = google.everything(Domains, google.domains, admin, customer=customer)
    there = any(domain.is_primary for domain in domains.entries) or len(domains.entries) == 1
    whole = _complete(domains, questions.DOMAINS, Code.PRIMARY_DOMAIN_MISSING, there=there)
    unclear = sum(
        domain.verified is None
        or domain.domain_aliases is None
        or any(a.verified is None for a in domain.domain_aliases)
        for domain in domains.entries
    )
    if unclear and whole.complete:
        reason = Reason(code=Code.ENTRIES_MALFORMED, values={"count": unclear})
        return Everything(entries=domains.entries, gaps=[questions.DOMAINS.lacking(reason)])
    return whole


def _names_of_ours(own: str, domains: Everything[Domain], users: Everything[User]) -> list[str]:
    """The administrator's own domain and all verified ones; where not all were read, those of our users too."""
    verified = [domain for domain in domains.entries if domain.verified]  # another may belong to somebody else
    names = [own, *(domain.domain_name for domain in verified)]
    names += [alias.domain_alias_name for domain in verified for alias in domain.domain_aliases or () if alias.verified]
    if not domains.complete:
        names += [
            address.rpartition("@")[2]
            for user in users.entries
            if user.is_guest_user is False and not is_guest(user)
            for address in (user.primary_email, *(user.non_editable_aliases or ()))
        ]
    return list(dict.fromkeys(name.lower() for name in names))


def _unverified(domains: Sequence[Domain]) -> list[str]:
    """Domains and aliases that are listed and not proven to be ours: users may have addresses there."""
    names = [domain.domain_name for domain in domains if not domain.verified]
    aliases = (alias for domain in domains for alias in domain.domain_aliases or ())
    return names + [alias.domain_alias_name for alias in aliases if not alias.verified]


def _complete(
    listed: Everything[_Entry], question: Question, code: Code, *, there: bool, about: str | None = None, **values: str
) -> Everything[_Entry]:
    """A list, with a gap if what cannot be missing from it is not there, unless it has a gap already."""
    if there or not listed.complete:
        return listed
    gap = question.lacking(Reason(code=code, values=values), about)
    return Everything(entries=listed.entries, gaps=[gap])


def _is_top(unit: Unit) -> bool:
    return unit.org_unit_path == "/"


def _top_unit(units: Sequence[Unit], policies: Sequence[Policy]) -> str:
    """The id of the top org unit: as listed, else the one that Google's own defaults are for. Empty: not known."""
    listed = [unit.org_unit_id.removeprefix("id:") for unit in units if _is_top(unit)]
    defaults = {
        policy.policy_query.org_unit.removeprefix("orgUnits/")
        for policy in policies
        if policy.type == "SYSTEM" and policy.policy_query.org_unit and not policy.policy_query.group
    }
    return next(chain(listed, defaults if len(defaults) == 1 else ()), "")


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
