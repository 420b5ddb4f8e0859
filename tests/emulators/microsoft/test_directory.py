import pytest

from cloudscan_emulators.microsoft import Server, TenantState
from cloudscan_emulators.microsoft.people import GRAPH_APP
from cloudscan_emulators.microsoft.records import Partner
from tests.emulators.microsoft.graph_client import Graph

DAY = 86_400
EVENTUAL = {"ConsistencyLevel": "eventual"}


def test_most_properties_are_returned_only_when_selected(graph: Graph) -> None:
    plain = graph.get("/users").value[0]
    chosen = graph.get("/users?$select=id,userType,accountEnabled,employeeLeaveDateTime").value[0]

    assert "userType" not in plain
    assert chosen.keys() == {"id", "userType", "accountEnabled", "employeeLeaveDateTime"}
    assert graph.get("/users?$select=nonsense").code == "BadRequest"


def test_guests_with_state_and_sponsors(graph: Graph, state: TenantState) -> None:
    state.add_guest("late@rival.example", state="PendingAcceptance")

    query = "$filter=userType eq 'Guest'&$select=mail,externalUserState&$expand=sponsors($select=id,displayName)"
    accepted, pending = graph.get(f"/users?{query}").value

    assert accepted["sponsors"][0]["displayName"] == "森 健一"
    assert (pending["externalUserState"], pending["sponsors"]) == ("PendingAcceptance", [])


def test_sign_in_activity_needs_a_licence_and_a_permission(graph: Graph, server: Server, state: TenantState) -> None:
    state.add_user("never@kumo.example", signed_in=0)
    query = "/users?$select=userPrincipalName,signInActivity"

    result = {entry["userPrincipalName"]: entry.get("signInActivity") for entry in graph.get(query).value}
    state.premium = False
    unlicensed = graph.get(query)
    state.premium = True
    server.allow("User.Read.All")
    not_allowed = Graph(server).get(query)

    assert result["mori@kumo.example"]["lastSignInDateTime"] == "2026-03-31T09:00:00Z"
    assert result["never@kumo.example"] is None
    assert unlicensed.code == "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
    assert not_allowed.code == "Authentication_MSGraphPermissionMissing"


def test_filters_on_sign_in_activity(graph: Graph, state: TenantState) -> None:
    """They cannot be combined, and match no account that never signed in."""
    state.add_user("dormant@kumo.example", signed_in=state.now - 400 * DAY)
    state.add_user("never@kumo.example", signed_in=0)
    old = "signInActivity/lastSignInDateTime le 2025-06-01T00:00:00Z"

    users = graph.get(f"/users?$filter={old}&$select=userPrincipalName").value

    assert users == [{"userPrincipalName": "dormant@kumo.example"}]
    assert graph.get(f"/users?$filter={old} and userType eq 'Guest'").code == "Request_UnsupportedQuery"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("$filter=userType eq 'Guest' and accountEnabled eq true", 200),
        ("$filter=id in ('a','b')", 200),
        ("$filter=startswith(displayName,'T')", 200),
        ("$filter=createdDateTime ge 2020-01-01T00:00:00Z", 200),
        ("$filter=userType ne 'Guest'", 400),  # needs ConsistencyLevel
        ("$filter=createdDateTime gt 2020-01-01T00:00:00Z", 400),
        ("$filter=jobTitle eq 'x' or", 400),
        ("$filter=city eq 'Tokyo'", 400),
        ("$filter=userType eq Guest", 400),
        ("$top=1000", 400),
        ("$top=0", 400),
        ("$skip=3", 400),
        ("$expand=messages", 400),
        ("$expand=manager($select=id),sponsors($select=id)", 400),  # of users one at a time
    ],
)
def test_query_options_of_users(graph: Graph, query: str, status: int) -> None:
    assert graph.get(f"/users?{query}").status == status


