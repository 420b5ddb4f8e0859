"""The sharing settings of a tenant.

Graph returns some of them (sharepointSettings, authorizationPolicy). Default links, link expiry and the settings of
single sites come from SharePoint's administration only, for an application with a certificate and
Sites.FullControl.All.
Sources: those resources; TenantProperties and SiteProperties of Microsoft.Online.SharePoint.TenantAdministration.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec

from cloudscan.errors import Malformed, ProviderError
from cloudscan.facts import Setting
from cloudscan_m365.api.inquiry import Inquiry
from cloudscan_m365.api.models import Answer, Text
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.people import People
from cloudscan_m365.permissions import FULL_CONTROL, SHAREPOINT
from cloudscan_m365.questions import ADMINISTRATION, AUTHORIZATION, FROM_GRAPH, FROM_POLICY, ROOT_SITE, SHARING

Values = dict[str, str | None]
Settings = Mapping[str, str | None]
CAPABILITIES = ("disabled", "new_and_existing", "anyone", "existing")
"""Names for SharingCapability, by SharePoint's numbers."""

LINK_TYPES = ("none", "direct", "internal", "anonymous")
LINK_PERMISSIONS = ("none", "view", "edit")
DOMAIN_MODES = ("none", "allow", "block")
_LINK_SCOPES = ("anonymous", "internal", "direct")
_GRAPH_CAPABILITIES = {
    "disabled": "disabled",
    "existingexternalusersharingonly": "existing",
    "externalusersharingonly": "new_and_existing",
    "externaluserandguestsharing": "anyone",
}
_GRAPH_DOMAIN_MODES = {"none": "none", "allowlist": "allow", "blocklist": "block"}
_INVITERS = {
    "none": "none",
    "adminsandguestinviters": "admins",
    "adminsguestinvitersandallmembers": "admins_and_members",
    "everyone": "everyone",
}
"""Names of settings by Graph's words, in lower case."""

_GUEST_ROLES = {
    "a0b1b346-4d3e-4e8b-98f8-753987be4970": "member",
    "10dae51f-b6af-4016-8d66-8c2a99b929b3": "guest",
    "2af84b1e-32c8-42b7-82bc-daa82404023b": "restricted",
}
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
"""The settings of a tenant that only the administration has. What could not be read is reported as unknown."""


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


class _RootSite(Answer, frozen=True, kw_only=True):
    id: str = ""
    web_url: str


