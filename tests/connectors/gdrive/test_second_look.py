"""What an independent second look at the connector found: payloads of the outside world, from a server not ours."""

from collections.abc import Iterator
from typing import Any

import pytest

from cloudscan.collect import collect
from cloudscan.connector import Estate, Partner
from cloudscan.snapshot import Snapshot
from cloudscan.web import Patience
from cloudscan_gdrive import uids
from cloudscan_gdrive.connector import DriveConnector
from cloudscan_gdrive.options import Options
from tests.connectors.gdrive.other_server import Payloads, serve
from tests.connectors.gdrive.situations import ALICE, DOMAINS, GROUPS, MEMBERS, MINE, OWNER, SHARED, TREE, USERS

Json = dict[str, Any]
ESTATE = Estate(name="Kumo", partners=(Partner(name="Pat", domains=frozenset({"partner.example"})),))
FOLDER = "application/vnd.google-apps.folder"


def file(identity: str, told: Json, permissions: Any = ..., **more: Any) -> Json:
    """A file as Drive tells it, with what the situation says instead."""
    plain: Json = {
        "kind": "drive#file", "id": identity, "name": f"file {identity}", "mimeType": "text/plain", "size": "42",
        "createdTime": "2026-02-23T12:10:30.134Z", "modifiedTime": "2026-02-23T12:13:23.341Z", "trashed": False,
        "webViewLink": "https://drive.google.com/x", "capabilities": {"canEdit": True},
    }  # fmt: skip
    told = {**plain, **more, **told, "permissions": permissions}
    if told.pop("folder", False):
        told["mimeType"] = FOLDER
    return {name: value for name, value in told.items() if value is not ...}


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
    folder = tmp_path_factory.mktemp("second")
    with serve(estate(), folder) as server:
        options = Options(admin=ALICE, key_file=str(server.key), endpoint=server.url)
        reader = DriveConnector.open(options, ESTATE, Patience(attempts=2, pause=0.001, longest=0.002, timeout=5.0))
        with collect([reader], folder / "snapshot") as found:
            yield found


@pytest.fixture(scope="module")
def ways(snapshot: Snapshot) -> dict[str, set[str]]:
    """Who gets in, by resource, in the words of the table."""
    rows = snapshot.query(
        "SELECT resource_uid, audience, access, effective, inherited, origin_uid FROM exposures "
        "WHERE grant_uid IS NOT NULL OR audience = 'nobody'"
    ).rows
    found: dict[str, set[str]] = {}
    for uid, audience, access, effective, inherited, origin in rows:
        here = found.setdefault(str(uid), set())
        if audience == "nobody":
            continue
        text = "?" if audience is None else f"{audience} {access}" + {True: "", False: "!", None: "?"}[effective]
        here.add(text + (f" < {str(origin).rpartition('/')[2]}" if inherited else ""))
    return found


@pytest.mark.parametrize(("number", "said", "true"), [(n, said, true) for n, (said, _, true) in enumerate(MINE)])
def test_a_file_of_ones_own(ways: dict[str, set[str]], number: int, said: str, true: set[str]) -> None:
    assert ways.get(uids.file(f"m{number}")) == true


@pytest.mark.parametrize(("identity", "true"), [(identity, true) for identity, _, _, true in TREE])
def test_a_place_in_a_tree(ways: dict[str, set[str]], identity: str, true: set[str]) -> None:
    assert ways.get(uids.file(identity)) == true


@pytest.mark.parametrize(("identity", "true"), [(drive["id"], true) for drive, _, true, _ in SHARED])
def test_a_shared_drive(ways: dict[str, set[str]], identity: str, true: set[str]) -> None:
    assert ways.get(uids.shared_drive(identity)) == true


@pytest.mark.parametrize(
    ("identity", "true"), [(identity, true) for _, _, _, items in SHARED for identity, _, _, true in items]
)
def test_an_item_of_a_shared_drive(ways: dict[str, set[str]], identity: str, true: set[str]) -> None:
    assert ways.get(uids.file(identity)) == true
