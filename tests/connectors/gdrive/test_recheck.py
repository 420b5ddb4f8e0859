"""Single things are asked for again before they count as gone."""

from pathlib import Path

from cloudscan.connector import Rechecks
from cloudscan_emulators.google import company
from cloudscan_emulators.google.failures import failure
from cloudscan_emulators.google.questions import PATTERNS
from cloudscan_gdrive.meaning import uids
from tests.connectors.gdrive.estate import connector, file, serve

MORI = "mori@kumo.example"


def test_what_exists_is_found_whoever_of_ours_can_see_it(tmp_path: Path) -> None:
    built = company.build(100)
    private = built.state.create("private", owner=MORI)
    gone = built.state.create("gone", owner=MORI)
    built.state.delete(gone)
    shared = next(drive for drive in built.state.drives if drive is not None)
    wanted = [
        file(private.id), file(gone.id), uids.shared_drive(shared.id), uids.user(MORI),
        uids.user("nobody@kumo.example"), uids.group("sales@kumo.example"), uids.org_unit("x"),
    ]  # fmt: skip
    with serve(built.state) as server:
        reader = connector(server, tmp_path)
        there = reader.still_there(wanted)

    assert isinstance(reader, Rechecks)
    assert there == {
        file(private.id): True,
        file(gone.id): False,
        uids.shared_drive(shared.id): True,
        uids.user(MORI): True,
        uids.user("nobody@kumo.example"): False,
        uids.group("sales@kumo.example"): True,
    }


def test_what_cannot_be_asked_for_is_left_out(tmp_path: Path) -> None:
    built = company.build(60)
    item = built.state.create("private", owner=MORI)
    with serve(built.state) as server:
        server.faults.add(failure("500", PATTERNS["gdrive-single-things"]))
        there = connector(server, tmp_path).still_there([file(item.id), uids.user(MORI)])

    assert there == {}
