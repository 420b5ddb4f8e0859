"""The settings that the Google Drive connector yields, on the tenant, its organisational units and shared drives.

Those that start with ``drive_and_docs.`` or ``groups_for_business.`` keep the names and values of Google's Policy API
("Settings available in the API" in the Cloud Identity documentation); the others follow the `restrictions` of the Drive
API's `drives` resource.
"""

from typing import Final

from cloudscan.connector import SettingSpec, SettingType

SETTINGS: Final = (
    SettingSpec(
        name="domain_users_only",
        type=SettingType.SWITCH,
        meaning="only users of the organisation have access to the shared drive",
    ),
    SettingSpec(
        name="drive_members_only",
        type=SettingType.SWITCH,
        meaning="files in the shared drive cannot be shared with non-members",
    ),
    SettingSpec(
        name="copy_requires_writer",
        type=SettingType.SWITCH,
        meaning="viewers and commenters of the shared drive cannot download, print or copy",
    ),
    SettingSpec(
        name="folders_shared_by_managers_only",
        type=SettingType.SWITCH,
        meaning="only managers of the shared drive can share its folders",
    ),
    SettingSpec(
        name="managers_set_restrictions",
        type=SettingType.SWITCH,
        meaning="managers, not only administrators, can change the shared drive's restrictions",
    ),
    SettingSpec(name="managers", type=SettingType.NUMBER, meaning="active managers of the shared drive"),
    SettingSpec(
        name="drive_and_docs.external_sharing.externalSharingMode",
        type=SettingType.CHOICE,
        choices=("DISALLOWED", "ALLOWLISTED_DOMAINS", "ALLOWED"),
        meaning="with which domains files can be shared",
    ),
    SettingSpec(
        name="drive_and_docs.external_sharing.allowReceivingExternalFiles",
        type=SettingType.SWITCH,
        meaning="users can receive files from anyone outside the organisation",
    ),
    SettingSpec(
        name="drive_and_docs.external_sharing.allowReceivingFilesOutsideAllowlistedDomains",
        type=SettingType.SWITCH,
        meaning="where sharing is limited to allowlisted domains, users can receive files from others",
    ),
    SettingSpec(
        name="drive_and_docs.external_sharing.allowNonGoogleInvitesInAllowlistedDomains",
        type=SettingType.SWITCH,
        meaning="files can be shared with people in allowlisted domains who have no Google account",
    ),
    SettingSpec(
        name="drive_and_docs.external_sharing.warnForExternalSharing",
        type=SettingType.SWITCH,
        meaning="users are warned before sharing externally",
    ),
    SettingSpec(
        name="drive_and_docs.external_sharing.warnForSharingOutsideAllowlistedDomains",
        type=SettingType.SWITCH,
        meaning="users are warned before sharing with an allowlisted domain",
    ),
    SettingSpec(
        name="drive_and_docs.external_sharing.allowNonGoogleInvites",
        type=SettingType.SWITCH,
        meaning="files can be shared with people who have no Google account",
    ),
    SettingSpec(
        name="drive_and_docs.external_sharing.allowPublishingFiles",
        type=SettingType.SWITCH,
        meaning="files can be published to the web or made visible to anyone with the link",
    ),
    SettingSpec(
        name="drive_and_docs.external_sharing.accessCheckerSuggestions",
        type=SettingType.CHOICE,
        choices=("RECIPIENTS_ONLY", "RECIPIENTS_OR_AUDIENCE", "RECIPIENTS_OR_AUDIENCE_OR_PUBLIC"),
        meaning="how widely Drive suggests sharing when a recipient cannot open a file",
    ),
    SettingSpec(
        name="drive_and_docs.external_sharing.allowedPartiesForDistributingContent",
        type=SettingType.CHOICE,
        choices=("NONE", "ELIGIBLE_INTERNAL_USERS", "ALL_ELIGIBLE_USERS"),
        meaning="who can move content into drives of other organisations",
    ),
    SettingSpec(
        name="drive_and_docs.general_access_default.defaultFileAccess",
        type=SettingType.CHOICE,
        choices=("PRIVATE_TO_OWNER", "PRIMARY_AUDIENCE_WITH_LINK", "PRIMARY_AUDIENCE_WITH_LINK_OR_SEARCH"),
        meaning="who has access to a new file",
    ),
    SettingSpec(
        name="drive_and_docs.shared_drive_creation.allowSharedDriveCreation",
        type=SettingType.SWITCH,
        meaning="users can create shared drives",
    ),
    SettingSpec(
        name="drive_and_docs.shared_drive_creation.allowManagersToOverrideSettings",
        type=SettingType.SWITCH,
        meaning="managers can override the settings of their shared drives",
    ),
    SettingSpec(
        name="drive_and_docs.shared_drive_creation.allowExternalUserAccess",
        type=SettingType.SWITCH,
        meaning="new shared drives can be shared with external users",
    ),
    SettingSpec(
        name="drive_and_docs.shared_drive_creation.allowNonMemberAccess",
        type=SettingType.SWITCH,
        meaning="files in new shared drives can be shared with non-members",
    ),
    SettingSpec(
        name="drive_and_docs.shared_drive_creation.allowedPartiesForDownloadPrintCopy",
        type=SettingType.TEXT,
        meaning="who can download, print and copy files in new shared drives",
    ),
    SettingSpec(
        name="drive_and_docs.file_security_update.securityUpdate",
        type=SettingType.CHOICE,
        choices=("APPLY_TO_IMPACTED_FILES", "REMOVE_FROM_IMPACTED_FILES"),
        meaning="whether links to older files need a key that cannot be guessed",
    ),
    SettingSpec(
        name="drive_and_docs.drive_for_desktop.allowDriveForDesktop",
        type=SettingType.SWITCH,
        meaning="users can keep files in step with a computer by Drive for desktop",
    ),
    SettingSpec(
        name="drive_and_docs.drive_for_desktop.restrictToAuthorizedDevices",
        type=SettingType.SWITCH,
        meaning="Drive for desktop works on authorised devices only",
    ),
    SettingSpec(
        name="drive_and_docs.service_status.serviceState",
        type=SettingType.CHOICE,
        choices=("ENABLED", "DISABLED"),
        meaning="whether Drive and Docs are switched on",
    ),
    SettingSpec(
        name="groups_for_business.groups_sharing.collaborationCapability",
        type=SettingType.CHOICE,
        choices=("DOMAIN_USERS_ONLY", "ANYONE_CAN_ACCESS"),
        meaning="whether groups can be accessed from outside the organisation",
    ),
    SettingSpec(
        name="groups_for_business.groups_sharing.ownersCanAllowExternalMembers",
        type=SettingType.SWITCH,
        meaning="owners of groups can allow external members",
    ),
    SettingSpec(
        name="groups_for_business.service_status.serviceState",
        type=SettingType.CHOICE,
        choices=("ENABLED", "DISABLED"),
        meaning="whether Groups for Business is switched on",
    ),
    SettingSpec(
        name="groups_for_business.*",
        type=SettingType.TEXT,
        meaning="any other setting of Groups for Business of the Policy API, as Google writes it; structures are JSON",
    ),
    SettingSpec(
        name="drive_and_docs.*",
        type=SettingType.TEXT,
        meaning="any other Drive and Docs setting of the Policy API, as Google writes it; structures are JSON",
    ),
)
"""Every name that a `Setting` of this connector can have."""
