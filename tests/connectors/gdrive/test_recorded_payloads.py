"""Who gets in by each payload that documentation and other people's recordings show, as in `scenarios`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudscan.engine.judge import judge
from cloudscan.engine.loader import load
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan_gdrive.meaning import uids
from tests.connectors.gdrive.other_server import Payloads
from tests.connectors.gdrive.recorded import AccessByUid, access_in, file, scanned
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
    file(identity, {"parents": ["root"], "owners": [{"emailAddress": ALICE}], **members}, given)
    for identity, members, given, _ in TREE
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
                    identity,
                    {"parents": [drive["id"]], "hasAugmentedPermissions": False, **members},
                    driveId=drive["id"],
                )
                for identity, members, _, _ in items
            ]
            for drive, _, _, items in SHARED
        },
        permissions={drive["id"]: members for drive, members, _, _ in SHARED}
        | {identity: given for _, _, _, items in SHARED for identity, _, given, _ in items},
    )


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    with scanned(estate(), tmp_path_factory.mktemp("second")) as snapshot:
        yield snapshot


@pytest.fixture(scope="module")
def access(snapshot: Snapshot) -> AccessByUid:
    return access_in(snapshot)


@pytest.mark.parametrize(
    ("number", "name", "expected"), [(n, name, expected) for n, (name, _, expected) in enumerate(MINE)]
)
def test_a_file_of_ones_own(access: AccessByUid, number: int, name: str, expected: set[str]) -> None:
    assert access.get(uids.file(f"m{number}")) == expected


@pytest.mark.parametrize(("identity", "expected"), [(identity, expected) for identity, _, _, expected in TREE])
def test_a_place_in_a_tree(access: AccessByUid, identity: str, expected: set[str]) -> None:
    assert access.get(uids.file(identity)) == expected


@pytest.mark.parametrize(("identity", "expected"), [(drive["id"], expected) for drive, _, expected, _ in SHARED])
def test_a_shared_drive(access: AccessByUid, identity: str, expected: set[str]) -> None:
    assert access.get(uids.shared_drive(identity)) == expected


@pytest.mark.parametrize(
    ("identity", "expected"), [(identity, expected) for _, _, _, items in SHARED for identity, _, _, expected in items]
)
def test_an_item_of_a_shared_drive(access: AccessByUid, identity: str, expected: set[str]) -> None:
    assert access.get(uids.file(identity)) == expected


def test_only_what_is_public_is_called_public(snapshot: Snapshot) -> None:
    """The shipped rules on all of it: each public file, and no other, is flagged or unknown."""
    shipped = load([RULES])
    verdicts = judge(snapshot, [rule for rule in shipped if rule.id in PUBLIC])
    flagged = {verdict.identity[0] for verdict in verdicts.flagged}
    expected = {uids.file(f"m{number}") for number, (_, _, access) in enumerate(MINE) if access & OPEN}
    expected |= {uids.file(identity) for identity, _, _, access in TREE if access & OPEN}
    expected |= {uids.file(identity) for _, _, _, items in SHARED for identity, _, _, access in items if access & OPEN}
    expected |= {uids.shared_drive(drive["id"]) for drive, _, access, items in SHARED if access & OPEN and items}

    published_to_us = {uids.file(f"m{n}") for n, (name, _, _) in enumerate(MINE) if name == "published to us"}
    assert flagged == expected | published_to_us
