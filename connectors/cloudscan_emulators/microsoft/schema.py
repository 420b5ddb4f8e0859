"""The properties that Graph v1.0 has for each type: selecting another is refused.

Source: the v1.0 metadata, by way of the models of msgraph-sdk 1.65. Relationships count as properties here:
`$select` of one is accepted and returns nothing.
"""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


PROPERTIES = {
    "directoryAudit": _names(
        """
        activityDateTime activityDisplayName additionalDetails category correlationId id initiatedBy loggedByService
        operationType result resultReason targetResources
        """
    ),
    "user": _names(
        """
        aboutMe accountEnabled activities adhocCalls ageGroup agreementAcceptances appRoleAssignments
        assignedLicenses assignedPlans authentication authorizationInfo birthday businessPhones calendar
        calendarGroups calendars calendarView chats city cloudClipboard cloudPCs companyName
        consentProvidedForMinor contactFolders contacts country createdDateTime createdObjects creationType
        customSecurityAttributes dataSecurityAndGovernance deletedDateTime department deviceEnrollmentLimit
        deviceManagementTroubleshootingEvents directReports displayName drive drives employeeExperience
        employeeHireDate employeeId employeeLeaveDateTime employeeOrgData employeeType events extensions
        externalUserState externalUserStateChangeDateTime faxNumber followedSites givenName hireDate id
        identities identityParentId imAddresses inferenceClassification insights interests
        isManagementRestricted isResourceAccount jobTitle joinedTeams lastPasswordChangeDateTime
        legalAgeGroupClassification licenseAssignmentStates licenseDetails mail mailboxSettings mailFolders
        mailNickname managedAppRegistrations managedDevices manager memberOf messages mobilePhone mySite
        notes oauth2PermissionGrants officeLocation onenote onlineMeetings onPremisesDistinguishedName
        onPremisesDomainName onPremisesExtensionAttributes onPremisesImmutableId onPremisesLastSyncDateTime
        onPremisesProvisioningErrors onPremisesSamAccountName onPremisesSecurityIdentifier
        onPremisesSyncBehavior onPremisesSyncEnabled onPremisesUserPrincipalName otherMails outlook
        ownedDevices ownedObjects passwordPolicies passwordProfile pastProjects people permissionGrants
        photo photos planner postalCode preferredDataLocation preferredLanguage preferredName presence print
        provisionedPlans proxyAddresses registeredDevices responsibilities schools scopedRoleMemberOf
        securityIdentifier serviceProvisioningErrors settings showInAddressList signInActivity
        signInSessionsValidFromDateTime skills solutions sponsorOf sponsors state streetAddress surname
        teamwork todo transitiveMemberOf usageLocation userPrincipalName userType
        """
    ),
    "group": _names(
        """
        acceptedSenders accessType allowExternalSenders appRoleAssignments assignedLabels assignedLicenses
        autoSubscribeNewMembers calendar calendarView classification conversations createdDateTime
        createdOnBehalfOf deletedDateTime description displayName drive drives events expirationDateTime
        extensions groupLifecyclePolicies groupTypes hasMembersWithLicenseErrors hideFromAddressLists
        hideFromOutlookClients id infoCatalogs isArchived isAssignableToRole isFavorite
        isManagementRestricted isSubscribedByMail licenseProcessingState mail mailEnabled mailNickname
        memberOf members membershipRule membershipRuleProcessingState membersWithLicenseErrors onenote
        onPremisesDomainName onPremisesExtensionAttributes onPremisesLastSyncDateTime onPremisesNetBiosName
        onPremisesProvisioningErrors onPremisesSamAccountName onPremisesSecurityIdentifier
        onPremisesSyncBehavior onPremisesSyncEnabled organizationId owners permissionGrants photo photos
        planner preferredDataLocation preferredLanguage proxyAddresses rejectedSenders renewedDateTime
        resourceBehaviorOptions resourceProvisioningOptions securityEnabled securityIdentifier
        serviceProvisioningErrors settings sites team theme threads transitiveMemberOf transitiveMembers
        uniqueName unseenConversationsCount unseenCount unseenMessagesCount visibility welcomeMessageEnabled
        """
    ),
    "servicePrincipal": _names(
        """
        accountEnabled addIns alternativeNames appDescription appDisplayName appId applicationTemplateId
        appManagementPolicies appOwnerOrganizationId appRoleAssignedTo appRoleAssignmentRequired
        appRoleAssignments appRoles claimsMappingPolicies createdByAppId createdObjects
        customSecurityAttributes delegatedPermissionClassifications deletedDateTime description
        disabledByMicrosoftStatus displayName endpoints federatedIdentityCredentials homepage
        homeRealmDiscoveryPolicies id info isDisabled keyCredentials loginUrl logoutUrl memberOf notes
        notificationEmailAddresses oauth2PermissionGrants oauth2PermissionScopes ownedObjects owners
        passwordCredentials preferredSingleSignOnMode preferredTokenSigningKeyThumbprint
        remoteDesktopSecurityConfiguration replyUrls resourceSpecificApplicationPermissions
        samlSingleSignOnSettings servicePrincipalNames servicePrincipalType signInAudience synchronization
        tags tokenEncryptionKeyId tokenIssuancePolicies tokenLifetimePolicies transitiveMemberOf
        verifiedPublisher
        """
    ),
    "organization": _names(
        """
        assignedPlans branding businessPhones certificateBasedAuthConfiguration city country
        countryLetterCode createdDateTime defaultUsageLocation deletedDateTime displayName extensions id
        marketingNotificationEmails mobileDeviceManagementAuthority onPremisesLastSyncDateTime
        onPremisesSyncEnabled partnerTenantType postalCode preferredLanguage privacyProfile provisionedPlans
        securityComplianceNotificationMails securityComplianceNotificationPhones state street
        technicalNotificationMails tenantType verifiedDomains
        """
    ),
    "driveItem": _names(
        """
        analytics audio bundle children content createdBy createdByUser createdDateTime cTag deleted
        description eTag file fileSystemInfo folder id image lastModifiedBy lastModifiedByUser
        lastModifiedDateTime listItem location malware name package parentReference pendingOperations
        permissions photo publication remoteItem retentionLabel root searchResult shared sharepointIds size
        specialFolder subscriptions thumbnails versions video webDavUrl webUrl workbook
        """
    ),
    "drive": _names(
        """
        bundles createdBy createdByUser createdDateTime description driveType eTag following id items
        lastModifiedBy lastModifiedByUser lastModifiedDateTime list name owner parentReference quota root
        sharePointIds special system webUrl
        """
    ),
    "site": _names(
        """
        analytics columns contentTypes createdBy createdByUser createdDateTime description displayName drive
        drives error eTag externalColumns id isPersonalSite items lastModifiedBy lastModifiedByUser
        lastModifiedDateTime lists name onenote operations pages parentReference permissions root
        sharepointIds siteCollection sites termStore termStores webUrl
        """
    ),
    "list": _names(
        """
        columns contentTypes createdBy createdByUser createdDateTime description displayName drive eTag id
        items lastModifiedBy lastModifiedByUser lastModifiedDateTime list name operations parentReference
        permissions sharepointIds subscriptions system webUrl
        """
    ),
    "permission": _names(
        """
        expirationDateTime grantedTo grantedToIdentities grantedToIdentitiesV2 grantedToV2 hasPassword id
        inheritedFrom invitation link roles shareId
        """
    ),
    "team": _names(
        """
        allChannels channels classification createdDateTime description displayName firstChannelName
        funSettings group guestSettings id incomingChannels installedApps internalId isArchived members
        memberSettings messagingSettings operations permissionGrants photo primaryChannel schedule
        specialization summary tags template tenantId visibility webUrl
        """
    ),
    "channel": _names(
        """
        allMembers createdDateTime description displayName email enabledApps filesFolder id isArchived
        isFavoriteByDefault layoutType members membershipType messages migrationMode originalCreatedDateTime
        sharedWithTeams summary tabs tenantId webUrl
        """
    ),
    "conversationMember": _names(
        """
        displayName email id roles tenantId user userId visibleHistoryStartDateTime
        """
    ),
    "sharedWithChannelTeamInfo": _names(
        """
        allowedMembers displayName id isHostTeam team tenantId
        """
    ),
    "appRoleAssignment": _names(
        """
        appRoleId createdDateTime deletedDateTime id principalDisplayName principalId principalType
        resourceDisplayName resourceId
        """
    ),
    "sharepointSettings": _names(
        """
        allowedDomainGuidsForSyncApp availableManagedPathsForSiteCreation
        deletedUserPersonalSiteRetentionPeriodInDays excludedFileExtensionsForSyncApp id idleSessionSignOut
        imageTaggingOption isCommentingOnSitePagesEnabled isFileActivityNotificationEnabled
        isLegacyAuthProtocolsEnabled isLoopEnabled isMacSyncAppEnabled
        isRequireAcceptingUserToMatchInvitedUserEnabled isResharingByExternalUsersEnabled
        isSharePointMobileNotificationEnabled isSharePointNewsfeedEnabled isSiteCreationEnabled
        isSiteCreationUIEnabled isSitePagesCreationEnabled isSitesStorageLimitAutomatic
        isSyncButtonHiddenOnPersonalSite isUnmanagedSyncAppForTenantRestricted
        personalSiteDefaultStorageLimitInMB sharingAllowedDomainList sharingBlockedDomainList
        sharingCapability sharingDomainRestrictionMode siteCreationDefaultManagedPath
        siteCreationDefaultStorageLimitInMB tenantDefaultTimezone
        """
    ),
    "authorizationPolicy": _names(
        """
        allowInvitesFrom allowedToSignUpEmailBasedSubscriptions allowedToUseSSPR
        allowEmailVerifiedUsersToJoinOrganization allowUserConsentForRiskyApps blockMsolPowerShell
        defaultUserRolePermissions deletedDateTime description displayName guestUserRoleId id
        """
    ),
    "crossTenantAccessPolicyConfigurationPartner": _names(
        """
        appServiceConnectInbound automaticUserConsentSettings b2bCollaborationInbound
        b2bCollaborationOutbound b2bDirectConnectInbound b2bDirectConnectOutbound identitySynchronization
        inboundTrust isInMultiTenantOrganization isServiceProvider m365Capabilities m365CollaborationInbound
        m365CollaborationOutbound serviceProviderConstraints tenantId tenantRestrictions
        """
    ),
}
DEFAULTS = {
    "user": _names(
        """
        businessPhones displayName givenName id jobTitle mail mobilePhone officeLocation preferredLanguage surname
        userPrincipalName
        """
    ),
    "group": PROPERTIES["group"] - {"assignedLabels", "assignedLicenses", "accessType", "isArchived", "settings"},
    "team": frozenset({"id", "displayName", "description", "visibility"}),
    "drive": PROPERTIES["drive"] - {"system", "sharePointIds"},
    "site": PROPERTIES["site"] - {"sharepointIds"},
    "list": PROPERTIES["list"] - {"system", "sharepointIds"},
}
