"""What the shipped rules make of payloads: from the answers of Google to the verdicts, in one estate of odd cases."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from cloudscan.engine.judge import judge
from cloudscan.engine.loader import load
from cloudscan.finding import Judgement
from cloudscan_gdrive.meaning import uids
from tests.connectors.gdrive.other_server import Payloads
from tests.connectors.gdrive.recorded import AccessByUid, access_in, file, mine, scanned, small
from tests.connectors.gdrive.scenarios import (
    ALICE,
    BOB,
    CAROL,
    ORGANIZER,
    anyone,
    detail,
    details,
    domain,
    drive,
    group,
    user,
)

Json = dict[str, Any]
RULES = [rule for rule in load([Path(__file__).parents[3] / "rules"]) if rule.id.startswith("drive-")]
NOW = datetime(2026, 11, 30, tzinfo=UTC)
FORM, FOLDER = "application/vnd.google-apps.form", "application/vnd.google-apps.folder"
PAT, EVE, PRIVATE = "pat@gmail.com", "eve@rival.example", "bob.private@gmail.com"
ANYONE_JOINS, WE_JOIN = "drive-group-anyone-can-join", "drive-group-organisation-can-join"
LABELLED: Json = {"labelInfo": {"labels": [{"id": "L"}]}}
DOWNLOAD = "drive-labelled-and-downloadable"
MEMBER = details(detail("reader", kind="member"))


@dataclass(frozen=True, kw_only=True)
class Found:
    """The verdicts by rule and identity, and who gets in by the uid of a file."""

    verdicts: Mapping[str, Mapping[Sequence[str], Judgement]]
    access: AccessByUid

    def about(self, identity: str) -> Mapping[str, Judgement]:
        """What each rule says of something, where it does not pass it."""
        return {
            rule: judgement
            for rule, found in self.verdicts.items()
            for about, judgement in found.items()
            if identity in about
        }

    def flagged(self, identity: str) -> set[str]:
        """The rules that flag something."""
        return {rule for rule, judgement in self.about(identity).items() if judgement is Judgement.FLAGGED}


def found_in(payloads: Payloads, folder: Path) -> Found:
    with scanned(payloads, folder, labels={"L": "Secret"}) as snapshot:
        verdicts = judge(snapshot, RULES, as_of=NOW)
        access = access_in(snapshot)
    by_rule: dict[str, dict[Sequence[str], Judgement]] = {}
    for verdict in (*verdicts.flagged, *verdicts.unknown):
        by_rule.setdefault(verdict.rule_id, {})[tuple(verdict.identity)] = verdict.judgement
    return Found(verdicts=by_rule, access=access)


def member(email: str, role: str, **more: Any) -> Any:
    return user(email, role, f"{email}-of-the-drive", **details(detail(role, kind="member")), **more)


# Who may join a group: the settings, and the rule that flags it

JOINING: list[tuple[Any, str | None]] = [
    ({"whoCanJoin": "ANYONE_CAN_JOIN", "allowExternalMembers": "true"}, ANYONE_JOINS),
    ({"whoCanJoin": "ANYONE_CAN_JOIN", "allowExternalMembers": True}, ANYONE_JOINS),
    ({"whoCanJoin": "ANYONE_CAN_JOIN", "allowExternalMembers": "false"}, WE_JOIN),
    ({"whoCanJoin": "ALL_IN_DOMAIN_CAN_JOIN", "allowExternalMembers": "false"}, WE_JOIN),
    ({"whoCanJoin": "ALL_IN_DOMAIN_CAN_JOIN", "allowExternalMembers": "true"}, WE_JOIN),
    ({"whoCanJoin": "INVITED_CAN_JOIN", "allowExternalMembers": "false"}, ""),
    ({"whoCanJoin": "CAN_REQUEST_TO_JOIN", "allowExternalMembers": "true"}, ""),
    (403, None),
    (404, None),
    ({}, None),
    ({"whoCanJoin": None}, None),
    ({"whoCanJoin": ["ANYONE_CAN_JOIN"], "allowExternalMembers": "true"}, None),
    ({"whoCanJoin": "SOME_NEW_WAY", "allowExternalMembers": "true"}, None),
    ({"whoCanJoin": "ANYONE_CAN_JOIN"}, None),
    ({"whoCanJoin": "ANYONE_CAN_JOIN", "allowExternalMembers": ""}, None),
]

# Members of a group, and what that makes of a file that is shared with it

MEMBERS: list[tuple[Json, str]] = [
    ({"id": "u2", "type": "USER"}, "named"),  # known by the id
    ({"id": "u2", "email": "", "type": "USER"}, "named"),
    ({"id": "outside", "type": "GROUP"}, "named_external"),
    ({"email": "outside@kumo.example", "type": "USER"}, "named_external"),  # a group, whatever the type says
    ({"id": "x1", "type": "USER"}, "named_external"),  # a guest
    ({"id": "7", "type": "GROUP"}, "?"),
    ({"id": "7", "type": "USER"}, "?"),
    ({"id": "7", "email": "driver@kumo.example", "type": "USER"}, "named"),
    ({"id": "7", "email": "driver@kumo.example", "type": "EXTERNAL"}, "?"),
    ({"id": "7", "email": "driver@kumo.example", "type": "SOMETHING_NEW"}, "?"),
    ({"id": "7", "email": "driver@kumo.example"}, "?"),
    ({"id": "7", "email": "unlisted@kumo.example", "type": "GROUP"}, "?"),
    ({"id": "7", "email": EVE}, "named_external"),
    ({"id": "7", "email": "crew@rival.example", "type": "GROUP"}, "named_external"),
    ({"id": "u5", "email": "odd@elsewhere.example", "type": "USER"}, "?"),  # in the directory, in no domain of ours
]

# Guests of the directory, and one of their addresses

GUESTS: list[tuple[Json, str]] = [
    ({"primaryEmail": "guest-1@kumo.example", "isGuestUser": True}, "guest-1@kumo.example"),
    ({"primaryEmail": "guest-2@kumo.example", "guestAccountInfo": {"primaryGuestEmail": "ana@shop.example"}},
     "guest-2@kumo.example"),
    ({"primaryEmail": "guest-3@kumo.example", "isGuestUser": True, "aliases": ["bea@kumo.example"]},
     "bea@kumo.example"),
    ({"primaryEmail": "guest-4@kumo.example", "isGuestUser": True,
      "guestAccountInfo": {"primaryGuestEmail": "Cleo@Shop.example"}}, "CLEO@shop.example"),
]  # fmt: skip

# What keeps whom from downloading a labelled file: the file's members, a role outside, and whether it is flagged


def effective(**given: bool | None) -> Json:
    return {"downloadRestrictions": {"effectiveDownloadRestrictionWithContext": given}}


RESTRICTED: list[tuple[Json, str, bool]] = [
    ({"copyRequiresWriterPermission": True}, "writer", True),
    ({"copyRequiresWriterPermission": True}, "reader", False),
    ({"copyRequiresWriterPermission": True}, "commenter", False),
    ({"copyRequiresWriterPermission": False}, "reader", True),
    (effective(restrictedForReaders=True, restrictedForWriters=False), "reader", False),
    (effective(restrictedForReaders=True, restrictedForWriters=False), "writer", True),
    (effective(restrictedForReaders=True, restrictedForWriters=True), "writer", False),
    (effective(restrictedForWriters=True), "reader", False),
    ({"copyRequiresWriterPermission": True, **effective(restrictedForReaders=False)}, "reader", True),
    ({"copyRequiresWriterPermission": True, **effective()}, "reader", False),
    ({"copyRequiresWriterPermission": True, **effective(restrictedForWriters=None)}, "writer", True),
    ({"downloadRestrictions": {"itemDownloadRestriction": {"restrictedForReaders": True}}}, "reader", False),
    ({"downloadRestrictions": {"itemDownloadRestriction": {"restrictedForWriters": True}}}, "writer", False),
]
RESTRICTED_IN: list[tuple[Json, str, bool]] = [
    ({"copyRequiresWriterPermission": True}, "reader", False),
    ({"copyRequiresWriterPermission": True}, "writer", True),
    ({"downloadRestriction": {"restrictedForReaders": True}}, "reader", False),
    ({"downloadRestriction": {"restrictedForWriters": True}}, "reader", False),
    ({"downloadRestriction": {"restrictedForWriters": True}}, "writer", False),
    ({"downloadRestriction": {"restrictedForReaders": False}}, "reader", True),
]

# Members of shared drives, and the rule that flags the drive

DRIVES: list[tuple[Json, str]] = [
    (member(PAT, "organizer"), "drive-external-manages-shared-drive"),
    (member(PAT, "owner"), "drive-external-manages-shared-drive"),
    (group("crew@rival.example", "reader", **MEMBER), "drive-external-in-shared-drive"),
    (domain("rival.example", "reader", **MEMBER), "drive-external-in-shared-drive"),
    (member(PRIVATE, "writer"), "drive-shared-with-own-private-account"),
    (member("left@kumo.example", "writer"), "drive-grant-to-former-employee"),
    (member("", "fileOrganizer", deleted=True), "drive-grant-to-deleted-account"),
    (member("gone@kumo.example", "reader", deleted=True), "drive-grant-to-deleted-account"),
    ({**member("", "reader", deleted=True), "type": "group"}, "drive-grant-to-deleted-account"),
]

# Files of one's own, and the rules that flag them

FILES: list[tuple[str, Json, set[str]]] = [
    *(
        (f"form {role} {trashed}", mine("", anyone(role, view="published"), mimeType=FORM, trashed=trashed),
         {"drive-form-open-to-anyone"})
        for role, trashed in product(("reader", "publishedReader"), (False, True))
    ),
    ("form to edit", mine("", anyone("writer"), mimeType=FORM), {"drive-anyone-with-link-can-edit"}),
    ("form to edit, as published", mine("", anyone("writer", view="published"), mimeType=FORM),
     {"drive-anyone-with-link-can-edit", "drive-published-to-the-web"}),
    ("form to read", mine("", anyone("reader"), mimeType=FORM), {"drive-anyone-with-link-can-read"}),
    ("no end", mine("", user(EVE, "writer")), {"drive-external-can-edit", "drive-external-without-expiry"}),
    ("an end", mine("", user(EVE, "writer", expirationTime="2027-05-01T00:00:00Z")), {"drive-external-can-edit"}),
    ("ended", mine("", user(EVE, "writer", expirationTime="2020-01-01T00:00:00Z")), set()),
    ("second owner", mine("", user(EVE, "owner"), owners=[{"emailAddress": ALICE}, {"emailAddress": EVE}]),
     {"drive-external-can-edit", "drive-external-without-expiry"}),
    ("anyone as owner", mine("", anyone("owner")), {"drive-anyone-with-link-can-edit"}),
    ("spaces around ours", mine("", user(f" {BOB} ", "writer")), set()),
    ("first days", mine("", anyone(), createdTime="0001-01-01T00:00:00+05:30"), {"drive-anyone-with-link-can-read"}),
    ("last days", mine("", anyone(), createdTime="9999-12-31T23:59:59-05:30"), {"drive-anyone-with-link-can-read"}),
]  # fmt: skip

# Ids of permissions on a file of a shared drive on which nothing was given, what its own list says, and who gets in

MEMBER_BOB = "named manage < ids"
BESIDE: list[tuple[list[str], Any, set[str]]] = [
    (["bob"], 500, set()),
    (["bob", "anyoneWithLink"], [anyone(**details(detail("reader")))], {"anyone_with_link read"}),
    (["bob", "anyoneWithLink"], 403, {"anyone_with_link None"}),
    (["anyone"], 404, {"anyone_discoverable None"}),
    (["bob", "eve-writes"], [user(EVE, "writer", "eve-writes", **details(detail("writer", True, "file", "box")))],
     {"named_external write < box"}),
    (["bob", "nobody-knows"], [ORGANIZER], {"?"}),
    (["bob", "nobody-knows"], 404, {"?"}),
]  # fmt: skip


def in_drive(identity: str, container: str, **members: Any) -> Json:
    where = {"parents": [container], "driveId": container, "hasAugmentedPermissions": False}
    return file(identity, {**where, **members})


def estate() -> Payloads:
    groups = [{"id": "outside", "email": "outside@kumo.example"}]
    members: dict[str, Any] = {"outside": [{"id": "9", "email": EVE, "type": "USER"}]}
    joining: dict[str, Any] = {}
    files: list[Json] = []
    drives: list[Json] = [drive("ids"), drive("once")]
    permissions: dict[str, Any] = {"ids": [ORGANIZER], "once": [ORGANIZER, member(PAT, "writer")]}
    items: dict[str, Any] = {"once": [in_drive(f"once{number}", "once") for number in range(3)], "ids": []}
    for number, (settings, _) in enumerate(JOINING):
        address = f"join{number}@kumo.example"
        groups += [
            {"id": f"j{number}", "email": address},
            {"id": f"k{number}", "email": f"around{number}@kumo.example"},
        ]
        members[f"j{number}"] = [{"id": "u1", "email": ALICE, "type": "USER"}]
        members[f"k{number}"] = [{"id": f"j{number}", "email": address, "type": "GROUP"}]
        joining[address] = settings
        files += [
            mine(f"j{number}", group(address, "writer")),
            mine(f"k{number}", group(f"around{number}@kumo.example")),
        ]
    for number, (one, _) in enumerate(MEMBERS):
        groups.append({"id": f"m{number}", "email": f"members{number}@kumo.example"})
        members[f"m{number}"] = [{"id": "u1", "email": ALICE, "type": "USER"}, one]
        files.append(mine(f"m{number}", group(f"members{number}@kumo.example")))
    files += [mine(f"g{number}", user(named, "writer")) for number, (_, named) in enumerate(GUESTS)]
    files += [mine(f"r{n}", user(PAT, role), **LABELLED, **given) for n, (given, role, _) in enumerate(RESTRICTED)]
    files += [{**content, "id": f"f{number}"} for number, (_, content, _) in enumerate(FILES)]
    drives.append(drive("ours-only", domainUsersOnly=True))
    permissions["ours-only"] = [ORGANIZER, member("guest-1@kumo.example", "writer")]
    files.append(mine("named-as-user", user("outside@kumo.example")))
    files.append(
        file("ids-only", {"parents": ["root"], "owners": [{"emailAddress": ALICE}], "permissionIds": ["anyone"]})
    )
    for number, (switches, role, _) in enumerate(RESTRICTED_IN):
        drives.append(drive(f"dr{number}", **switches))
        permissions[f"dr{number}"] = [ORGANIZER]
        permissions[f"in-dr{number}"] = [user(PAT, role, **details(detail(role)))]
        items[f"dr{number}"] = [in_drive(f"in-dr{number}", f"dr{number}", hasAugmentedPermissions=True, **LABELLED)]
    for number, (one, _) in enumerate(DRIVES):
        drives.append(drive(f"d{number}"))
        permissions[f"d{number}"] = [ORGANIZER, one]
    for number, (ids, listed, _) in enumerate(BESIDE):
        items["ids"].append(in_drive(f"i{number}", "ids", permissionIds=ids))
        permissions[f"i{number}"] = listed
    _explained(drives, permissions, items)
    people = [
        {"id": "u1", "primaryEmail": ALICE},
        {"id": "u2", "primaryEmail": BOB, "recoveryEmail": PRIVATE},
        {"id": "u4", "primaryEmail": "left@kumo.example", "suspended": True},
        {"id": "u5", "primaryEmail": "odd@elsewhere.example"},
        *({"id": f"x{number}", **guest} for number, (guest, _) in enumerate(GUESTS)),
    ]
    return small(
        users=people, groups=groups, members=members, joining=joining, files={ALICE: files}, drives=drives,
        permissions=permissions, items=items,
    )  # fmt: skip


def _explained(drives: list[Json], permissions: dict[str, Any], items: dict[str, Any]) -> None:
    """A drive in which every id is one of a member, or of somebody who was let into a folder above; a stray member."""
    drives += [drive("known"), drive("stray")]
    ids = ["bob", "eve-writes", "carol-of-the-drive"]
    carol = user(CAROL, "reader", "carol-of-the-drive", **MEMBER)
    permissions |= {
        "known": [ORGANIZER, carol],
        "box": [ORGANIZER, user(EVE, "writer", "eve-writes", **details(detail("writer")))],
        "stray": [ORGANIZER],
        "in-stray": [ORGANIZER, user(EVE, "writer", "e", **details(detail("writer", True, "member", "stray")))],
    }
    items["known"] = [
        in_drive("box", "known", mimeType=FOLDER, hasAugmentedPermissions=True, permissionIds=ids),
        in_drive("in-box", "known", parents=["box"], permissionIds=ids),
    ]
    items["stray"] = [in_drive("in-stray", "stray", hasAugmentedPermissions=True)]


@pytest.fixture(scope="module")
def payloads() -> Payloads:
    return estate()


@pytest.fixture(scope="module")
def found(payloads: Payloads, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    yield found_in(payloads, tmp_path_factory.mktemp("estate"))


@pytest.mark.parametrize(("number", "rule"), [(number, rule) for number, (_, rule) in enumerate(JOINING)])
@pytest.mark.parametrize("name", ["join", "around"])
def test_a_group_is_as_wide_as_whoever_may_join_it(found: Found, name: str, number: int, rule: str | None) -> None:
    """Also through a group in it; unknown where Google does not say."""
    about = found.about(uids.group(f"{name}{number}@kumo.example"))

    unknown = dict.fromkeys((ANYONE_JOINS, WE_JOIN), Judgement.UNKNOWN)
    expected = unknown if rule is None else {rule: Judgement.FLAGGED} if rule else {}
    assert {one: about[one] for one in (ANYONE_JOINS, WE_JOIN) if one in about} == expected


@pytest.mark.parametrize(("number", "expected"), [(number, expected) for number, (_, expected) in enumerate(MEMBERS)])
def test_a_group_is_what_its_members_are(found: Found, number: int, expected: str) -> None:
    assert found.access[uids.file(f"m{number}")] == {expected if expected == "?" else f"{expected} read"}


def test_a_group_that_is_named_as_a_user_is_a_group(found: Found) -> None:
    assert found.access[uids.file("named-as-user")] == {"named_external read"}


@pytest.mark.parametrize("number", range(len(GUESTS)))
def test_a_guest_is_outside_under_each_of_their_names(found: Found, number: int) -> None:
    assert "drive-external-can-edit" in found.flagged(uids.file(f"g{number}"))


@pytest.mark.parametrize(("number", "expected"), [(n, expected) for n, (_, _, expected) in enumerate(RESTRICTED)])
def test_a_restriction_counts_for_those_whom_it_binds(found: Found, number: int, expected: bool) -> None:
    about = found.about(uids.file(f"r{number}"))

    assert about.get(DOWNLOAD) == (Judgement.FLAGGED if expected else None)


@pytest.mark.parametrize(("number", "expected"), [(n, expected) for n, (_, _, expected) in enumerate(RESTRICTED_IN)])
def test_what_a_shared_drive_restricts_is_restricted_in_it(found: Found, number: int, expected: bool) -> None:
    about = found.about(uids.file(f"in-dr{number}"))

    assert about.get(DOWNLOAD) == (Judgement.FLAGGED if expected else None)


def test_a_membership_of_somebody_outside_is_one_finding(found: Found) -> None:
    """However many files are in the drive, and without asking for an end date, which Drive refuses for members."""
    rules = {rule.id for rule in RULES if rule.cause != "loose-default"}

    assert found.flagged(uids.shared_drive("once")) & rules == {"drive-external-in-shared-drive"}


@pytest.mark.parametrize(("number", "rule"), [(number, rule) for number, (_, rule) in enumerate(DRIVES)])
def test_members_of_a_shared_drive_are_findings_as_for_a_file(found: Found, number: int, rule: str) -> None:
    assert rule in found.flagged(uids.shared_drive(f"d{number}"))


@pytest.mark.parametrize(
    ("number", "expected"),
    [pytest.param(number, expected, id=name) for number, (name, _, expected) in enumerate(FILES)],
)
def test_a_file_of_ones_own(found: Found, number: int, expected: set[str]) -> None:
    assert found.flagged(uids.file(f"f{number}")) == expected


@pytest.mark.parametrize(("number", "expected"), [(number, expected) for number, (_, _, expected) in enumerate(BESIDE)])
def test_ids_that_no_list_explains_are_asked_about(found: Found, number: int, expected: set[str]) -> None:
    """Drive says that nothing was given on the file, and counts somebody among those who may open it."""
    assert found.access[uids.file(f"i{number}")] == {MEMBER_BOB, *expected}


def test_ids_that_are_explained_cost_no_request(found: Found, payloads: Payloads) -> None:
    assert found.flagged(uids.file("box")) == {"drive-external-can-edit", "drive-external-without-expiry"}
    assert found.about(uids.file("in-box")) == {}
    assert "/drive/v3/files/in-box/permissions" not in payloads.asked
    assert "/drive/v3/files/i0/permissions" not in payloads.asked


def test_a_member_whom_the_list_of_members_lacks_gets_in(found: Found) -> None:
    assert "drive-external-can-edit" in found.flagged(uids.file("in-stray"))


def test_ids_prove_a_link_on_a_file_whose_permissions_are_not_shown(found: Found) -> None:
    assert found.access[uids.file("ids-only")] == {"?", "anyone_discoverable None"}


def test_who_may_join_is_not_asked_where_that_is_switched_off(tmp_path: Path) -> None:
    team = {"id": "g", "email": "team@kumo.example"}
    payloads = small(groups=[team], files={ALICE: [mine("a", group("team@kumo.example"))]})

    with scanned(payloads, tmp_path, group_settings=False) as snapshot:
        (row,) = [row for row in snapshot.coverage() if row.question == "gdrive-group-settings"]

    assert not row.outcome.is_gap
    assert not any(path.startswith("/groups/") for path in payloads.asked)
