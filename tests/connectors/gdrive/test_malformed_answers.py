"""Answers that do not match Google's documented format are neither an empty drive nor deleted files."""

from pathlib import Path

import pytest

from cloudscan.facts import Outcome
from cloudscan.reason import sentence
from cloudscan_gdrive.meaning import uids
from tests.connectors.gdrive.other_server import Verbatim
from tests.connectors.gdrive.recorded import access_in, file, mine, scanned, small
from tests.connectors.gdrive.scenarios import (
    ALICE,
    ORGANIZER,
    anyone,
    drive,
)


@pytest.mark.parametrize(
    "page",
    [
        '{"files": "none"}',
        '{"files": [], "nextPageToken": 7}',
        '{"files": [], "incompleteSearch": "perhaps"}',
        "[]",
        '{"files": [{"id": "a"}',
    ],
)
def test_a_page_that_makes_no_sense_is_not_an_empty_drive(tmp_path: Path, page: str) -> None:
    drives = [drive("d1")]
    with scanned(
        small(drives=drives, permissions={"d1": [ORGANIZER]}, items={"d1": Verbatim(page)}), tmp_path
    ) as snapshot:
        (row,) = (row for row in snapshot.coverage() if row.scope_uid == uids.shared_drive("d1") and row.outcome.is_gap)

    assert (row.outcome, row.question) == (Outcome.FAILED, "gdrive-shared-drive-files")


def test_an_item_without_an_id_is_counted(tmp_path: Path) -> None:
    items = [{"name": "no id"}, "text", 7, file("a", {"hasAugmentedPermissions": False}, parents=["d1"], driveId="d1")]
    payloads = small(drives=[drive("d1"), {"name": "no id"}], permissions={"d1": [ORGANIZER]}, items={"d1": items})
    with scanned(payloads, tmp_path) as snapshot:
        counted = {row.question: sentence(row.reason, "en") for row in snapshot.coverage()}
        assert access_in(snapshot)[uids.file("a")] == {"named manage < d1"}

    assert counted["gdrive-shared-drive-files"].startswith("3 entries")
    assert counted["gdrive-shared-drives"].startswith("1 entries")


def test_a_change_that_makes_no_sense_is_not_a_file_that_is_gone(tmp_path: Path) -> None:
    was = mine("a", anyone())
    with scanned(small(files={ALICE: [was]}), tmp_path / "1") as before:
        assert access_in(before)[uids.file("a")] == {"anyone_with_link read"}
    changes = {ALICE: [{"changeType": "file", "fileId": "a", "file": {"name": "no id"}}]}
    with scanned(
        small(files={ALICE: [was]}, changes=changes), tmp_path / "2", since=tmp_path / "1" / "snapshot"
    ) as after:
        assert access_in(after)[uids.file("a")] == {"anyone_with_link read"}
