"""The tenant's settings, in Graph and in SharePoint's administration.

Sources: sharepointSettings resource (29 properties, none of them a default link type or an expiry of links);
crossTenantAccessPolicyConfigurationPartner; recordings of _api/SPO.Tenant in pnp/cli-microsoft365. Both are views
of one set of settings, so that they never contradict each other.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cloudscan_emulators.microsoft import errors, ids
from cloudscan_emulators.microsoft.calls import Call, Result, Shape, collection, single
from cloudscan_emulators.microsoft.records import NOBODY, Partner, Site
from cloudscan_emulators.microsoft.sharing import login_of
from cloudscan_emulators.microsoft.tenant_state import TenantState
from cloudscan_emulators.microsoft.text import moment

Json = dict[str, Any]
CAPABILITIES = (
    "disabled",
    "externalUserSharingOnly",
    "externalUserAndGuestSharing",
    "existingExternalUserSharingOnly",
)
_MODES = ("none", "allowList", "blockList")
_NO_GUID = "00000000-0000-0000-0000-000000000000"


def admin_settings(state: TenantState) -> Json:
    """The answer of _api/SPO.Tenant, with enumerations as numbers."""
    return {
        "AllowedDomainListForSyncClient": [],
        "BlockAccessOnUnmanagedDevices": False,
        "ConditionalAccessPolicy": 0,
        "CoreDefaultShareLinkRole": 0,
        "CoreDefaultShareLinkScope": -1,
        "CoreSharingCapability": 2,
        "DefaultLinkPermission": 2,
        "DefaultSharingLinkType": 3,
        "DisallowInfectedFileDownload": False,
        "EmailAttestationReAuthDays": 30,
        "EmailAttestationRequired": False,
        "EnableAzureADB2BIntegration": False,
        "ExternalUserExpirationRequired": False,
        "ExternalUserExpireInDays": 60,
        "FileAnonymousLinkType": 2,
        "FolderAnonymousLinkType": 2,
        "GuestSharingGroupAllowListInTenantByPrincipalIdentity": [],
        "IsUnmanagedSyncClientForTenantRestricted": False,
        "LegacyAuthProtocolsEnabled": True,
        "NotifyOwnersWhenItemsReshared": True,
        "OneDriveDefaultShareLinkRole": 0,
        "OneDriveDefaultShareLinkScope": -1,
        "OneDriveSharingCapability": 2,
        "OrphanedPersonalSitesRetentionPeriod": 30,
        "PreventExternalUsersFromResharing": False,
        "RequireAcceptingAccountMatchInvitedAccount": False,
        "RequireAnonymousLinksExpireInDays": -1,
        "RootSiteUrl": f"https://{state.host}",
        "SharingAllowedDomainList": "",
        "SharingBlockedDomainList": "",
        "SharingCapability": 2,
        "SharingDomainRestrictionMode": 0,
        "ShowAllUsersClaim": True,
        "ShowEveryoneClaim": False,
        "ShowEveryoneExceptExternalUsersClaim": True,
        **state.admin_settings,
    }


def settings(state: TenantState) -> Json:
    """The answer of /admin/sharepoint/settings."""
    admin = admin_settings(state)
    return {
        "id": state.tenant_id,
        "allowedDomainGuidsForSyncApp": [],
        "availableManagedPathsForSiteCreation": ["/sites/", "/teams/"],
        "deletedUserPersonalSiteRetentionPeriodInDays": admin["OrphanedPersonalSitesRetentionPeriod"],
        "excludedFileExtensionsForSyncApp": [],
        "idleSessionSignOut": {"isEnabled": False, "warnAfterInSeconds": 0, "signOutAfterInSeconds": 0},
        "imageTaggingOption": "basic",
        "isCommentingOnSitePagesEnabled": True,
        "isFileActivityNotificationEnabled": True,
        "isLegacyAuthProtocolsEnabled": admin["LegacyAuthProtocolsEnabled"],
        "isLoopEnabled": True,
        "isMacSyncAppEnabled": True,
        "isRequireAcceptingUserToMatchInvitedUserEnabled": admin["RequireAcceptingAccountMatchInvitedAccount"],
        "isResharingByExternalUsersEnabled": not admin["PreventExternalUsersFromResharing"],
        "isSharePointMobileNotificationEnabled": True,
        "isSharePointNewsfeedEnabled": False,
        "isSiteCreationEnabled": True,
        "isSiteCreationUIEnabled": True,
        "isSitePagesCreationEnabled": True,
        "isSitesStorageLimitAutomatic": True,
        "isSyncButtonHiddenOnPersonalSite": False,
        "isUnmanagedSyncAppForTenantRestricted": admin["IsUnmanagedSyncClientForTenantRestricted"],
        "personalSiteDefaultStorageLimitInMB": 1048576,
        "sharingAllowedDomainList": admin["SharingAllowedDomainList"].split(),
        "sharingBlockedDomainList": admin["SharingBlockedDomainList"].split(),
        "sharingCapability": CAPABILITIES[admin["SharingCapability"]],
        "sharingDomainRestrictionMode": _MODES[admin["SharingDomainRestrictionMode"]],
        "siteCreationDefaultManagedPath": "/sites/",
        "siteCreationDefaultStorageLimitInMB": 26214400,
        "tenantDefaultTimezone": "(UTC+09:00) Osaka, Sapporo, Tokyo",
        **state.settings,
    }


def authorization(state: TenantState) -> Json:
    """The answer of /policies/authorizationPolicy (authorizationPolicy resource)."""
    return {
        "id": "authorizationPolicy",
        "allowInvitesFrom": "everyone",
        "allowedToSignUpEmailBasedSubscriptions": True,
        "allowedToUseSSPR": True,
        "allowEmailVerifiedUsersToJoinOrganization": False,
        "allowUserConsentForRiskyApps": None,
        "blockMsolPowerShell": False,
        "defaultUserRolePermissions": {
            "allowedToCreateApps": True,
            "allowedToCreateSecurityGroups": True,
            "allowedToCreateTenants": True,
            "allowedToReadBitlockerKeysForOwnedDevice": True,
            "allowedToReadOtherUsers": True,
            "permissionGrantPoliciesAssigned": [],
        },
        "deletedDateTime": None,
        "description": "Used to manage authorization related settings across the company.",
        "displayName": "Authorization Policy",
        "guestUserRoleId": "10dae51f-b6af-4016-8d66-8c2a99b929b3",
        **state.authorization,
    }


def site_properties(state: TenantState, site: Site) -> Json:
    """The answer of _api/SPO.Tenant/sites('…') for one site."""
    owner = state.owner_of(site)
    group = state.principals[site.group] if site.group != NOBODY else None
    group_id = getattr(group, "id", _NO_GUID)
    login = login_of(state, group, owners_only=True) if group is not None else ""
    if owner is not None:
        login = login_of(state, owner)
    kinds = {"": 0, "private": 1, "shared": 2}
    team = bool(getattr(group, "team", False)) and not site.channel
    return {
        "AnonymousLinkExpirationInDays": site.link_days,
        "ArchiveStatus": site.archive,
        "BlockDownloadPolicy": False,
        "ConditionalAccessPolicy": 0,
        "CreatedTime": moment(site.created)[:-1],
        "DefaultLinkPermission": site.default_permission,
        "DefaultLinkToExistingAccess": False,
        "DefaultShareLinkRole": 0,
        "DefaultShareLinkScope": -1,
        "DefaultSharingLinkType": site.default_link,
        "DisableCompanyWideSharingLinks": 2,
        "ExternalUserExpirationInDays": 0,
        "GroupId": _NO_GUID if site.channel else group_id,
        "IsTeamsChannelConnected": bool(site.channel),
        "IsTeamsConnected": team,
        "LastContentModifiedDate": moment(site.modified)[:-1],
        "LockIssue": None,
        "LockState": site.lock,
        "OverrideTenantAnonymousLinkExpirationPolicy": site.overrides_days,
        "OverrideTenantExternalUserExpirationPolicy": False,
        "Owner": login.rpartition("|")[2],
        "OwnerEmail": owner.mail if owner is not None else getattr(group, "mail", ""),
        "OwnerLoginName": login,
        "OwnerName": owner.name if owner is not None else f"{site.title} Owners",
        "RelatedGroupId": group_id,
        "RestrictedAccessControl": False,
        "SensitivityLabel": site.label or _NO_GUID,
        "SensitivityLabel2": site.label,
        "SharingAllowedDomainList": site.allowed_domains,
        "SharingBlockedDomainList": site.blocked_domains,
        "SharingCapability": site.sharing,
        "SharingDomainRestrictionMode": site.domain_mode,
        "ShowPeoplePickerSuggestionsForGuestUsers": False,
        "SiteDefinedSharingCapability": site.sharing,
        "SiteId": site.collection,
        "Status": "Active",
        "TeamsChannelType": kinds[site.channel],
        "Template": site.template,
        "Title": site.title,
        "Url": state.site_url(site),
    }


class TenantApi:
    """Answers for /admin, /organization, /policies and related addresses."""

    def __init__(self, state: TenantState) -> None:
        self._state = state
        self.methods: Mapping[str, Callable[[Call], Result]] = {
            "tenant.settings": self._settings,
            "tenant.organization": self._organization,
            "tenant.partners": lambda call: collection(call, self._partner_shape(), self._state.partners),
            "tenant.partner": self._partner,
            "tenant.default": self._default,
            "tenant.authorization": self._authorization,
            "tenant.labels": self._labels,
            "tenant.skus": self._skus,
            "tenant.domains": self._domains,
            "tenant.by_id": self._by_id,
        }

    def _settings(self, call: Call) -> Result:
        shape = Shape(kind="sharepointSettings", view=lambda _: settings(self._state), context="admin/sharepoint")
        return single(call, shape, None)

    def _organization(self, call: Call) -> Result:
        state = self._state
        view: Json = {
            "id": state.tenant_id,
            "deletedDateTime": None,
            "displayName": state.name,
            "countryLetterCode": "JP",
            "createdDateTime": moment(state.now - 4000 * 86_400),
            "tenantType": "AAD",
            "assignedPlans": self._plans(),
            "verifiedDomains": [
                {"name": name, "isDefault": name == state.domain, "isInitial": name == state.initial_domain}
                for name in [*state.domains, state.initial_domain]
            ],
        }
        return collection(call, Shape(kind="organization", view=dict, context="organization"), [view])

    def _plans(self) -> list[Json]:
        names = ["SHAREPOINTENTERPRISE", "TEAMS1", *(["AAD_PREMIUM"] if self._state.premium else [])]
        return [
            {"capabilityStatus": "Enabled", "service": name, "servicePlanId": ids.guid("plan", number)}
            for number, name in enumerate(names)
        ]

    def _partner_shape(self) -> Shape:
        return Shape(
            kind="crossTenantAccessPolicyConfigurationPartner",
            view=_partner_view,
            context="policies/crossTenantAccessPolicy/partners",
        )

    def _partner(self, call: Call) -> Result:
        for partner in self._state.partners:
            if partner.tenant == call.values["tenant"]:
                return single(call, self._partner_shape(), partner)
        raise errors.no_such_object(call.values["tenant"])

    def _default(self, call: Call) -> Result:
        blocked = _access("blocked")
        return {
            "@odata.context": call.context("policies/crossTenantAccessPolicy/default/$entity"),
            "isServiceDefault": True,
            "inboundTrust": {"isMfaAccepted": False},
            "b2bCollaborationInbound": _access("allowed"),
            "b2bCollaborationOutbound": _access("allowed"),
            "b2bDirectConnectInbound": blocked,
            "b2bDirectConnectOutbound": blocked,
        }

    def _authorization(self, call: Call) -> Result:
        return single(
            call, Shape(kind="authorizationPolicy", view=dict, context="policies"), authorization(self._state)
        )

    def _labels(self, call: Call) -> Result:
        labels = [{"id": label.id, "name": label.name, "isEnabled": True} for label in self._state.labels]
        return {"@odata.context": call.context("sensitivityLabels"), "value": labels}

    def _skus(self, call: Call) -> Result:
        plans = [{"servicePlanName": plan["service"], "provisioningStatus": "Success"} for plan in self._plans()]
        sku = {
            "id": f"{self._state.tenant_id}_1",
            "skuPartNumber": "SPE_E3" if self._state.premium else "STANDARDPACK",
            "capabilityStatus": "Enabled",
            "consumedUnits": self._state.licences,
            "prepaidUnits": {"enabled": self._state.licences},
            "servicePlans": plans,
        }
        return {"@odata.context": call.context("subscribedSkus"), "value": [sku]}

    def _domains(self, call: Call) -> Result:
        state = self._state
        domains = [
            {
                "id": name,
                "isDefault": name == state.domain,
                "isInitial": name == state.initial_domain,
                "isVerified": True,
            }
            for name in [*state.domains, state.initial_domain]
        ]
        return {"@odata.context": call.context("domains"), "value": domains}

    def _by_id(self, call: Call) -> Result:
        """The name of a tenant, which may be this one (findTenantInformationByTenantId)."""
        if call.values["tenant"] == self._state.tenant_id:
            return {
                "@odata.context": call.context("microsoft.graph.tenantInformation"),
                "tenantId": self._state.tenant_id,
                "federationBrandName": None,
                "displayName": self._state.name,
                "defaultDomainName": self._state.domain,
            }
        for partner in self._state.partners:
            if partner.tenant == call.values["tenant"]:
                return {
                    "@odata.context": call.context("microsoft.graph.tenantInformation"),
                    "tenantId": partner.tenant,
                    "federationBrandName": None,
                    "displayName": partner.name,
                    "defaultDomainName": partner.domain,
                }
        raise errors.no_such_object(call.values["tenant"])


def _partner_view(partner: Partner) -> Json:
    direct = _access("allowed") if partner.direct_connect else None
    return {
        "tenantId": partner.tenant,
        "isServiceProvider": partner.provider,
        "isInMultiTenantOrganization": False,
        "inboundTrust": {"isMfaAccepted": True} if partner.trusts_mfa else None,
        "b2bCollaborationInbound": None,
        "b2bCollaborationOutbound": None,
        "b2bDirectConnectInbound": direct,
        "b2bDirectConnectOutbound": direct,
        "tenantRestrictions": None,
        "automaticUserConsentSettings": {"inboundAllowed": None, "outboundAllowed": None},
    }


def _access(kind: str) -> Json:
    users = {"accessType": kind, "targets": [{"target": "AllUsers", "targetType": "user"}]}
    applications = {"accessType": kind, "targets": [{"target": "AllApplications", "targetType": "application"}]}
    return {"usersAndGroups": users, "applications": applications}
