"""All that the connector asks Microsoft: what hangs on each answer, with which permission it is asked, its cost.

Cheap to import. Addresses are templates; `api.builders` has Microsoft's own client confirm those of Graph.

Resource units: "Avoid getting throttled or blocked in SharePoint Online" (2025-10): a single item or a delta with token
one, a list or a delta without token two, anything about permissions five. The directory has separate limits.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cloudscan.connector import Question
from cloudscan.facts import EVERYTHING, Hidden
from cloudscan_m365 import permissions as needs

LIST = "value"
"""The member of an answer that Graph and SharePoint write for every list, even for an empty one."""


@dataclass(frozen=True, kw_only=True)
class GraphQuestion(Question):
    """One kind of request to Microsoft Graph."""

    path: str  # after /v1.0/; {} is the place of an id
    units: float = 0.0  # resource units; 0: not a question to SharePoint
    prefer: str = ""
    method: str = "GET"  # POST only where Graph takes a question no other way


@dataclass(frozen=True, kw_only=True)
class SharePointQuestion(Question):
    """One kind of request to SharePoint's own API, which Graph lacks."""

    path: str  # after the address of the site or the administration; {} is the place of an id
    units: float = 2.0
    body: bytes | None = None  # asked by POST, where there is one


def _rows(table: str, *kinds: str) -> Hidden:
    return Hidden(table=table, kinds=kinds)


def _values(*names: str) -> Hidden:
    """The values of these settings."""
    return _columns("settings", *(f"value.{name}" for name in names))


def _columns(table: str, *columns: str, kinds: Sequence[str] = ()) -> Hidden:
    return Hidden(table=table, columns=columns, kinds=tuple(kinds))


_CONTAINERS = ("group", "team", "channel")
_ANYTHING = (Hidden(table=EVERYTHING),)
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
"""The settings of a tenant, by the question that they come from."""

_SETTING = (_columns("settings", "value"),)
_SITE_SETTINGS = (
    *_SETTING,
    _columns("resources", "label", "owner_uid", "detail.label_privacy", "detail.sharing", kinds=("site",)),
)
_APPLICATIONS = (_rows("resources", "application"), _rows("principals", "service"))
_CHANNELS = (_rows("resources", "channel"), _rows("grants", "channel"), _rows("memberships"))
_CHANNEL_CONTENTS = (_rows("memberships"), _columns("resources", "detail", "owner_uid", kinds=("channel",)))
_ON_SITES = ("site", "library", "onedrive", "file", "folder", "shortcut")
_SITES = (
    _rows("resources", *_ON_SITES),
    _rows("grants", *_ON_SITES),
    _rows("settings", "site"),
    _rows("memberships", "site_group"),
    _rows("principals", "site_group", "user"),  # people without an account, whom only permissions name
)
_SITE_GROUPS = (
    _rows("memberships"),
    _rows("principals", "site_group"),
    _rows("grants", "site"),
    _columns("settings", "value"),
)

# the directory

