"""The application permissions that the Microsoft 365 connector needs, each with its reason.

All of them only read, except SharePoint's own Sites.FullControl.All: nothing less shows the members of hidden site
groups and the settings of sites, and the connector uses it for nothing else.

Source: Microsoft Graph permissions reference; the permission table of each call.
"""

from cloudscan.connector import Permission
from cloudscan.sentence import say

GRAPH_APP = "00000003-0000-0000-c000-000000000000"
SHAREPOINT_APP = "00000003-0000-0ff1-ce00-000000000000"
SHAREPOINT = "SharePoint: "

SITES = "Sites.Read.All"
SELECTED_SITES = "Sites.Selected"
"""Enough where `connectors.m365.sites` names the sites and an administrator has granted each to the application."""
USERS = "User.Read.All"
GROUPS = "GroupMember.Read.All"
HIDDEN_MEMBERS = "Member.Read.Hidden"
SIGN_INS = "AuditLog.Read.All"
LEAVE_DATES = "User-LifeCycleInfo.Read.All"
TEAMS = "Team.ReadBasic.All"
TEAM_MEMBERS = "TeamMember.Read.All"
CHANNELS = "Channel.ReadBasic.All"
CHANNEL_MEMBERS = "ChannelMember.Read.All"
APPLICATIONS = "Application.Read.All"
TENANT_SETTINGS = "SharePointTenantSettings.Read.All"
POLICIES = "Policy.Read.All"
TENANT_NAMES = "CrossTenantInformation.ReadBasic.All"
LABELS = "SensitivityLabels.Read.All"
FULL_CONTROL = SHAREPOINT + "Sites.FullControl.All"
GRAPH_FULL_CONTROL = "Sites.FullControl.All"
"""Not asked for, as it may change everything. Where the application has it, grants to others on sites are read too."""

PERMISSIONS: tuple[Permission, ...] = (
    Permission(name=SITES, reason=say("sites, libraries, OneDrives, their items and who may open them; no contents")),
    Permission(
        name=USERS,
        reason=say("users and guests: who is ours, which person an account belongs to, who manages and invited whom"),
    ),
    Permission(name=GROUPS, reason=say("groups that files are shared with, to find external users in them")),
    Permission(name=HIDDEN_MEMBERS, reason=say("members of groups that hide them"), optional=True),
    Permission(
        name=SIGN_INS, reason=say("when guests last signed in (needs Entra ID P1), who invited whom"), optional=True
    ),
    Permission(name=LEAVE_DATES, reason=say("leave dates, where they are maintained"), optional=True),
    Permission(name=TEAMS, reason=say("teams and their visibility"), optional=True),
    Permission(name=TEAM_MEMBERS, reason=say("owners and guests of teams"), optional=True),
    Permission(name=CHANNELS, reason=say("shared and private channels"), optional=True),
    Permission(name=CHANNEL_MEMBERS, reason=say("people of other tenants in shared channels"), optional=True),
    Permission(name=APPLICATIONS, reason=say("applications that may read or change all sites"), optional=True),
    Permission(
        name=TENANT_SETTINGS, reason=say("the tenant's sharing settings, as far as Graph shows them"), optional=True
    ),
    Permission(name=POLICIES, reason=say("partner tenants, and who may invite guests"), optional=True),
    Permission(name=TENANT_NAMES, reason=say("the names of other tenants"), optional=True),
    Permission(name=LABELS, reason=say("the names of sensitivity labels"), optional=True),
    Permission(
        name=FULL_CONTROL,
        reason=say(
            "members of site groups, each site's own sharing settings, default links: only "
            "SharePoint's own API returns them, and only to an application that signs in with a "
            "certificate"
        ),
        optional=True,
    ),
)


def consent_script() -> str:
    """Commands of the Azure CLI that add these permissions to an app registration and grant admin consent."""
    lines = [
        "#!/bin/sh",
        "# Usage: APP=<client id of the app registration> sh permissions.sh",
        "add() {",
        '  role=$(az ad sp show --id "$1" --query "appRoles[?value==\'$2\'].id | [0]" --output tsv)',
        '  az ad app permission add --id "$APP" --api "$1" --api-permissions "$role=Role"',
        "}",
    ]
    for permission in PERMISSIONS:
        api = SHAREPOINT_APP if permission.name.startswith(SHAREPOINT) else GRAPH_APP
        lines.append(f"add {api} {permission.name.removeprefix(SHAREPOINT)}  # {permission.reason}")
    lines.append('az ad app permission admin-consent --id "$APP"')
    return "\n".join(lines)
