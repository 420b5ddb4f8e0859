"""How sharing is set in a tenant and on each of its sites.

Graph tells part of it (sharepointSettings, authorizationPolicy). Default links, ends of links and all that is set for a
single site only SharePoint's administration tells, to an application with a certificate and Sites.FullControl.All.
Sources: those resources; TenantProperties and SiteProperties of Microsoft.Online.SharePoint.TenantAdministration.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import msgspec

from cloudscan.connector import Gap
from cloudscan.errors import AccessDenied
from cloudscan.facts import Setting
from cloudscan_m365.api.client import Graph
from cloudscan_m365.api.endpoints import Question
from cloudscan_m365.api.models import Answer, Text
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.people import People
from cloudscan_m365.permissions import FULL_CONTROL, POLICIES, SITES, TENANT_SETTINGS
from cloudscan_m365.scopes.gaps import gap

_SHARING = Question(path="admin/sharepoint/settings", needs=TENANT_SETTINGS, units=1)
_AUTHORIZATION = Question(path="policies/authorizationPolicy", needs=POLICIES)
_ROOT = Question(path="sites/root", needs=SITES, units=1)

Values = dict[str, str | None]
Settings = Mapping[str, str | None]
CAPABILITIES = ("disabled", "new_and_existing", "anyone", "existing")
"""Words for SharingCapability, by SharePoint's numbers."""

LINK_TYPES = ("none", "direct", "internal", "anonymous")
LINK_PERMISSIONS = ("none", "view", "edit")
DOMAIN_MODES = ("none", "allow", "block")
_LINK_SCOPES = ("anonymous", "internal", "direct")
_GRAPH_CAPABILITIES = {
    "disabled": "disabled",
    "existingExternalUserSharingOnly": "existing",
    "externalUserSharingOnly": "new_and_existing",
    "externalUserAndGuestSharing": "anyone",
}
_GRAPH_DOMAIN_MODES = {"none": "none", "allowList": "allow", "blockList": "block"}
_INVITERS = {
    "none": "none",
    "adminsAndGuestInviters": "admins",
    "adminsGuestInvitersAndAllMembers": "admins_and_members",
    "everyone": "everyone",
}
_GUEST_ROLES = {
    "a0b1b346-4d3e-4e8b-98f8-753987be4970": "member",
    "10dae51f-b6af-4016-8d66-8c2a99b929b3": "guest",
    "2af84b1e-32c8-42b7-82bc-daa82404023b": "restricted",
}
FROM_GRAPH = (
    "sharing_capability",
    "resharing_by_external",
    "domain_restriction",
    "require_same_account",
    "legacy_auth",
    "sync_only_from_domains",
    "idle_signout",
)
FROM_POLICY = ("guest_invites", "guest_role")
FROM_ADMINISTRATION = (
    "onedrive_sharing_capability",
    "default_link_type",
    "default_link_permission",
    "anonymous_link_expires_days",
    "anonymous_file_link",
    "anonymous_folder_link",
    "guest_access_expires_days",
    "email_attestation_days",
    "infected_download_blocked",
    "external_groups_only",
    "b2b_integration",
    "everyone_claim_shown",
    "everyone_except_external_shown",
)
"""What is told of a tenant, by whom. What could not be read is told as unknown."""


class _Idle(Answer, frozen=True, kw_only=True):
    is_enabled: bool | None = None


class _SharePoint(Answer, frozen=True, kw_only=True):
    sharing_capability: Text = None
    is_resharing_by_external_users_enabled: bool | None = None
    is_require_accepting_user_to_match_invited_user_enabled: bool | None = None
    is_legacy_auth_protocols_enabled: bool | None = None
    is_unmanaged_sync_app_for_tenant_restricted: bool | None = None
    sharing_domain_restriction_mode: Text = None
    idle_session_sign_out: _Idle | None = None


class _Authorization(Answer, frozen=True, kw_only=True):
    allow_invites_from: Text = None
    guest_user_role_id: Text = None


class _Place(Answer, frozen=True, kw_only=True):
    web_url: Text = ""