ORGANISATION = GraphQuestion(
    name="m365-organisation",
    path="organization",
    needs=needs.USERS,
    hides=(_columns("principals", "affiliation"), _columns("resources", "name", kinds=("tenant",))),
    member=LIST,
)
USERS = GraphQuestion(
    name="m365-users",
    path="users",
    needs=needs.USERS,
    hides=(_rows("principals", "user", "guest"), _rows("memberships", "group", "site_group")),
    member=LIST,
)
MANAGERS = GraphQuestion(
    name="m365-managers",
    path="users",
    needs=needs.USERS,
    hides=(_columns("principals", "sponsor_uid", kinds=("user",)),),
    member=LIST,
)
SIGN_INS = GraphQuestion(
    name="m365-sign-ins",
    path="users",
    needs=needs.SIGN_INS,
    hides=(_columns("principals", "last_seen_on", kinds=("user", "guest")),),
    member=LIST,
)
AUDITS = GraphQuestion(
    name="m365-invitations",
    path="auditLogs/directoryAudits",
    needs=needs.SIGN_INS,
    hides=(_columns("principals", "detail.invited_by", kinds=("guest",)),),
    member=LIST,
)
GROUPS = GraphQuestion(
    name="m365-groups",
    path="groups",
    needs=needs.GROUPS,
    hides=(
        _rows("principals", "group"),
        _rows("resources", *_CONTAINERS),
        _rows("memberships", "group"),
        _rows("grants", "channel"),
    ),
    member=LIST,
)
GROUP_MEMBERS = GraphQuestion(
    name="m365-group-members",
    path="groups/{}/members",
    needs=needs.GROUPS,
    hides=(_rows("memberships"), _columns("resources", "detail.members", "detail.guests", kinds=("group", "team"))),
    member=LIST,
)
GROUP_OWNERS = GraphQuestion(
    name="m365-group-owners",
    path="groups/{}/owners",
    needs=needs.GROUPS,
    hides=(
        _rows("memberships"),
        _columns("resources", "owner_uid", "detail.owners", "detail.owners_guest", kinds=("group", "team")),
    ),
    member=LIST,
)
SERVICE = GraphQuestion(
    name="m365-service-roles",
    path="servicePrincipals(appId='{}')",
    needs=needs.APPLICATIONS,
    hides=_APPLICATIONS,
    member="appRoles",
)
ASSIGNMENTS = GraphQuestion(
    name="m365-role-assignments",
    path="servicePrincipals/{}/appRoleAssignedTo",
    needs=needs.APPLICATIONS,
    hides=_APPLICATIONS,
    member=LIST,
)
APPLICATION = GraphQuestion(
    name="m365-application",
    path="servicePrincipals/{}",
    needs=needs.APPLICATIONS,
    hides=_APPLICATIONS,
    member="id",
)
LABELS = GraphQuestion(
    name="m365-labels",
    path="security/dataSecurityAndGovernance/sensitivityLabels",
    needs=needs.LABELS,
    hides=(_columns("resources", "label", "detail.label_privacy", kinds=("site", "file")),),
    member=LIST,
)
SHARING = GraphQuestion(
    name="m365-sharing-settings",
    path="admin/sharepoint/settings",
    needs=needs.TENANT_SETTINGS,
    units=1,
    hides=(_values(*FROM_GRAPH),),
    member="sharingCapability",
)
AUTHORIZATION = GraphQuestion(
    name="m365-guest-settings",
    path="policies/authorizationPolicy",
    needs=needs.POLICIES,
    hides=(_values(*FROM_POLICY),),
    member="allowInvitesFrom",
)
PARTNERS = GraphQuestion(
    name="m365-partner-tenants",
    path="policies/crossTenantAccessPolicy/partners",
    needs=needs.POLICIES,
    hides=(_columns("resources", "detail.unlisted_tenants", kinds=("channel",)),),
    member=LIST,
)
TENANT = GraphQuestion(
    name="m365-tenant-names",
    path="tenantRelationships/findTenantInformationByTenantId(tenantId='{}')",
    needs=needs.TENANT_NAMES,
    hides=(_columns("resources", "detail.unlisted_tenants", kinds=("channel",)),),
    member="tenantId",
)
CHANNELS = GraphQuestion(
    name="m365-channels",
    path="teams/{}/channels",
    needs=needs.CHANNELS,
    hides=_CHANNELS,
    prefer="include-unknown-enum-members",
    member=LIST,
)
PRIVATE_MEMBERS = GraphQuestion(
    name="m365-private-channel-members",
    path="teams/{}/channels/{}/members",
    needs=needs.CHANNEL_MEMBERS,
    hides=_CHANNEL_CONTENTS,
    member=LIST,
)
SHARED_MEMBERS = GraphQuestion(
    name="m365-shared-channel-members",
    path="teams/{}/channels/{}/allMembers",
    needs=needs.CHANNEL_MEMBERS,
    hides=_CHANNEL_CONTENTS,
    member=LIST,
)
SHARED_WITH = GraphQuestion(
    name="m365-shared-channel-teams",
    path="teams/{}/channels/{}/sharedWithTeams",
    needs=needs.CHANNELS,
    hides=(_columns("resources", "detail.unlisted_tenants", kinds=("channel",)),),
    member=LIST,
)

# sites

