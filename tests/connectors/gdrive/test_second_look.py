"""What an independent second look at the connector found: payloads of the outside world, from a server not ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cloudscan.connector import Estate, Partner
from cloudscan.engine.judge import judge
from cloudscan.engine.loader import load
from cloudscan.facts import Outcome
from cloudscan.http import Patience
from cloudscan.snapshot.collect import CollectOptions, collect
from cloudscan.snapshot.incremental import Earlier
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan_gdrive.connector import DriveConnector
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.options import Options
from tests.connectors.gdrive.other_server import Payloads, Verbatim, serve
from tests.connectors.gdrive.scenarios import (
    ALICE,
    BOB,
    DOMAINS,
    EVE_MEMBER,
    GROUPS,
    MEMBERS,
    MINE,
    ORGANIZER,
    OWNER,
    SHARED,
    TREE,
    USERS,
    anyone,
    domain,
    drive,
    user,
)

Json = dict[str, Any]
ESTATE = Estate(name="Kumo", partners=(Partner(name="Pat", domains=frozenset({"partner.example"})),))
FOLDER = "application/vnd.google-apps.folder"
RULES = Path(__file__).parents[3] / "rules"
PUBLIC = frozenset(
    {"drive-anyone-can-find", "drive-published-to-the-web"}
    | {f"drive-anyone-with-link-can-{verb}" for verb in ("read", "comment", "edit")}
)
OPEN = {f"anyone_{how} {access}" for how in ("with_link", "discoverable") for access in ("read", "comment", "write")}


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


HASTY = Patience(attempts=2, pause=0.001, longest=0.002, timeout=5.0)
Ways = dict[str, set[str]]


def ways_of(snapshot: Snapshot) -> Ways:
    """Who gets in, by resource, in the words of the table."""
    rows = snapshot.query(
        "SELECT resource_uid, audience, access, effective, inherited, origin_uid, grant_uid FROM exposures"
    ).rows
    found: Ways = {}
    for uid, audience, access, effective, inherited, origin, grant in rows:
        here = found.setdefault(str(uid), set())
        if grant is not None:
            text = "?" if audience is None else f"{audience} {access}" + {True: "", False: "!", None: "?"}[effective]
            here.add(text + (f" < {str(origin).rpartition('/')[2]}" if inherited else ""))
    return found


@contextmanager
def scanned(payloads: Payloads, folder: Path, since: Path | None = None, me: str = "") -> Iterator[Snapshot]:
    """A snapshot of what a server with these payloads tells; `me`: by one person's consent only."""
    folder.mkdir(parents=True, exist_ok=True)
    with serve(payloads, folder) as server:
        key = server.consent(me) if me else server.key
        options = Options(admin="" if me else ALICE, key_file=str(key), endpoint=server.url)
        wanted = CollectOptions(
            earlier=Earlier(folder=since) if since else None, patience=Patience(attempts=1, pause=0.001)
        )
        with collect([DriveConnector.open(options, ESTATE, HASTY)], folder / "snapshot", options=wanted) as found:
            yield found


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


def small(**more: Any) -> Payloads:
    """A company of two with nothing in it."""
    users: list[Json] = [{"id": "u1", "primaryEmail": ALICE}, {"id": "u2", "primaryEmail": BOB}]
    domains = [{"domainName": "kumo.example"}]
    plain: Json = {"users": users, "groups": [], "members": {}, "domains": domains, "files": {}}
    return Payloads(**(plain | more))


def mine(identity: str, *given: Json, **told: Any) -> Json:
    return file(identity, {"parents": ["root"], "owners": [{"emailAddress": ALICE}], **told}, [OWNER, *given])


def test_ids_that_were_shortened_do_not_make_two_people_one(tmp_path: Path) -> None:
    """Who writes an answer down for a test puts short ids in it, the same on each file."""
    files = [
        mine("a", user(BOB, identity="1")),
        mine("b", user("eve@rival.example", identity="1")),
        mine("both", user(BOB, identity="1"), user("eve@rival.example", identity="1")),
        mine("box", user(BOB, identity="1"), folder=True),
        mine("in-box", user("eve@rival.example", identity="1"), parents=["box"]),
    ]
    with scanned(small(files={ALICE: files}), tmp_path) as snapshot:
        found = ways_of(snapshot)

    assert found[uids.file("a")] == {"named read"}
    assert found[uids.file("b")] == {"named_external read"}
    assert found[uids.file("both")] == {"named read", "named_external read"}
    assert found[uids.file("in-box")] == {"named_external read"}


def test_a_domain_that_is_not_proven_is_not_ours(tmp_path: Path) -> None:
    domains = [
        {"domainName": "kumo.example", "isPrimary": True, "verified": True,
         "domainAliases": [{"domainAliasName": "entered.example", "verified": False}]},
        {"domainName": "wished.example", "verified": False},
    ]  # fmt: skip
    files = [mine("a", user("x@wished.example")), mine("b", domain("entered.example"))]
    with scanned(small(files={ALICE: files}, domains=domains), tmp_path) as snapshot:
        found = ways_of(snapshot)

    assert found[uids.file("a")] == {"named_external read"}
    assert found[uids.file("b")] == {"external_domain read"}


