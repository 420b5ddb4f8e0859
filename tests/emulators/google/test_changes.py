from datetime import timedelta
from typing import Any

from cloudscan_emulators.google import Server, TenantState
from cloudscan_emulators.google.people import SPRING
from cloudscan_emulators.google.records import Drive
from cloudscan_emulators.google.tenant_state import folder
from tests.emulators.google.google_client import HAYASHI, MORI, drive, refusal

BOTH: dict[str, Any] = {"includeItemsFromAllDrives": True, "supportsAllDrives": True}


class Log:
    """One change log, read on from where it was."""

    def __init__(self, server: Server, user: str = MORI, of: Drive | None = None, **more: Any) -> None:
        self._changes = drive(server, user).changes()
        self._more = {**({"driveId": of.id} | BOTH if of else {}), **more}
        start = {name: value for name, value in self._more.items() if name in ("driveId", "supportsAllDrives")}
        self.token = self._changes.getStartPageToken(**start).execute()["startPageToken"]

    def read(self, **more: Any) -> list[dict[str, Any]]:
        changes: list[dict[str, Any]] = []
        token: str | None = self.token
        while token:
            page = self._changes.list(pageToken=token, **{**self._more, **more}).execute()
            changes += page["changes"]
            token = page.get("nextPageToken")
            assert (token is None) == ("newStartPageToken" in page)
        self.token = page["newStartPageToken"]
        return changes

    def files(self) -> dict[str, bool]:
        """Which files changed, and whether they are gone."""
        return {change["fileId"]: change["removed"] for change in self.read()}


def test_nothing_happened(server: Server, state: TenantState) -> None:
    state.create("old", owner=MORI)

    assert Log(server).read() == []


def test_each_file_once_with_its_latest_state(server: Server, state: TenantState) -> None:
    log = Log(server)
    item = state.create("first name", owner=MORI)
    state.rename(item, "second name")
    state.share(item, "anyone")

    changes = log.read(pageSize=1)

    assert [(change["changeType"], change["file"]["name"]) for change in changes] == [("file", "second name")]
    assert log.read() == []


def test_a_change_stands_in_the_logs_of_those_who_may_see_it(server: Server, state: TenantState) -> None:
    item = state.create("plan", owner=MORI)
    mine, theirs = Log(server), Log(server, HAYASHI)

    state.share(item, HAYASHI, "reader")
    assert mine.files() == theirs.files() == {item.id: False}

    state.unshare(item, HAYASHI)
    assert mine.files() == {item.id: False}
    assert theirs.files() == {item.id: True}


def test_a_deleted_file_is_removed(server: Server, state: TenantState) -> None:
    item = state.create("plan", owner=MORI)
    log = Log(server)

    state.delete(item)

    assert log.files() == {item.id: True}


def test_removals_may_be_left_out(server: Server, state: TenantState) -> None:
    item = state.create("plan", owner=MORI)
    log = Log(server, includeRemoved=False)

    state.delete(item)

    assert log.read() == []


def test_sharing_a_folder_is_one_change(server: Server, state: TenantState) -> None:
    """Not fanned out: what is below has changed without a change being reported."""
    shared = folder(state, "folder", owner=MORI)
    below = state.create("below", parent=shared)
    log = Log(server)

    state.share(shared, "anyone")

    assert log.files() == {shared.id: False}
    permission_ids = drive(server).files().get(fileId=below.id, fields="permissionIds").execute()["permissionIds"]
    assert "anyoneWithLink" in permission_ids


def test_trash_is_a_change_and_not_a_removal(server: Server, state: TenantState) -> None:
    item = state.create("plan", owner=MORI)
    log = Log(server)

    state.trash(item)

    assert log.read(fields="*")[0]["file"]["trashed"] is True


def test_a_shared_drive_has_its_own_log(server: Server, state: TenantState) -> None:
    sales = state.add_drive("Sales", {MORI: "organizer"})
    item = state.create("plan", drive=sales)
    log, user, user_with_drives = Log(server, of=sales), Log(server), Log(server, **BOTH)

    state.share(item, "anyone")
    state.create("mine", owner=MORI)

    assert log.files() == {item.id: False}
    assert item.id not in user.files()
    assert item.id in user_with_drives.files()


def test_moving_out_of_a_drive_removes_from_its_log(server: Server, state: TenantState) -> None:
    sales = state.add_drive("Sales", {MORI: "organizer"})
    item = state.create("plan", drive=sales)
    log = Log(server, of=sales)

    state.move(item, owner=MORI)

    change = log.read(includeCorpusRemovals=True)[0]
    assert change["removed"] is True
    assert change["file"]["name"] == "plan"


def test_losing_a_drive_is_a_change_of_the_drive(server: Server, state: TenantState) -> None:
    sales = state.add_drive("Sales", {MORI: "organizer", HAYASHI: "reader"})
    mine, theirs = Log(server, **BOTH), Log(server, HAYASHI, **BOTH)

    state.remove_member(sales, HAYASHI)

    assert [(change["changeType"], change["driveId"], change["removed"]) for change in theirs.read()] == [
        ("drive", sales.id, True)
    ]
    assert [(change["changeType"], change["removed"]) for change in mine.read()] == [("drive", False)]


def test_a_drives_log_is_for_members(server: Server, state: TenantState) -> None:
    sales = state.add_drive("Sales", {MORI: "organizer"})
    changes = drive(server, HAYASHI).changes()

    assert refusal(changes.getStartPageToken(driveId=sales.id, supportsAllDrives=True)) == (
        403,
        "teamDriveMembershipRequired",
    )


def test_a_change_of_owner(server: Server, state: TenantState) -> None:
    item = state.create("plan", owner=MORI)
    theirs = Log(server, HAYASHI)

    state.change_owner(item, HAYASHI)

    assert theirs.files() == {item.id: False}
    assert drive(server).files().get(fileId=item.id, fields="ownedByMe").execute() == {"ownedByMe": False}


def test_tokens_do_not_expire_but_can_be_refused(server: Server, state: TenantState) -> None:
    changes = drive(server).changes()
    token = changes.getStartPageToken().execute()["startPageToken"]

    server.expire_pages()
    assert refusal(changes.list(pageToken=token)) == (200, "")
    server.forget_changes()
    assert refusal(changes.list(pageToken=token)) == (400, "invalid")
    assert refusal(changes.list(pageToken="nonsense")) == (400, "invalid")
    assert refusal(changes.list(pageToken="99999999")) == (400, "invalid")


def test_an_expired_permission_is_gone(server: Server, state: TenantState) -> None:
    item = state.create("plan", owner=MORI)
    state.share(item, HAYASHI, expires=SPRING + timedelta(days=10))
    mine, theirs = Log(server), Log(server, HAYASHI)

    state.pass_time(timedelta(days=11))

    assert (mine.files(), theirs.files()) == ({item.id: False}, {item.id: True})
