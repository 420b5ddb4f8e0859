from cloudscan_emulators.google import Server, TenantState
from cloudscan_emulators.google.company import Company
from cloudscan_emulators.google.records import Restrictions
from tests.emulators.google.google_client import AOKI, HAYASHI, MORI, drive, everything, refusal


def test_members_see_their_drives_and_admins_all(server: Server, state: TenantState) -> None:
    state.add_group("team@kumo.example", "Team", [HAYASHI])
    state.add_drive("Mine", {MORI: "reader"})
    state.add_drive("The team's", {"team@kumo.example": "writer"})

    def names(user: str, **more: object) -> list[str]:
        return [shared_drive["name"] for shared_drive in drive(server, user).drives().list(**more).execute()["drives"]]

    assert names(MORI) == ["Mine"]
    assert names(HAYASHI) == ["The team's"]
    assert names(AOKI) == []
    assert names(AOKI, useDomainAdminAccess=True) == ["Mine", "The team's"]
    assert names(AOKI, useDomainAdminAccess=True, q="memberCount = 1 and name contains 'mine'") == ["Mine"]
    assert refusal(drive(server, MORI).drives().list(useDomainAdminAccess=True))[0] == 403


def test_ten_at_a_time_unless_more_are_asked_for(server: Server, state: TenantState) -> None:
    for index in range(25):
        state.add_drive(f"Drive {index}", {MORI: "organizer"})
    listing = drive(server).drives().list

    assert len(listing().execute()["drives"]) == 10
    assert len(everything(listing, "drives")) == 25
    assert refusal(listing(pageSize=101)) == (400, "invalidParameter")


def test_restrictions_and_unit_only_when_asked_for(server: Server, state: TenantState) -> None:
    """The unit is only shown in a list with admin access."""
    shared_drive = state.add_drive("Strict", {MORI: "organizer"}, restrictions=Restrictions(domain_users_only=True))
    admin = drive(server, AOKI).drives()

    assert admin.list(useDomainAdminAccess=True).execute()["drives"] == [
        {"kind": "drive#drive", "id": shared_drive.id, "name": "Strict"}
    ]
    full = admin.list(useDomainAdminAccess=True, fields="drives(orgUnitId,restrictions)").execute()["drives"][0]
    assert full["restrictions"]["domainUsersOnly"] is True
    assert full["orgUnitId"] == state.units["/"].id
    assert "orgUnitId" not in drive(server).drives().get(driveId=shared_drive.id, fields="*").execute()


def test_a_drive_of_others_is_not_found(server: Server, state: TenantState) -> None:
    shared_drive = state.add_drive("Theirs", {HAYASHI: "organizer"})

    assert refusal(drive(server).drives().get(driveId=shared_drive.id)) == (404, "notFound")
    assert refusal(drive(server, AOKI).drives().get(driveId=shared_drive.id, useDomainAdminAccess=True)) == (200, "")


def test_a_drive_whose_only_manager_is_suspended_is_known_to_the_admin_alone(office: Server, kumo: Company) -> None:
    identity = kumo.scenarios["drive of the suspended"]

    listed = everything(drive(office, AOKI).drives().list, "drives", useDomainAdminAccess=True, pageSize=100)

    assert identity in {shared_drive["id"] for shared_drive in listed}