@pytest.mark.parametrize(
    ("me", "neighbour", "true"),
    [(ALICE, BOB, "named read"), ("alice@gmail.com", "bob@gmail.com", "named_external read")],
)
def test_a_neighbour_on_ones_own_drive(tmp_path: Path, me: str, neighbour: str, true: str) -> None:
    """Without a directory: a colleague shares the company's domain, and of a mail provider's customers none is one."""
    with scanned(
        small(files={me: [mine("a", user(neighbour), owners=[{"emailAddress": me}])]}), tmp_path, me=me
    ) as found:
        assert ways_of(found)[uids.file("a")] == {true}
        statuses = found.query("SELECT status FROM principals WHERE email = $email", {"email": neighbour}).rows

    assert statuses == [["active"]]


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
    ) as found:
        (row,) = (row for row in found.coverage() if row.scope_uid == uids.shared_drive("d1"))

    assert row.outcome is Outcome.FAILED


def test_an_item_without_an_id_is_counted(tmp_path: Path) -> None:
    items = [{"name": "no id"}, "text", 7, file("a", {"hasAugmentedPermissions": False}, parents=["d1"], driveId="d1")]
    payloads = small(drives=[drive("d1"), {"name": "no id"}], permissions={"d1": [ORGANIZER]}, items={"d1": items})
    with scanned(payloads, tmp_path) as found:
        reasons = [row.reason for row in found.coverage()]
        assert ways_of(found)[uids.file("a")] == {"named manage < d1"}

    assert "3 file(s) do not match Google's documented format" in reasons
    assert "1 shared drive(s) do not match Google's documented format" in reasons


def test_a_file_that_moved_between_drives_is_in_the_new_one(tmp_path: Path) -> None:
    """Both drives tell a change of it, and one of them that it is gone from there."""
    members = {"d1": [ORGANIZER], "d2": [ORGANIZER, EVE_MEMBER]}
    was = file("f", {}, parents=["d1"], driveId="d1", hasAugmentedPermissions=False)
    now = file("f", {}, parents=["d2"], driveId="d2", hasAugmentedPermissions=False)
    change = {"kind": "drive#change", "changeType": "file", "removed": False, "fileId": "f", "file": now}
    drives = [drive("d1"), drive("d2")]
    for order in ([*drives], [*reversed(drives)]):
        place = tmp_path / order[0]["id"]
        place.mkdir()
        with scanned(small(drives=order, permissions=members, items={"d1": [was], "d2": []}), place / "1") as before:
            assert ways_of(before)[uids.file("f")] == {"named manage < d1"}
        moved = small(
            drives=order, permissions=members, items={"d1": [], "d2": [now]}, changes={"d1": [change], "d2": [change]}
        )
        with scanned(moved, place / "2", since=place / "1" / "snapshot") as after:
            assert ways_of(after)[uids.file("f")] == {"named manage < d2", "named_external write < d2"}


def test_a_change_that_makes_no_sense_is_not_a_file_that_is_gone(tmp_path: Path) -> None:
    was = mine("a", anyone())
    with scanned(small(files={ALICE: [was]}), tmp_path / "1") as before:
        assert ways_of(before)[uids.file("a")] == {"anyone_with_link read"}
    changes = {ALICE: [{"changeType": "file", "fileId": "a", "file": {"name": "no id"}}]}
    with scanned(
        small(files={ALICE: [was]}, changes=changes), tmp_path / "2", since=tmp_path / "1" / "snapshot"
    ) as after:
        assert ways_of(after)[uids.file("a")] == {"anyone_with_link read"}


def test_a_switch_of_a_drive_is_heard_of_the_night_after(tmp_path: Path) -> None:
    """No item changes when people from outside are shut out of its drive."""
    item = file("f", {}, parents=["d1"], driveId="d1", hasAugmentedPermissions=False)
    told: Json = {"permissions": {"d1": [ORGANIZER, EVE_MEMBER]}, "items": {"d1": [item]}}
    with scanned(small(drives=[drive("d1")], **told), tmp_path / "1") as before:
        assert "named_external write < d1" in ways_of(before)[uids.file("f")]
    shut = small(drives=[drive("d1", domainUsersOnly=True)], **told)
    with scanned(shut, tmp_path / "2", since=tmp_path / "1" / "snapshot") as after:
        assert "named_external write! < d1" in ways_of(after)[uids.file("f")]


def test_only_what_is_public_is_called_public(snapshot: Snapshot) -> None:
    """The shipped rules on all of it: each public file, and no other, is flagged or cannot be told."""
    shipped = load([RULES / "public-links", RULES / "frameworks"])
    verdicts = judge(snapshot, [rule for rule in shipped if rule.id in PUBLIC])
    flagged = {verdict.identity[0] for verdict in verdicts.flagged}
    true = {uids.file(f"m{number}") for number, (_, _, ways) in enumerate(MINE) if ways & OPEN}
    true |= {uids.file(identity) for identity, _, _, ways in TREE if ways & OPEN}
    true |= {uids.file(identity) for _, _, _, items in SHARED for identity, _, _, ways in items if ways & OPEN}
    true |= {uids.shared_drive(drive["id"]) for drive, _, ways, items in SHARED if ways & OPEN and items}

    published_to_us = {uids.file(f"m{n}") for n, (said, _, _) in enumerate(MINE) if said == "published to us"}
    assert flagged == true | published_to_us
