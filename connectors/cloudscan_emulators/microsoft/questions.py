"""How the requests of each question look that a scanner may ask, for faults to be planted by the question's name."""

from collections.abc import Mapping

_GRAPH = r"^(GET|POST) /v1\.0/"
_SHAREPOINT = r"^(GET|POST) (/[\w.-]+)*/_api/"

PATTERNS: Mapping[str, str] = {
    "m365-organisation": _GRAPH + r"organization\b",
    "m365-users": _GRAPH + r"users(\?(?!.*signInActivity)|$)",
    "m365-sign-ins": _GRAPH + r"users\?.*signInActivity",
    "m365-invitations": _GRAPH + r"auditLogs/directoryAudits",
    "m365-groups": _GRAPH + r"groups(\?|$)",
    "m365-group-members": _GRAPH + r"groups/[^/]+/members",
    "m365-group-owners": _GRAPH + r"groups/[^/]+/owners",
    "m365-service-roles": _GRAPH + r"servicePrincipals\(appId=",
    "m365-role-assignments": _GRAPH + r"servicePrincipals/[^/]+/appRoleAssignedTo",
    "m365-application": _GRAPH + r"servicePrincipals/[^/?]+(\?|$)",
    "m365-labels": _GRAPH + r"security/dataSecurityAndGovernance/sensitivityLabels",
    "m365-sharing-settings": _GRAPH + r"admin/sharepoint/settings",
    "m365-guest-settings": _GRAPH + r"policies/authorizationPolicy",
    "m365-partner-tenants": _GRAPH + r"policies/crossTenantAccessPolicy/partners",
    "m365-tenant-names": _GRAPH + r"tenantRelationships/findTenantInformationByTenantId",
    "m365-channels": _GRAPH + r"teams/[^/]+/channels(\?|$)",
    "m365-private-channel-members": _GRAPH + r"teams/[^/]+/channels/[^/]+/members",
    "m365-shared-channel-members": _GRAPH + r"teams/[^/]+/channels/[^/]+/allMembers",
    "m365-shared-channel-teams": _GRAPH + r"teams/[^/]+/channels/[^/]+/sharedWithTeams",
    "m365-sites": _GRAPH + r"sites/getAllSites",
    "m365-site-by-address": _GRAPH + r"sites/[^/?:]+:/",
    "m365-subsites": _GRAPH + r"sites/[^/:]+/sites(\?|$)",
    "m365-libraries": _GRAPH + r"sites/[^/:]+/drives(\?|$)",
    "m365-root-site": _GRAPH + r"sites/root(\?|$)",
    "m365-library-root": _GRAPH + r"drives/[^/]+/root(\?|$)",
    "m365-items": _GRAPH + r"drives/[^/]+(/items)?/root/delta(\(\))?(\?(?!.*token=)|$)",
    "m365-changes": _GRAPH + r"drives/[^/]+(/items)?/root/delta.*token",
    "m365-item": _GRAPH + r"drives/[^/]+/items/[^/?]+(\?|$)",
    "m365-folder": _GRAPH + r"drives/[^/]+/items/[^/]+/children",
    "m365-item-permissions": _GRAPH + r"drives/[^/]+/(items/[^/]+|root)/permissions",
    "m365-file-labels": _GRAPH + r"drives/[^/]+/items/[^/]+/extractSensitivityLabels",
    "m365-user": _GRAPH + r"users/[^/?]+(\?|$)",
    "m365-group": _GRAPH + r"groups/[^/?]+(\?|$)",
    "m365-site": _GRAPH + r"sites/(?!root\b|getAllSites)[^/?:]+(\?|$)",
    "m365-library": _GRAPH + r"drives/[^/?]+(\?|$)",
    "m365-administration": _SHAREPOINT + r"SPO\.Tenant$",
    "m365-sites-properties": _SHAREPOINT + r"SPO\.Tenant/getSitePropertiesFromSharePointByFilters",
    "m365-site-properties": _SHAREPOINT + r"SPO\.Tenant/sites\(",
    "m365-site-groups": _SHAREPOINT + r"web/sitegroups",
    "m365-site-roles": _SHAREPOINT + r"web/roleassignments",
    "m365-site-administrators": _SHAREPOINT + r"web/siteusers",
    "m365-site-inheritance": _SHAREPOINT + r"web\?",
}
"""By the question's name: a regular expression that is searched for in ``METHOD path?query``, decoded."""
