"""The settings that the Microsoft 365 connector yields, on the tenant and on sites.

Sources: the resource types `sharepointSettings` and `authorizationPolicy` of Microsoft Graph, and the tenant and site
properties of the SharePoint administration (`Set-SPOTenant` and `Set-SPOSite` in the PowerShell reference).
"""

from typing import Final

from cloudscan.connector import SettingSpec, SettingType

_SHARING: Final = ("disabled", "existing", "new_and_existing", "anyone")
_LINK_PERMISSIONS: Final = ("none", "view", "edit")

SETTINGS: Final = (
    SettingSpec(
        name="sharing_capability",
        type=SettingType.CHOICE,
        choices=_SHARING,
        meaning="with which external users files can be shared; on the tenant or a site",
    ),
    SettingSpec(
        name="onedrive_sharing_capability",
        type=SettingType.CHOICE,
        choices=_SHARING,
        meaning="with which external users OneDrive files can be shared",
    ),
    SettingSpec(
        name="resharing_by_external", type=SettingType.SWITCH, meaning="guests can share files that they do not own"
    ),
    SettingSpec(
        name="domain_restriction",
        type=SettingType.CHOICE,
        choices=("none", "allow", "block"),
        meaning="whether external domains are limited by a list, and by which kind; on the tenant or a site",
    ),
    SettingSpec(
        name="allowed_domains",
        type=SettingType.TEXT,
        meaning="domains with which a site can be shared, separated by spaces",
    ),
    SettingSpec(
        name="require_same_account",
        type=SettingType.SWITCH,
        meaning="an invitation can be accepted only with the invited account",
    ),
    SettingSpec(
        name="legacy_auth", type=SettingType.SWITCH, meaning="sign-in methods without a second factor are allowed"
    ),
    SettingSpec(
        name="sync_only_from_domains",
        type=SettingType.SWITCH,
        meaning="only computers that joined certain domains can sync files",
    ),
    SettingSpec(name="idle_signout", type=SettingType.SWITCH, meaning="idle browser sessions are signed out"),
    SettingSpec(
        name="guest_invites",
        type=SettingType.CHOICE,
        choices=("none", "admins", "admins_and_members", "everyone"),
        meaning="who can invite guests; `everyone` includes guests",
    ),
    SettingSpec(
        name="guest_role",
        type=SettingType.CHOICE,
        choices=("restricted", "guest", "member"),
        meaning="what guests can see of the directory; `member`: as much as members",
    ),
    SettingSpec(
        name="default_link_type",
        type=SettingType.CHOICE,
        choices=("none", "direct", "internal", "anonymous"),
        meaning="the link that Share creates by default; `none` on a site: as the tenant; on the tenant or a site",
    ),
    SettingSpec(
        name="default_link_permission",
        type=SettingType.CHOICE,
        choices=_LINK_PERMISSIONS,
        meaning="what the default link allows; `none` on a site: as the tenant; on the tenant or a site",
    ),
    SettingSpec(
        name="anonymous_link_expires_days",
        type=SettingType.NUMBER,
        meaning="days within which links for anyone must expire; 0: no expiry; on the tenant or a site",
    ),
    SettingSpec(
        name="anonymous_file_link",
        type=SettingType.CHOICE,
        choices=_LINK_PERMISSIONS,
        meaning="what a link for anyone can allow on a file",
    ),
    SettingSpec(
        name="anonymous_folder_link",
        type=SettingType.CHOICE,
        choices=_LINK_PERMISSIONS,
        meaning="what a link for anyone can allow on a folder",
    ),
    SettingSpec(
        name="guest_access_expires_days",
        type=SettingType.NUMBER,
        meaning="days after which guest access to sites and OneDrives expires; 0: no expiry",
    ),
    SettingSpec(
        name="email_attestation_days",
        type=SettingType.NUMBER,
        meaning="days after which guests with an emailed code must verify again; 0: never",
    ),
    SettingSpec(
        name="infected_download_blocked", type=SettingType.SWITCH, meaning="infected files cannot be downloaded"
    ),
    SettingSpec(
        name="external_groups_only",
        type=SettingType.SWITCH,
        meaning="only members of selected groups can share externally",
    ),
    SettingSpec(
        name="b2b_integration", type=SettingType.SWITCH, meaning="external users become guests in Microsoft Entra"
    ),
    SettingSpec(name="everyone_claim_shown", type=SettingType.SWITCH, meaning='the people picker offers "Everyone"'),
    SettingSpec(
        name="everyone_except_external_shown",
        type=SettingType.SWITCH,
        meaning='the people picker offers "Everyone except external users"',
    ),
    SettingSpec(
        name="tenant_wider",
        type=SettingType.SWITCH,
        meaning="the site is set to share with more people, or with other domains, than the tenant allows",
    ),
    SettingSpec(name="owners", type=SettingType.NUMBER, meaning="active owners of the site"),
)
"""Every name that a `Setting` of this connector can have."""
