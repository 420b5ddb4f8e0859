"""What is there and is not judged is named, each night."""

from pathlib import Path
from typing import Any

from cloudscan.facts import Outcome
from cloudscan.reason import Reason, sentence
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan_gdrive.meaning import uids
from tests.connectors.gdrive.recorded import mine, scanned, small
from tests.connectors.gdrive.scenarios import ALICE

SCRIPT = "application/vnd.google-apps.script"


def not_judged(snapshot: Snapshot) -> list[tuple[str | None, int | None]]:
    rows = [row for row in snapshot.coverage() if row.outcome is Outcome.NOT_JUDGED]
    assert all(isinstance(row.reason, Reason) and "Apps Script" in sentence(row.reason, "ja") for row in rows)
    return [(row.resource_uid, row.seen) for row in rows]


def test_projects_that_may_be_deployed_to_anyone_are_counted_each_night(tmp_path: Path) -> None:
    files = [mine("s1", mimeType=SCRIPT), mine("s2", mimeType=SCRIPT), mine("a")]

    def night(number: int, *changes: Any) -> list[tuple[str | None, int | None]]:
        payloads = small(files={ALICE: files}, changes={ALICE: list(changes)})
        since = tmp_path / str(number - 1) / "snapshot" if number else None
        with scanned(payloads, tmp_path / str(number), since=since) as snapshot:
            assert ("/drive/v3/changes" in payloads.asked) is bool(since)
            return not_judged(snapshot)

    drive = uids.my_drive("u1")
    assert night(0) == [(drive, 2)]
    assert night(1) == [(drive, 2)]
    assert night(2, {"changeType": "file", "fileId": "s1", "removed": True}) == [(drive, 1)]
    assert night(3, {"changeType": "file", "fileId": "s3", "file": mine("s3", mimeType=SCRIPT)}) == [(drive, 2)]