class Administration(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """What SharePoint's administration tells of the tenant. None: it did not."""

    sharing_capability: int | None = None
    one_drive_sharing_capability: int | None = None
    default_sharing_link_type: int | None = None
    core_default_share_link_scope: int | None = None
    default_link_permission: int | None = None
    require_anonymous_links_expire_in_days: int | None = None
    file_anonymous_link_type: int | None = None
    folder_anonymous_link_type: int | None = None
    external_user_expiration_required: bool | None = None
    external_user_expire_in_days: int | None = None
    email_attestation_required: bool | None = None
    email_attestation_re_auth_days: int | None = None
    disallow_infected_file_download: bool | None = None
    guest_sharing_group_allow_list_in_tenant_by_principal_identity: list[object] | None = None
    enable_b2b: bool | None = msgspec.field(name="EnableAzureADB2BIntegration", default=None)
    show_everyone_claim: bool | None = None
    show_all_users_claim: bool | None = None
    show_everyone_except_external_users_claim: bool | None = None
    prevent_external_users_from_resharing: bool | None = None
    require_accepting_account_match_invited_account: bool | None = None
    legacy_auth_protocols_enabled: bool | None = None
    is_unmanaged_sync_client_for_tenant_restricted: bool | None = None
    sharing_domain_restriction_mode: int | None = None
    sharing_allowed_domain_list: str | None = None
    sharing_blocked_domain_list: str | None = None


def read_tenant(graph: Graph, gaps: list[Gap]) -> tuple[Values, Administration | None, str]:
    """The tenant's settings; what the administration tells, None where it may not be asked; its address."""
    values: Values = dict.fromkeys((*FROM_GRAPH, *FROM_POLICY, *FROM_ADMINISTRATION))
    address = _administration(graph)
    told: Administration | None = None
    try:
        told = graph.sharepoint(Administration, f"{address}/_api/SPO.Tenant", needs=FULL_CONTROL)
        values |= _from_administration(told)
    except AccessDenied as refused:
        gaps.append(gap("settings", refused, "default links, ends of links and settings of sites are not known"))
    try:
        values |= {name: value for name, value in _from_graph(graph).items() if value is not None}
    except AccessDenied as refused:
        gaps.append(gap("settings", refused, "the tenant's sharing settings could not be read from Graph"))
    try:
        values |= _from_policy(graph)
    except AccessDenied as refused:
        gaps.append(gap("settings", refused, "who may invite guests, and what they see, is not known"))
    return values, told, address if told else ""


def settings_of_tenant(values: Values, people: People) -> Iterator[Setting]:
    """One fact for each setting."""
    for name, value in values.items():
        yield Setting(scope_uid=uids.tenant(people.tenant), name=name, value=value)


def chosen(words: tuple[str, ...], number: int | None) -> str | None:
    """The word for a number; None for one that did not exist when this was written."""
    return words[number] if number is not None and 0 <= number < len(words) else None


def truth(value: bool | None) -> str | None:
    return None if value is None else "true" if value else "false"


def _from_graph(graph: Graph) -> Values:
    told = graph.ask(_SharePoint, _SHARING)
    idle = told.idle_session_sign_out
    return {
        "sharing_capability": _GRAPH_CAPABILITIES.get(told.sharing_capability or ""),
        "resharing_by_external": truth(told.is_resharing_by_external_users_enabled),
        "domain_restriction": _GRAPH_DOMAIN_MODES.get(told.sharing_domain_restriction_mode or ""),
        "require_same_account": truth(told.is_require_accepting_user_to_match_invited_user_enabled),
        "legacy_auth": truth(told.is_legacy_auth_protocols_enabled),
        "sync_only_from_domains": truth(told.is_unmanaged_sync_app_for_tenant_restricted),
        "idle_signout": truth(idle.is_enabled if idle else None),
    }


def _from_policy(graph: Graph) -> Values:
    told = graph.ask(_Authorization, _AUTHORIZATION, select="allowInvitesFrom,guestUserRoleId")
    return {
        "guest_invites": _INVITERS.get(told.allow_invites_from or ""),
        "guest_role": _GUEST_ROLES.get((told.guest_user_role_id or "").lower()),
    }


def _from_administration(told: Administration) -> Values:
    groups = told.guest_sharing_group_allow_list_in_tenant_by_principal_identity
    return {
        "sharing_capability": chosen(CAPABILITIES, told.sharing_capability),
        "resharing_by_external": truth(_not(told.prevent_external_users_from_resharing)),
        "domain_restriction": chosen(DOMAIN_MODES, told.sharing_domain_restriction_mode),
        "require_same_account": truth(told.require_accepting_account_match_invited_account),
        "legacy_auth": truth(told.legacy_auth_protocols_enabled),
        "sync_only_from_domains": truth(told.is_unmanaged_sync_client_for_tenant_restricted),
        "onedrive_sharing_capability": chosen(CAPABILITIES, told.one_drive_sharing_capability),
        # The scope came later and wins where it is set (-1: it is not).
        "default_link_type": chosen(_LINK_SCOPES, told.core_default_share_link_scope)
        or chosen(LINK_TYPES, told.default_sharing_link_type),
        "default_link_permission": chosen(LINK_PERMISSIONS, told.default_link_permission),
        "anonymous_link_expires_days": _days(True, told.require_anonymous_links_expire_in_days),
        "anonymous_file_link": chosen(LINK_PERMISSIONS, told.file_anonymous_link_type),
        "anonymous_folder_link": chosen(LINK_PERMISSIONS, told.folder_anonymous_link_type),
        "guest_access_expires_days": _days(told.external_user_expiration_required, told.external_user_expire_in_days),
        "email_attestation_days": _days(told.email_attestation_required, told.email_attestation_re_auth_days),
        "infected_download_blocked": truth(told.disallow_infected_file_download),
        "external_groups_only": None if groups is None else truth(bool(groups)),
        "b2b_integration": truth(told.enable_b2b),
        "everyone_claim_shown": truth(_either(told.show_everyone_claim, told.show_all_users_claim)),
        "everyone_except_external_shown": truth(told.show_everyone_except_external_users_claim),
    }


def _administration(graph: Graph) -> str:
    """The address of the administration: kumo-admin.sharepoint.com beside kumo.sharepoint.com."""
    parts = urlsplit(graph.ask(_Place, _ROOT, select="webUrl").web_url or "")
    name, _, rest = parts.netloc.partition(".")
    return f"https://{name}-admin.{rest}"


def _days(wanted: bool | None, days: int | None) -> str | None:
    """A number of days; 0: never. SharePoint says -1 for it too."""
    if wanted is None or days is None:
        return None
    return str(max(days, 0)) if wanted else "0"


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _either(one: bool | None, other: bool | None) -> bool | None:
    return one if other is None else other if one is None else one or other
