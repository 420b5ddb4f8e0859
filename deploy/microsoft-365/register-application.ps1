<#
.SYNOPSIS
Registers the application with which cloudscan reads Microsoft 365, with the least permissions.

.DESCRIPTION
Creates (or brings up to date) an app registration of this directory only, without redirect and without secret, gives it
the certificate's public half, and consents to the application permissions below. Running it again changes nothing that
is right already; permissions that are not in the list are removed.

Needs the modules Microsoft.Graph.Authentication and Microsoft.Graph.Applications, and an administrator who may consent
to application permissions (Privileged Role Administrator).

.PARAMETER CertificatePath
The public half as PEM or DER (cert.pem). The private key stays with the machine that scans.

.PARAMETER WithoutOptional
Only what a scan cannot do without: no SharePoint permission, no sign-in dates, no teams.

.EXAMPLE
./register-application.ps1 -TenantId kumo.onmicrosoft.com -CertificatePath cert.pem
#>
#Requires -Version 7.2
#Requires -Modules Microsoft.Graph.Authentication, Microsoft.Graph.Applications
[CmdletBinding(SupportsShouldProcess)]
param(
    [Parameter(Mandatory)] [string] $TenantId,
    [Parameter(Mandatory)] [string] $CertificatePath,
    [string] $DisplayName = 'cloudscan',
    [switch] $WithoutOptional
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$apis = @{
    Graph      = '00000003-0000-0000-c000-000000000000'
    SharePoint = '00000003-0000-0ff1-ce00-000000000000'
}

# All of them only read, but for SharePoint's Sites.FullControl.All: nothing less shows members of site groups and the
# settings of sites, and cloudscan uses it for nothing else.
$permissions = @(
    # written by tools/deploy.py
    @{ Api = 'Graph'; Name = 'Sites.Read.All'; Optional = $false } # sites, libraries, OneDrives, their items and who may open them; no contents
    @{ Api = 'Graph'; Name = 'User.Read.All'; Optional = $false } # users and guests: who is ours, which person an account belongs to, who manages and invited whom
    @{ Api = 'Graph'; Name = 'GroupMember.Read.All'; Optional = $false } # groups that files are shared with, to find external users in them
    @{ Api = 'Graph'; Name = 'Member.Read.Hidden'; Optional = $true } # members of groups that hide them
    @{ Api = 'Graph'; Name = 'AuditLog.Read.All'; Optional = $true } # when guests last signed in (needs Entra ID P1), who invited whom
    @{ Api = 'Graph'; Name = 'User-LifeCycleInfo.Read.All'; Optional = $true } # leave dates, where they are maintained
    @{ Api = 'Graph'; Name = 'Team.ReadBasic.All'; Optional = $true } # teams and their visibility
    @{ Api = 'Graph'; Name = 'TeamMember.Read.All'; Optional = $true } # owners and guests of teams
    @{ Api = 'Graph'; Name = 'Channel.ReadBasic.All'; Optional = $true } # shared and private channels
    @{ Api = 'Graph'; Name = 'ChannelMember.Read.All'; Optional = $true } # people of other tenants in shared channels
    @{ Api = 'Graph'; Name = 'Application.Read.All'; Optional = $true } # applications that may read or change all sites
    @{ Api = 'Graph'; Name = 'SharePointTenantSettings.Read.All'; Optional = $true } # the tenant's sharing settings, as far as Graph shows them
    @{ Api = 'Graph'; Name = 'Policy.Read.All'; Optional = $true } # partner tenants, and who may invite guests
    @{ Api = 'Graph'; Name = 'CrossTenantInformation.ReadBasic.All'; Optional = $true } # the names of other tenants
    @{ Api = 'Graph'; Name = 'SensitivityLabels.Read.All'; Optional = $true } # the names of sensitivity labels
    @{ Api = 'SharePoint'; Name = 'Sites.FullControl.All'; Optional = $true } # members of site groups, each site's own sharing settings, default links: only SharePoint's own API returns them, and only to an application that signs in with a certificate
    # until here
)
if ($WithoutOptional) { $permissions = @($permissions | Where-Object { -not $_.Optional }) }

$certificate = [System.Security.Cryptography.X509Certificates.X509Certificate2]::new((Resolve-Path -LiteralPath $CertificatePath).Path)
if ($certificate.HasPrivateKey) { throw "$CertificatePath contains the private key; pass the file with the certificate alone." }

Connect-MgGraph -TenantId $TenantId -NoWelcome -Scopes 'Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All'

# What each permission is called inside, and the service that offers it.
$services = @{}
foreach ($api in $apis.Keys) {
    $services[$api] = Get-MgServicePrincipal -Filter "appId eq '$($apis[$api])'"
    if (-not $services[$api]) { throw "The directory has no service $api ($($apis[$api]))." }
}
$wanted = foreach ($permission in $permissions) {
    $role = $services[$permission.Api].AppRoles | Where-Object { $_.Value -ceq $permission.Name -and $_.AllowedMemberTypes -contains 'Application' }
    if (-not $role) { throw "$($permission.Api) has no application permission $($permission.Name)." }
    [pscustomobject]@{ Api = $permission.Api; Name = $permission.Name; Role = $role.Id }
}
$access = foreach ($group in $wanted | Group-Object -Property Api) {
    @{
        ResourceAppId  = $apis[$group.Name]
        ResourceAccess = @($group.Group | ForEach-Object { @{ Id = $_.Role; Type = 'Role' } })
    }
}

$found = @(Get-MgApplication -Filter "displayName eq '$($DisplayName.Replace("'", "''"))'")
if ($found.Count -gt 1) { throw "There are $($found.Count) applications called $DisplayName; pass another -DisplayName." }
$settings = @{
    DisplayName            = $DisplayName
    SignInAudience         = 'AzureADMyOrg'
    RequiredResourceAccess = @($access)
    KeyCredentials         = @(@{ Type = 'AsymmetricX509Cert'; Usage = 'Verify'; Key = $certificate.RawData; DisplayName = "CN=cloudscan $($certificate.NotAfter.ToString('yyyy-MM-dd'))" })
}
if (-not $PSCmdlet.ShouldProcess($DisplayName, 'register the application and consent')) { return }
if ($found) {
    $application = $found[0]
    Update-MgApplication -ApplicationId $application.Id -BodyParameter $settings
}
else {
    $application = New-MgApplication -BodyParameter $settings
}

$principal = Get-MgServicePrincipal -Filter "appId eq '$($application.AppId)'"
if (-not $principal) { $principal = New-MgServicePrincipal -AppId $application.AppId }

# Consent: grant what is wanted, take back what is not.
$granted = @(Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $principal.Id -All)
foreach ($assignment in $granted) {
    if ($assignment.AppRoleId -notin $wanted.Role) {
        Remove-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $principal.Id -AppRoleAssignmentId $assignment.Id
    }
}
foreach ($permission in $wanted) {
    if ($permission.Role -in $granted.AppRoleId) { continue }
    $assignment = @{ PrincipalId = $principal.Id; ResourceId = $services[$permission.Api].Id; AppRoleId = $permission.Role }
    New-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $principal.Id -BodyParameter $assignment | Out-Null
}

@"
[connectors.m365]
tenant = "$((Get-MgContext).TenantId)"
client_id = "$($application.AppId)"
certificate_file = "/etc/cloudscan/cloudscan.pem"   # key and certificate, on the machine that scans
"@