class Administration(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """The tenant's settings in SharePoint's administration. None: it left the setting out."""

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


@dataclass(frozen=True, kw_only=True)
class TenantSettings:
    """The tenant's settings, and the way to those of its sites."""

    values: Settings
    administration: Administration | None  # None: it gave no answer
    address: str  # of the administration; empty: it gave no answer
    allowed: bool  # the application may ask the administration, as far as is known


def read_tenant(inquiry: Inquiry) -> TenantSettings:
    """The tenant's settings, as far as they are answered."""
    values: Values = dict.fromkeys((*FROM_GRAPH, *FROM_POLICY, *FROM_ADMINISTRATION))
    administration: Administration | None = None
    address = _administration_address(inquiry)
    if address and not inquiry.graph.sign_in.by_secret:  # that has a row of its own
        administration = inquiry.sharepoint(Administration, ADMINISTRATION, address)
    if administration is not None:
        values |= _from_administration(administration)
    if (sharing := inquiry.one(_SharePoint, SHARING)) is not None:
        values |= {name: value for name, value in _from_graph(sharing).items() if value is not None}
    authorization = inquiry.one(_Authorization, AUTHORIZATION, select="allowInvitesFrom,guestUserRoleId")
    if authorization is not None:
        values |= _from_policy(authorization)
    return TenantSettings(
        values=values,
        administration=administration,
        address=address if administration else "",
        allowed=_may_ask(inquiry, address),
    )


def _may_ask(inquiry: Inquiry, address: str) -> bool:
    """Whether the application may ask the administration; where that is not known, it may."""
    if inquiry.graph.sign_in.by_secret:
        return False
    try:
        return not address or inquiry.graph.claims(address).has(FULL_CONTROL.removeprefix(SHAREPOINT))
    except ProviderError:
        return True


def settings_of_tenant(values: Settings, people: People) -> Iterator[Setting]:
    """The tenant's settings as facts; None is unknown."""
    for name, value in values.items():
        yield Setting(scope_uid=uids.tenant(people.tenant_id), name=name, value=value)


def chosen(names: tuple[str, ...], number: int | None) -> str | None:
    """The name for a number; None for one that did not exist when this was written."""
    return names[number] if number is not None and 0 <= number < len(names) else None


def truth(value: bool | None) -> str | None:
    """A switch as the text of a setting: true, false or unknown."""
    return None if value is None else "true" if value else "false"


def _from_graph(settings: _SharePoint) -> Values:
    idle = settings.idle_session_sign_out
    return {
        "sharing_capability": _GRAPH_CAPABILITIES.get((settings.sharing_capability or "").lower()),
        "resharing_by_external": truth(settings.is_resharing_by_external_users_enabled),
        "domain_restriction": _GRAPH_DOMAIN_MODES.get((settings.sharing_domain_restriction_mode or "").lower()),
        "require_same_account": truth(settings.is_require_accepting_user_to_match_invited_user_enabled),
        "legacy_auth": truth(settings.is_legacy_auth_protocols_enabled),
        "sync_only_from_domains": truth(settings.is_unmanaged_sync_app_for_tenant_restricted),
        "idle_signout": truth(idle.is_enabled if idle else None),
    }


def _from_policy(policy: _Authorization) -> Values:
    return {
        "guest_invites": _INVITERS.get((policy.allow_invites_from or "").lower()),
        "guest_role": _GUEST_ROLES.get((policy.guest_user_role_id or "").lower()),
    }


def _from_administration(tenant: Administration) -> Values:
    groups = tenant.guest_sharing_group_allow_list_in_tenant_by_principal_identity
    return {
        "sharing_capability": chosen(CAPABILITIES, tenant.sharing_capability),
        "resharing_by_external": truth(_not(tenant.prevent_external_users_from_resharing)),
        "domain_restriction": chosen(DOMAIN_MODES, tenant.sharing_domain_restriction_mode),
        "require_same_account": truth(tenant.require_accepting_account_match_invited_account),
        "legacy_auth": truth(tenant.legacy_auth_protocols_enabled),
        "sync_only_from_domains": truth(tenant.is_unmanaged_sync_client_for_tenant_restricted),
        "onedrive_sharing_capability": chosen(CAPABILITIES, tenant.one_drive_sharing_capability),
        # The scope was added later and takes precedence where it is set (-1: it is not).
        "default_link_type": chosen(_LINK_SCOPES, tenant.core_default_share_link_scope)
        or chosen(LINK_TYPES, tenant.default_sharing_link_type),
        "default_link_permission": chosen(LINK_PERMISSIONS, tenant.default_link_permission),
        "anonymous_link_expires_days": _days(True, tenant.require_anonymous_links_expire_in_days),
        "anonymous_file_link": chosen(LINK_PERMISSIONS, tenant.file_anonymous_link_type),
        "anonymous_folder_link": chosen(LINK_PERMISSIONS, tenant.folder_anonymous_link_type),
        "guest_access_expires_days": _days(
            tenant.external_user_expiration_required, tenant.external_user_expire_in_days
        ),
        "email_attestation_days": _days(tenant.email_attestation_required, tenant.email_attestation_re_auth_days),
        "infected_download_blocked": truth(tenant.disallow_infected_file_download),
        "external_groups_only": None if groups is None else truth(bool(groups)),
        "b2b_integration": truth(tenant.enable_b2b),
        "everyone_claim_shown": truth(_either(tenant.show_everyone_claim, tenant.show_all_users_claim)),
        "everyone_except_external_shown": truth(tenant.show_everyone_except_external_users_claim),
    }


def _administration_address(inquiry: Inquiry) -> str:
    """The address of the administration: kumo-admin.sharepoint.com beside kumo.sharepoint.com; empty if unknown."""
    root = inquiry.one(_RootSite, ROOT_SITE, select="id,webUrl")
    name, _, rest = urlsplit(root.web_url if root else "").netloc.partition(".")
    if root and not rest:
        inquiry.gaps.append(ROOT_SITE.gap(Malformed("graph-no-address")))
    return f"https://{name}-admin.{rest}" if rest else ""


def _days(required: bool | None, days: int | None) -> str | None:
    """A number of days; 0: never, for which SharePoint also writes -1."""
    if required is None or days is None:
        return None
    return str(max(days, 0)) if required else "0"


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _either(one: bool | None, other: bool | None) -> bool | None:
    return one if other is None else other if one is None else one or other
