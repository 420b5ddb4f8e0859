"""Who gets in by each payload that documentation and other people's recordings show, as in `scenarios`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudscan.engine.judge import judge
from cloudscan.engine.loader import load
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan_gdrive.meaning import uids
from tests.connectors.gdrive.other_server import Payloads
from tests.connectors.gdrive.recorded import Ways, file, scanned, ways_of
from tests.connectors.gdrive.scenarios import (
    ALICE,
    DOMAINS,
    GROUPS,
    MEMBERS,
    MINE,
    OWNER,
    SHARED,
    TREE,
    USERS,
)

RULES = Path(__file__).parents[3] / "rules"
PUBLIC = frozenset(
    {"drive-anyone-can-find", "drive-published-to-the-web"}
    | {f"drive-anyone-with-link-can-{verb}" for verb in ("read", "comment", "edit")}
)
OPEN = {f"anyone_{how} {access}" for how in ("with_link", "discoverable") for access in ("read", "comment", "write")}


MY_FILES = [
    file(f"m{number}", {}, [OWNER, *given], parents=["root"], owners=[{"emailAddress": ALICE}])
    for number, (_, given, _) in enumerate(MINE)
] + [
    file(identity, {"parents": ["root"], "owners": [{"emailAddress": ALICE}], **told}, given)
    for identity, told, given, _ in TREE
]


def estate() -> Payloads:
    return Payloads(
        users=USERS,
        groups=GROUPS,
        members=MEMBERS,
        domains=DOMAINS,
        files={"Alice@kumo.example": MY_FILES},
        roots={"Alice@kumo.example": "root"},
        drives=[drive for drive, _, _, _ in SHARED],
        items={
            drive["id"]: [
                file(
                    identity, {"parents": [drive["id"]], "hasAugmentedPermissions": False, **told}, driveId=drive["id"]
                )
                for identity, told, _, _ in items
            ]
            for drive, _, _, items in SHARED
        },
        permissions={drive["id"]: members for drive, members, _, _ in SHARED}
        | {identity: given for _, _, _, items in SHARED for identity, _, given, _ in items},
    )


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    with scanned(estate(), tmp_path_factory.mktemp("second")) as found:
        yield found


@pytest.fixture(scope="module")
def ways(snapshot: Snapshot) -> Ways:
    return ways_of(snapshot)


@pytest.mark.parametrize(("number", "said", "true"), [(n, said, true) for n, (said, _, true) in enumerate(MINE)])
def test_a_file_of_ones_own(ways: Ways, number: int, said: str, true: set[str]) -> None:
    assert ways.get(uids.file(f"m{number}")) == true


@pytest.mark.parametrize(("identity", "true"), [(identity, true) for identity, _, _, true in TREE])
def test_a_place_in_a_tree(ways: Ways, identity: str, true: set[str]) -> None:
    assert ways.get(uids.file(identity)) == true


@pytest.mark.parametrize(("identity", "true"), [(drive["id"], true) for drive, _, true, _ in SHARED])
def test_a_shared_drive(ways: Ways, identity: str, true: set[str]) -> None:
    assert ways.get(uids.shared_drive(identity)) == true


@pytest.mark.parametrize(
    ("identity", "true"), [(identity, true) for _, _, _, items in SHARED for identity, _, _, true in items]
)
def test_an_item_of_a_shared_drive(ways: Ways, identity: str, true: set[str]) -> None:
    assert ways.get(uids.file(identity)) == true


def test_only_what_is_public_is_called_public(snapshot: Snapshot) -> None:
    """The shipped rules on all of it: each public file, and no other, is flagged or cannot be told."""
    shipped = load([RULES])
    verdicts = judge(snapshot, [rule for rule in shipped if rule.id in PUBLIC])
    flagged = {verdict.identity[0] for verdict in verdicts.flagged}
    true = {uids.file(f"m{number}") for number, (_, _, ways) in enumerate(MINE) if ways & OPEN}
    true |= {uids.file(identity) for identity, _, _, ways in TREE if ways & OPEN}
    true |= {uids.file(identity) for _, _, _, items in SHARED for identity, _, _, ways in items if ways & OPEN}
    true |= {uids.shared_drive(drive["id"]) for drive, _, ways, items in SHARED if ways & OPEN and items}

    published_to_us = {uids.file(f"m{n}") for n, (said, _, _) in enumerate(MINE) if said == "published to us"}
    assert flagged == true | published_to_us
