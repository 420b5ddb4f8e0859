from datetime import timedelta

import pytest

from cloudscan_emulators.google import Server, TenantState
from cloudscan_emulators.google.company import Company
from cloudscan_emulators.google.people import SPRING
from cloudscan_emulators.google.records import Extra
from cloudscan_emulators.google.tenant_state import folder
from tests.emulators.google.google_client import AOKI, HAYASHI, MORI, drive, everything, refusal

Json = dict[str, object]


def permissions(server: Server, identity: str, user: str = MORI, **more: object) -> dict[str, Json]:
    """By mail address, domain or id."""
    asked = {"fileId": identity, "fields": "*", "supportsAllDrives": True, **more}
    listed = drive(server, user).permissions().list(**asked).execute()["permissions"]
    return {
        str(permission.get("emailAddress") or permission.get("domain") or permission["id"]): permission
        for permission in listed
    }


def test_without_fields_there_is_no_address(server: Server, state: TenantState) -> None:
    item = state.create("plan", owner=MORI)

    page = drive(server).permissions().list(fileId=item.id).execute()

    assert {tuple(sorted(permission)) for permission in page["permissions"]} == {("id", "kind", "role", "type")}


def test_kinds_of_permission(server: Server, state: TenantState) -> None:
    item = state.create("plan", owner=MORI)
    state.share(item, "anyone", "writer")
    state.share(item, "rival.example", "reader", discoverable=True)
    state.share(item, "spy@rival.example", "writer", expires=SPRING + timedelta(days=9))
    state.share(item, HAYASHI, "writer", pending_owner=True)

    listed = permissions(server, item.id)

    assert listed["anyoneWithLink"]["allowFileDiscovery"] is False
    assert listed["rival.example"]["allowFileDiscovery"] is True
    assert str(listed["rival.example"]["id"]).endswith("k")
    assert listed["spy@rival.example"]["expirationTime"] == "2026-04-10T09:00:00.000Z"
    assert listed[HAYASHI]["pendingOwner"] is True
    assert "expirationTime" not in listed[HAYASHI]


def test_a_link_cannot_expire(state: TenantState) -> None:
    item = state.create("plan", owner=MORI)

    with pytest.raises(ValueError, match="expire"):
        state.share(item, "anyone", expires=SPRING + timedelta(days=9))


def test_a_deleted_account_has_no_address(office: Server, kumo: Company) -> None:
    listed = permissions(office, kumo.scenarios["deleted principal"], HAYASHI)
    deleted = [permission for permission in listed.values() if permission.get("deleted")]

    assert len(deleted) == 1
    assert "emailAddress" not in deleted[0]


def test_children_carry_their_folders_permissions(server: Server, state: TenantState) -> None:
    """In My Drive without naming the folder; the folder's owner may write what others put there."""
    shared = folder(state, "shared", owner=HAYASHI)
    state.share(shared, "anyone", "reader")
    state.share(shared, MORI, "writer")
    item = state.create("guest", owner=MORI, parent=shared)

    listed = permissions(server, item.id)

    assert listed["anyoneWithLink"]["permissionDetails"] == [
        {"permissionType": "file", "role": "reader", "inherited": True}
    ]
    assert listed[HAYASHI]["role"] == "writer"
    assert listed[MORI]["role"] == "owner"


def test_shared_drives_tell_the_origin(server: Server, state: TenantState) -> None:
    sales = state.add_drive("Sales", {MORI: "organizer", HAYASHI: "reader"})
    campaign = folder(state, "Campaign", drive=sales)
    state.share(campaign, "spy@rival.example", "reader")
    item = state.create("Poster", parent=campaign)
    state.share(item, HAYASHI, "writer")

    listed = permissions(server, item.id)

    assert listed["spy@rival.example"]["permissionDetails"] == [
        {"permissionType": "file", "role": "reader", "inherited": True, "inheritedFrom": campaign.id}
    ]
    assert listed[HAYASHI]["role"] == "writer"
    assert listed[HAYASHI]["permissionDetails"] == [
        {"permissionType": "file", "role": "writer", "inherited": False},
        {"permissionType": "member", "role": "reader", "inherited": True, "inheritedFrom": sales.id},
    ]
    assert listed[MORI]["role"] == "organizer"


def test_limited_access_stops_what_is_above(server: Server, state: TenantState) -> None:
    """Readers of the folder above see that the limited one exists, but nothing inside it."""
    above = folder(state, "above", owner=MORI)
    state.share(above, HAYASHI, "writer")
    limited = folder(state, "limited", parent=above)
    state.limit(limited)
    inside = state.create("inside", parent=limited)

    listed = permissions(server, limited.id)

    assert listed[HAYASHI]["view"] == "metadata"
    assert listed[HAYASHI]["role"] == "reader"
    assert listed[MORI]["role"] == "owner"
    assert listed[MORI]["inheritedPermissionsDisabled"] is True
    assert set(permissions(server, inside.id)) == {MORI}
    theirs = drive(server, HAYASHI).files()
    assert theirs.get(fileId=limited.id, fields="inheritedPermissionsDisabled").execute() == {
        "inheritedPermissionsDisabled": True
    }
    assert refusal(theirs.get(fileId=inside.id)) == (404, "notFound")