ALL_SITES = GraphQuestion(
    name="m365-sites",
    path="sites/getAllSites",
    needs=needs.SITES,
    units=2,
    hides=_SITES,
    member=LIST,
    names_scopes=True,
)
CHOSEN_SITE = GraphQuestion(
    name="m365-site-by-address",
    path="sites/{}:/{}",
    needs=needs.SITES,
    units=1,
    hides=_SITES,
    member="id",
    names_scopes=True,
)
SUBSITES = GraphQuestion(
    name="m365-subsites",
    path="sites/{}/sites",
    needs=needs.SITES,
    units=2,
    hides=_ANYTHING,
    member=LIST,
    names_scopes=True,
)
DRIVES = GraphQuestion(
    name="m365-libraries",
    path="sites/{}/drives",
    needs=needs.SITES,
    units=2,
    hides=_ANYTHING,
    member=LIST,
    names_scopes=True,
)
LISTS = GraphQuestion(
    name="m365-lists",
    path="sites/{}/lists",
    needs=needs.SITES,
    units=2,
    member=LIST,
)
SITE_APPLICATIONS = GraphQuestion(
    name="m365-site-applications",
    path="sites/{}/permissions",
    needs=needs.GRAPH_FULL_CONTROL,
    units=5,
    hides=(_rows("grants", "site"),),
    member=LIST,
)
SITE_APPLICATION = GraphQuestion(
    name="m365-site-application",
    path="sites/{}/permissions/{}",
    needs=needs.GRAPH_FULL_CONTROL,
    units=5,
    hides=(_columns("grants", "access"),),
    member="id",
)
ROOT_SITE = GraphQuestion(
    name="m365-root-site",
    path="sites/root",
    needs=needs.SITES,
    units=1,
    hides=_SITE_SETTINGS,
    member="webUrl",
)

# libraries and OneDrives

_SHARING_HEADERS = (
    "hierarchicalsharing, deltashowremovedasdeleted, deltatraversepermissiongaps, deltashowsharingchanges"
)
ITEMS = GraphQuestion(
    name="m365-items",
    path="drives/{}/root/delta",
    needs=needs.SITES,
    units=2,
    prefer=_SHARING_HEADERS,
    hides=_ANYTHING,
    member=LIST,
)
CHANGES = GraphQuestion(
    name="m365-changes",
    path="drives/{}/root/delta",
    needs=needs.SITES,
    units=1,
    prefer=_SHARING_HEADERS,
    hides=_ANYTHING,
    member=LIST,
)
"""`ITEMS` starts without a token, `CHANGES` follows a link with one."""
ITEM = GraphQuestion(
    name="m365-item",
    path="drives/{}/items/{}",
    needs=needs.SITES,
    units=1,
    hides=_ANYTHING,
    member="id",
)
CHILDREN = GraphQuestion(
    name="m365-folder",
    path="drives/{}/items/{}/children",
    needs=needs.SITES,
    units=2,
    hides=_ANYTHING,
    member=LIST,
)
PERMISSIONS = GraphQuestion(
    name="m365-item-permissions",
    path="drives/{}/items/{}/permissions",
    needs=needs.SITES,
    units=5,
    hides=(_rows("grants"), _rows("principals", "user")),
    member=LIST,
)
FILE_LABELS = GraphQuestion(
    name="m365-file-labels",
    path="drives/{}/items/{}/extractSensitivityLabels",
    needs=needs.SITES,
    units=2,
    method="POST",  # only reads, despite its name
    hides=(_columns("resources", "label", kinds=("file",)),),
    member="labels",
)

# whether single things still exist

USER = GraphQuestion(name="m365-user", path="users/{}", needs=needs.USERS, member="id")
GROUP = GraphQuestion(name="m365-group", path="groups/{}", needs=needs.GROUPS, member="id")
SITE = GraphQuestion(name="m365-site", path="sites/{}", needs=needs.SITES, units=1, member="id")
DRIVE = GraphQuestion(name="m365-library", path="drives/{}", needs=needs.SITES, units=1, member="id")

# SharePoint's own API