def test_advanced_queries(graph: Graph) -> None:
    reply = graph.get("/users?$filter=userType ne 'Guest'&$count=true", **EVENTUAL)

    assert reply.json["@odata.count"] == len(reply.value) == 2


def test_pages_of_users(graph: Graph, server: Server) -> None:
    server.quirks.directory_page = 1

    users, last = graph.everything("/users?$select=id")

    assert len(users) == 3
    assert not last.next


def test_groups_and_their_members(graph: Graph, state: TenantState) -> None:
    state.add_group("Nested", members=["Sales", "tanuki@partner.example"])
    unified = "groupTypes/any(c:c eq 'Unified')"

    groups = graph.get(f"/groups?$filter={unified}&$select=id,visibility,resourceProvisioningOptions").value
    nested = state.group("Nested").id
    near = graph.get(f"/groups/{nested}/members?$select=id,displayName").value
    far = graph.get(f"/groups/{nested}/transitiveMembers/microsoft.graph.user?$select=userPrincipalName").value

    assert groups == [{"id": state.group("Sales").id, "visibility": "Private", "resourceProvisioningOptions": ["Team"]}]
    assert [entry["@odata.type"] for entry in near] == ["#microsoft.graph.group", "#microsoft.graph.user"]
    assert len(far) == 3
    assert graph.get(f"/groups?$expand=owners&$filter={unified}").value[0]["owners"][0]["displayName"] == "森 健一"


def test_hidden_members_appear_empty(server: Server, state: TenantState) -> None:
    hidden = state.add_group("Secret", kind="unified", visibility="HiddenMembership", members=["mori@kumo.example"])
    path = f"/groups/{hidden.id}/members"

    allowed = Graph(server).get(path).value
    server.allow("Group.Read.All")
    result = Graph(server).get(path)

    assert len(allowed) == 1
    assert (result.status, result.value) == (200, [])


def test_an_expanded_relationship_has_at_most_twenty(graph: Graph, state: TenantState) -> None:
    group = state.add_group("Many")
    for index in range(25):
        group.members.append(state.add_user(f"u{index}@kumo.example").number)

    assert len(graph.get(f"/groups/{group.id}?$expand=members").json["members"]) == 20
    assert len(graph.get(f"/groups/{group.id}/members").value) == 25


def test_a_manager_is_one_object_and_left_out_where_there_is_none(graph: Graph, state: TenantState) -> None:
    boss = state.add_user("boss@kumo.example")
    state.add_user("clerk@kumo.example", manager="boss@kumo.example")

    users = {user["id"]: user for user in graph.get("/users?$select=id&$expand=manager($select=id)").value}

    assert users[state.person("clerk@kumo.example").id]["manager"]["id"] == boss.id
    assert "manager" not in users[boss.id]


def test_membership_changes(graph: Graph, state: TenantState) -> None:
    group = state.group("Sales")

    state.join("Sales", "tanuki@partner.example", owner=True)
    state.leave("Sales", "hayashi@kumo.example")
    state.disable("mori@kumo.example")

    assert len(graph.get(f"/groups/{group.id}/owners").value) == 2
    assert len(graph.get(f"/groups/{group.id}/members").value) == 1
    assert graph.get("/users/mori@kumo.example?$select=accountEnabled").json["accountEnabled"] is False