def test_organizers_reach_into_limited_folders(server: Server, state: TenantState) -> None:
    sales = state.add_drive("Sales", {MORI: "organizer", HAYASHI: "writer"})
    limited = folder(state, "limited", drive=sales)
    state.limit(limited)
    inside = state.create("inside", parent=limited)

    assert set(permissions(server, inside.id)) == {MORI}


def test_the_published_view_only_on_demand(office: Server, kumo: Company) -> None:
    identity = kumo.scenarios["published view"]

    assert set(permissions(office, identity)) == {MORI}
    assert permissions(office, identity, includePermissionsForView="published")["anyoneWithLink"]["view"] == "published"


def test_a_reader_may_not_list_permissions(server: Server, state: TenantState) -> None:
    item = state.create("plan", owner=HAYASHI)
    state.share(item, MORI, "reader")

    file = drive(server).files().get(fileId=item.id, fields="permissions,permissionIds,capabilities/canShare").execute()

    assert refusal(drive(server).permissions().list(fileId=item.id)) == (403, "insufficientFilePermissions")
    assert "permissions" not in file
    assert file["capabilities"] == {"canShare": False}


def test_writers_may_list_unless_the_owner_says_no(server: Server, state: TenantState) -> None:
    item = state.create("plan", owner=HAYASHI)
    state.share(item, MORI, "writer")

    assert refusal(drive(server).permissions().list(fileId=item.id)) == (200, "")
    item.extra = Extra(writers_can_share=False)
    assert refusal(drive(server).permissions().list(fileId=item.id)) == (403, "insufficientFilePermissions")


def test_domain_admin_access_opens_the_drive_and_not_what_is_inside(server: Server, state: TenantState) -> None:
    sales = state.add_drive("Sales", {MORI: "organizer", "spy@rival.example": "writer"})
    item = state.create("plan", drive=sales)
    admin = drive(server, AOKI).permissions()

    assert refusal(admin.list(fileId=sales.id, supportsAllDrives=True)) == (404, "notFound")
    assert set(permissions(server, sales.id, AOKI, useDomainAdminAccess=True)) == {MORI, "spy@rival.example"}
    assert refusal(admin.list(fileId=item.id, supportsAllDrives=True, useDomainAdminAccess=True)) == (
        403,
        "teamDriveMembershipRequired",
    )
    assert refusal(drive(server, HAYASHI).permissions().list(fileId=sales.id, supportsAllDrives=True)) == (
        404,
        "notFound",
    )


def test_many_permissions_come_in_pages_only_when_asked(office: Server, kumo: Company) -> None:
    """My Drive gives all at once; with pageSize, pages of at most a hundred."""
    identity = kumo.scenarios["many permissions"]
    listing = drive(office, HAYASHI).permissions().list

    assert len(listing(fileId=identity).execute()["permissions"]) == 121
    assert len(listing(fileId=identity, pageSize=50).execute()["permissions"]) == 50
    assert len(everything(listing, "permissions", fileId=identity, pageSize=50)) == 121
    assert refusal(listing(fileId=identity, pageSize=101)) == (400, "invalidParameter")


def test_shared_drives_give_a_hundred_at_once(server: Server, state: TenantState) -> None:
    sales = state.add_drive("Sales", {MORI: "organizer", **{f"guest{n}@rival.example": "reader" for n in range(150)}})
    listing = drive(server).permissions().list

    assert len(listing(fileId=sales.id, supportsAllDrives=True).execute()["permissions"]) == 100
    assert len(everything(listing, "permissions", fileId=sales.id, supportsAllDrives=True)) == 151


def test_one_permission(server: Server, state: TenantState) -> None:
    item = state.create("plan", owner=MORI)
    identity = state.share(item, "anyone", "reader", discoverable=True)
    asked = drive(server).permissions()

    assert asked.get(fileId=item.id, permissionId=identity).execute()["id"] == "anyone"
    assert refusal(asked.get(fileId=item.id, permissionId="123")) == (404, "notFound")


def test_target_audiences_look_like_an_external_domain(office: Server, kumo: Company) -> None:
    listed = permissions(office, kumo.scenarios["target audience"])

    assert any(name.endswith(".audience.googledomains.com") for name in listed)
    assert refusal(drive(office, HAYASHI).files().get(fileId=kumo.scenarios["target audience"])) == (200, "")
    assert refusal(drive(office, AOKI).files().get(fileId=kumo.scenarios["target audience"])) == (404, "notFound")


def test_details_of_my_drive_files_cost_a_call(server: Server, state: TenantState) -> None:
    """Not within files, unless the emulator is asked to show them."""
    item = state.create("plan", owner=MORI)
    asked = drive(server).files().get(fileId=item.id, fields="permissions/permissionDetails")

    assert asked.execute() == {"permissions": [{}]}
    server.quirks.details_in_files = True
    assert asked.execute()["permissions"][0]["permissionDetails"][0]["inherited"] is False
