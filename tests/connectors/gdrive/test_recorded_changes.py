"""Changes that a shared drive reports, or does not report, of what is in it."""

from pathlib import Path

from cloudscan_gdrive.meaning import uids
from tests.connectors.gdrive.recorded import Json, access_in, file, scanned, small
from tests.connectors.gdrive.scenarios import (
    EVE_MEMBER,
    ORGANIZER,
    drive,
)


def test_a_file_that_moved_between_drives_is_in_the_new_one(tmp_path: Path) -> None:
    """Both drives report a change of it, one of them that it is no longer there."""
    members = {"d1": [ORGANIZER], "d2": [ORGANIZER, EVE_MEMBER]}
    was = file("f", {}, parents=["d1"], driveId="d1", hasAugmentedPermissions=False)
    now = file("f", {}, parents=["d2"], driveId="d2", hasAugmentedPermissions=False)
    change = {"kind": "drive#change", "changeType": "file", "removed": False, "fileId": "f", "file": now}
    drives = [drive("d1"), drive("d2")]
    for order in ([*drives], [*reversed(drives)]):
        folder = tmp_path / order[0]["id"]
        folder.mkdir()
        with scanned(small(drives=order, permissions=members, items={"d1": [was], "d2": []}), folder / "1") as before:
            assert access_in(before)[uids.file("f")] == {"named manage < d1"}
        moved = small(
            drives=order, permissions=members, items={"d1": [], "d2": [now]}, changes={"d1": [change], "d2": [change]}
        )
        with scanned(moved, folder / "2", since=folder / "1" / "snapshot") as after:
            assert access_in(after)[uids.file("f")] == {"named manage < d2", "named_external write < d2"}


def test_a_switch_of_a_drive_is_heard_of_the_night_after(tmp_path: Path) -> None:
    """No item changes when people from outside are shut out of its drive."""
    item = file("f", {}, parents=["d1"], driveId="d1", hasAugmentedPermissions=False)
    payloads: Json = {"permissions": {"d1": [ORGANIZER, EVE_MEMBER]}, "items": {"d1": [item]}}
    with scanned(small(drives=[drive("d1")], **payloads), tmp_path / "1") as before:
        assert "named_external write < d1" in access_in(before)[uids.file("f")]
    restricted = small(drives=[drive("d1", domainUsersOnly=True)], **payloads)
    with scanned(restricted, tmp_path / "2", since=tmp_path / "1" / "snapshot") as after:
        assert "named_external write! < d1" in access_in(after)[uids.file("f")]
