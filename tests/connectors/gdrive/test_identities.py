"""Whom a permission names: by shortened ids, in unverified domains, and without a directory."""

from pathlib import Path

import pytest

from cloudscan_gdrive.meaning import uids
from tests.connectors.gdrive.recorded import access_in, mine, scanned, small
from tests.connectors.gdrive.scenarios import (
    ALICE,
    BOB,
    domain,
    user,
)


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
        access = access_in(snapshot)

    assert access[uids.file("a")] == {"named read"}
    assert access[uids.file("b")] == {"named_external read"}
    assert access[uids.file("both")] == {"named read", "named_external read"}
    assert access[uids.file("in-box")] == {"named_external read"}


def test_a_domain_that_is_not_proven_is_not_ours(tmp_path: Path) -> None:
    domains = [
        {"domainName": "kumo.example", "isPrimary": True, "verified": True,
         "domainAliases": [{"domainAliasName": "entered.example", "verified": False}]},
        {"domainName": "wished.example", "verified": False},
    ]  # fmt: skip
    files = [mine("a", user("x@wished.example")), mine("b", domain("entered.example"))]
    with scanned(small(files={ALICE: files}, domains=domains), tmp_path) as snapshot:
        access = access_in(snapshot)

    assert access[uids.file("a")] == {"named_external read"}
    assert access[uids.file("b")] == {"external_domain read"}


@pytest.mark.parametrize(
    ("me", "neighbour", "expected"),
    [(ALICE, BOB, "?"), ("alice@gmail.com", "bob@gmail.com", "named_external read")],
)
def test_a_neighbour_on_ones_own_drive(tmp_path: Path, me: str, neighbour: str, expected: str) -> None:
    """Without a directory nobody is known to be a colleague, and of a mail provider's customers none is one."""
    with scanned(
        small(files={me: [mine("a", user(neighbour), owners=[{"emailAddress": me}])]}), tmp_path, me=me
    ) as snapshot:
        assert access_in(snapshot)[uids.file("a")] == {expected}
        statuses = snapshot.query("SELECT status FROM principals WHERE email = $email", {"email": neighbour}).rows

    assert statuses == [[None if me == ALICE else "active"]]