ADMINISTRATION = SharePointQuestion(
    name="m365-administration",
    path="/_api/SPO.Tenant",
    needs=needs.FULL_CONTROL,
    hides=_SITE_SETTINGS,
    member="SharingCapability",
)
SITES_PROPERTIES = SharePointQuestion(
    name="m365-sites-properties",
    path="/_api/SPO.Tenant/getSitePropertiesFromSharePointByFilters",
    needs=needs.FULL_CONTROL,
    body=b'{"speFilter":{"StartIndex":"","IncludePersonalSite":1,"IncludeDetail":true}}',
    hides=_SITE_SETTINGS,
    member=LIST,
)
SITE_PROPERTIES = SharePointQuestion(
    name="m365-site-properties",
    path="/_api/SPO.Tenant/sites('{}')",
    needs=needs.FULL_CONTROL,
    hides=_SITE_SETTINGS,
    member="SharingCapability",
)
SITE_GROUPS = SharePointQuestion(
    name="m365-site-groups",
    path="/_api/web/sitegroups?$expand=Users",
    needs=needs.FULL_CONTROL,
    hides=_SITE_GROUPS,
    member=LIST,
)
SITE_ROLES = SharePointQuestion(
    name="m365-site-roles",
    path="/_api/web/roleassignments?$expand=Member,RoleDefinitionBindings",
    needs=needs.FULL_CONTROL,
    hides=(_rows("grants", "site"), _values("owners")),
    member=LIST,
)
SITE_ADMINISTRATORS = SharePointQuestion(
    name="m365-site-administrators",
    path="/_api/web/siteusers?$filter=IsSiteAdmin%20eq%20true",
    needs=needs.FULL_CONTROL,
    hides=(_values("owners"),),
    member=LIST,
)
SITE_INHERITANCE = SharePointQuestion(
    name="m365-site-inheritance",
    path="/_api/web?$select=HasUniqueRoleAssignments",
    needs=needs.FULL_CONTROL,
    hides=(_columns("grants", "origin_uid", "inherited"),),
    member="HasUniqueRoleAssignments",
)

GRAPH: Sequence[GraphQuestion] = (
    ORGANISATION,
    USERS,
    MANAGERS,
    SIGN_INS,
    AUDITS,
    GROUPS,
    GROUP_MEMBERS,
    GROUP_OWNERS,
    SERVICE,
    ASSIGNMENTS,
    APPLICATION,
    LABELS,
    SHARING,
    AUTHORIZATION,
    PARTNERS,
    TENANT,
    CHANNELS,
    PRIVATE_MEMBERS,
    SHARED_MEMBERS,
    SHARED_WITH,
    ALL_SITES,
    CHOSEN_SITE,
    SUBSITES,
    DRIVES,
    LISTS,
    SITE_APPLICATIONS,
    SITE_APPLICATION,
    ROOT_SITE,
    ITEMS,
    CHANGES,
    ITEM,
    CHILDREN,
    PERMISSIONS,
    FILE_LABELS,
    USER,
    GROUP,
    SITE,
    DRIVE,
)
SHAREPOINT: Sequence[SharePointQuestion] = (
    ADMINISTRATION,
    SITES_PROPERTIES,
    SITE_PROPERTIES,
    SITE_GROUPS,
    SITE_ROLES,
    SITE_ADMINISTRATORS,
    SITE_INHERITANCE,
)
QUESTIONS: Sequence[Question] = (*GRAPH, *SHAREPOINT)
"""Every question of this connector."""

EXPORT = Question(
    name="m365-data-connect",
    hides=(
        _rows("resources", "site", "library", "onedrive", "folder", "file"),
        _rows("grants"),
        _rows("principals", "user"),
    ),
)
EXPORT_GROUPS = Question(
    name="m365-data-connect-groups", hides=(_rows("memberships"), _columns("grants", "audience"), _rows("principals"))
)
EXPORT_FILES = Question(name="m365-data-connect-files", hides=(_rows("resources", "file"), _rows("grants", "file")))
EXPORT_LINKS = Question(
    name="m365-data-connect-links",
    hides=(_columns("grants", "password", "detail.blocks_download", "detail.upload_only"),),
)
EXPORT_DIRECTORY = Question(
    name="m365-data-connect-directory",
    hides=(
        _rows("principals", "user", "group"),
        _columns("principals", "affiliation", "status", "last_seen_on"),
        _columns("grants", "audience"),
    ),
)
EXPORT_QUESTIONS = (EXPORT, EXPORT_GROUPS, EXPORT_FILES, EXPORT_LINKS, EXPORT_DIRECTORY)
"""Those that files of Graph Data Connect answer: nothing is requested for them."""