def test_channels_of_a_team(graph: Graph, state: TenantState) -> None:
    """The type of a shared one is unknownFutureValue unless newer members of the enumeration are asked for."""
    team = state.group("Sales")
    tenant = "11111111-1111-1111-1111-111111111111"
    state.add_external_user("fox@strange.example", "狐", tenant=tenant)
    state.add_channel(team, "Private", "private", owner="mori@kumo.example")
    shared = state.add_channel(team, "Bid", "shared", members=("external:fox@strange.example",))
    shared.shared_with = (f"{tenant}|狐商会",)
    path = f"/teams/{team.id}/channels"

    plain = [entry["membershipType"] for entry in graph.get(path).value]
    newer = graph.get(path, "include-unknown-enum-members").value
    members = graph.get(f"{path}/{newer[2]['id']}/allMembers").value
    teams = graph.get(f"{path}/{newer[2]['id']}/sharedWithTeams").value
    folder = graph.get(f"{path}/{newer[1]['id']}/filesFolder").json

    assert plain == ["standard", "private", "unknownFutureValue"]
    assert [entry["membershipType"] for entry in newer] == ["standard", "private", "shared"]
    assert [(member["displayName"], member["tenantId"]) for member in members] == [("狐", tenant)]
    assert [(entry["displayName"], entry["isHostTeam"]) for entry in teams] == [("Sales", True), ("狐商会", False)]
    assert folder["parentReference"]["siteId"] == state.sites[team.channels[1].site].id


def test_members_of_a_team(graph: Graph, state: TenantState) -> None:
    state.join("Sales", "tanuki@partner.example")

    members = graph.get(f"/teams/{state.group('Sales').id}/members").value

    assert {member["email"]: member["roles"] for member in members} == {
        "mori@kumo.example": ["owner"],
        "hayashi@kumo.example": [],
        "tanuki@partner.example": ["guest"],
    }


def test_applications_and_their_permissions(graph: Graph, state: TenantState) -> None:
    state.add_application("Backup", graph=["Sites.ReadWrite.All"])
    (service,) = graph.get(f"/servicePrincipals?$filter=appId eq '{GRAPH_APP}'").value
    names = {entry["id"]: entry["value"] for entry in service["appRoles"]}

    given = graph.get(f"/servicePrincipals/{service['id']}/appRoleAssignedTo").value

    assert "Sites.ReadWrite.All" in {
        names[entry["appRoleId"]] for entry in given if entry["principalDisplayName"] == "Backup"
    }


def test_the_tenant(graph: Graph, state: TenantState) -> None:
    state.add_domain("kumo-air.example")
    state.add_partner(Partner(tenant="22222222-2222-2222-2222-222222222222", name="Tanuki", direct_connect=True))
    state.set_admin(SharingCapability=1, SharingDomainRestrictionMode=1, SharingAllowedDomainList="partner.example")

    organization = graph.get("/organization?$select=id,verifiedDomains").value[0]
    settings = graph.get("/admin/sharepoint/settings").json
    (partner,) = graph.get("/policies/crossTenantAccessPolicy/partners").value
    known = graph.get(f"/tenantRelationships/findTenantInformationByTenantId(tenantId='{partner['tenantId']}')").json

    assert organization["id"] == state.tenant_id
    assert {"kumo.example", "kumo-air.example"} <= {entry["name"] for entry in organization["verifiedDomains"]}
    assert (settings["sharingCapability"], settings["sharingAllowedDomainList"]) == (
        "externalUserSharingOnly",
        ["partner.example"],
    )
    assert partner["b2bDirectConnectInbound"]["usersAndGroups"]["accessType"] == "allowed"
    assert known["displayName"] == "Tanuki"


def test_the_audit_log_has_inviters_for_thirty_days(graph: Graph, state: TenantState) -> None:
    state.add_guest("new@rival.example", created=state.now - 2 * DAY, invited_by="hayashi@kumo.example")

    query = "$filter=activityDisplayName eq 'Invite external user' and activityDateTime ge 2026-03-01T00:00:00Z"
    (result,) = graph.get(f"/auditLogs/directoryAudits?{query}").value

    assert result["initiatedBy"]["user"]["userPrincipalName"] == "hayashi@kumo.example"
    assert result["targetResources"][0]["id"] == state.person("new@rival.example").id


def test_an_unknown_future_value(graph: Graph, state: TenantState) -> None:
    state.set(sharingCapability="somethingNew")

    assert graph.get("/admin/sharepoint/settings").json["sharingCapability"] == "somethingNew"
