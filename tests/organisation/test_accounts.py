"""Whose account it is: joined by number, then address, then weaker signs, and never by a name alone."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cloudscan.facts import Affiliation, Principal
from cloudscan.organisation.knowledge import Knowledge, Staff
from cloudscan.reason import Reason
from tests.kit.organisation import joined, staff, user

ROSTER = """\
社員番号,氏名,メールアドレス,別名,個人メール,部署,退職日
00101,佐藤 花子,hanako@acme.example,sato@acme.example,hanako.sato@gmail.com,営業部,
00102,鈴木 一郎,ichiro@acme.example,,,営業部,2026-03-31
00103,鈴木 一郎,suzuki@acme.example,,,経理部,
"""


def accounts(folder: Path, *principals: Principal, roster: str = ROSTER, **more: object) -> dict[str, tuple[str, ...]]:
    """Of each account that may be somebody's: whose, what kind it is, and by what sign."""
    known = Knowledge(domains=["acme.example", "acme.co.example"], staff=staff(roster), **more)  # type: ignore[arg-type]
    with joined(folder, known, principals) as snapshot:
        rows = snapshot.query("SELECT principal_uid, person_uid, kind, joined_by, confidence FROM accounts").rows
    return {
        str(principal): (str(person or "").removeprefix("organisation:person/"), kind, by, confidence or "")
        for principal, person, kind, by, confidence in rows
    }


def test_the_number_joins_whatever_the_address_is(tmp_path: Path) -> None:
    """A new family name, a new address: the same person."""
    account = user("h", "tanaka@acme.example", detail={"employee_number": "00101"})

    assert accounts(tmp_path, account) == {"toy:h": ("00101", "own", "number", "certain")}


def test_the_address_joins_in_any_case_and_with_a_plus(tmp_path: Path) -> None:
    """`a+x@` is delivered to `a@`."""
    assert accounts(tmp_path, user("h", "Hanako+aws@Acme.example")) == {"toy:h": ("00101", "own", "address", "certain")}


def test_an_alias_of_the_roster_joins_less_surely(tmp_path: Path) -> None:
    """Aliases are given on."""
    assert accounts(tmp_path, user("h", "sato@acme.example")) == {"toy:h": ("00101", "own", "alias", "high")}


def test_an_alias_of_the_directory_joins_less_surely(tmp_path: Path) -> None:
    """The account's address is another one, and it says that this is its own, too."""
    account = user("h", "h.sato@acme.example", detail={"addresses": ["hanako@acme.example"]})

    assert accounts(tmp_path, account) == {"toy:h": ("00101", "own", "alias", "high")}


def test_zeros_that_a_spreadsheet_dropped_do_not_part_a_person(tmp_path: Path) -> None:
    """`00101` becomes `101` in a spreadsheet."""
    account = user("h", "x@acme.example", detail={"employee_number": "101"})

    assert accounts(tmp_path, account) == {"toy:h": ("00101", "own", "number", "high")}


def test_two_people_of_one_name_are_never_joined_by_it(tmp_path: Path) -> None:
    """Both are called 鈴木 一郎, and so is the account."""
    assert accounts(tmp_path, user("鈴木 一郎", "i.suzuki@acme.example")) == {}


def test_the_same_mailbox_and_name_at_another_domain_of_ours_join(tmp_path: Path) -> None:
    """The subsidiary's domain."""
    account = user("佐藤花子", "hanako@acme.co.example")

    assert accounts(tmp_path, account) == {"toy:佐藤花子": ("00101", "own", "namesake", "medium")}


def test_the_same_mailbox_under_another_name_does_not_join(tmp_path: Path) -> None:
    """Somebody else has that mailbox there."""
    assert accounts(tmp_path, user("佐藤 葉奈子", "hanako@acme.co.example")) == {}


def test_a_number_that_contradicts_the_address_joins_nobody(tmp_path: Path) -> None:
    """One of the two is wrong, and a wrong join accuses a person."""
    account = user("h", "hanako@acme.example", detail={"employee_number": "00103"})

    assert accounts(tmp_path, account) == {"toy:h": ("", "own", "ambiguous", "")}


def test_an_address_that_was_given_to_somebody_else_does_not_join(tmp_path: Path) -> None:
    """The account was created after the old owner of the address had left."""
    account = user("i", "ichiro@acme.example", created_on=datetime(2026, 4, 1, 1, tzinfo=UTC))

    assert accounts(tmp_path, account) == {}


@pytest.mark.parametrize("address", ["hanako.sato@gmail.com", "h.anakosato+files@googlemail.com"])
def test_a_private_address_of_the_roster_is_a_private_account(tmp_path: Path, address: str) -> None:
    """Dots and what follows a plus do not count at Gmail."""
    guest = user("g", address, kind="guest", affiliation=Affiliation.EXTERNAL)

    assert accounts(tmp_path, guest) == {"toy:g": ("00101", "private", "private", "high")}


def test_a_private_address_that_a_directory_knows_is_a_private_account(tmp_path: Path) -> None:
    """The recovery address of an account that is joined."""
    own = user("i", "ichiro@acme.example", detail={"private_addresses": ["ichi@mail.example"]})
    guest = user("g", "ichi@mail.example", kind="guest", affiliation=Affiliation.EXTERNAL)

    assert accounts(tmp_path, own, guest) == {
        "toy:i": ("00102", "own", "address", "certain"),
        "toy:g": ("00102", "private", "private", "high"),
    }


def test_accounts_in_three_clouds_are_one_persons(tmp_path: Path) -> None:
    """By the number, by the address, and by the id of the identity provider that stands behind both."""
    found = accounts(
        tmp_path,
        user("h", "h@acme.example", platform="m365", detail={"employee_number": "00101", "identities": ["entra|7"]}),
        user("h", "hanako@acme.example", platform="gdrive"),
        user("h", platform="s3", detail={"identities": ["entra|7"]}),
    )

    assert {uid: whose[:3] for uid, whose in found.items()} == {
        "m365:h": ("00101", "own", "number"),
        "gdrive:h": ("00101", "own", "address"),
        "s3:h": ("00101", "own", "identity"),
    }


def test_somebody_in_a_row_that_cannot_be_understood_is_not_judged(tmp_path: Path) -> None:
    """The row has a cell too many: its person may well be one of us."""
    roster = ROSTER + "00104,田中 次郎,jiro@acme.example,,,営業部,,,\n"

    assert accounts(tmp_path, user("j", "jiro@acme.example"), roster=roster) == {"toy:j": ("", "own", "unread", "")}


def test_a_roster_in_doubt_leaves_nobody_unknown(tmp_path: Path) -> None:
    """A broken export says nothing of those whom it does not name."""
    known = Knowledge(staff=Staff(is_configured=True, doubt=Reason(code="roster-unreadable", values={"why": "?"})))
    with joined(tmp_path, known, [user("h", "hanako@acme.example")]) as snapshot:
        assert snapshot.query("SELECT principal_uid, person_uid, joined_by FROM accounts").rows == [
            ["toy:h", None, "unread"]
        ]
        (row,) = [row for row in snapshot.coverage() if row.platform == "organisation" and row.table == "people"]
    assert row.outcome.is_gap


def test_without_a_roster_people_are_who_the_directories_say(tmp_path: Path) -> None:
    """Accounts with one number are one person, whatever their addresses."""
    facts = [
        user("h", "h@acme.example", platform="m365", department="営業部", detail={"employee_number": "00101"}),
        user("h", "hanako@acme.example", platform="gdrive", detail={"employee_number": "00101"}),
        user("s", "s@acme.example", platform="gdrive", detail={"leave_on": "2026-03-31"}),
    ]
    with joined(tmp_path, Knowledge(), facts) as snapshot:
        people = snapshot.query("SELECT uid, department, standing, source FROM people ORDER BY uid").rows
        per_person = snapshot.query("SELECT person_uid, count(*) FROM accounts GROUP BY 1 ORDER BY 1").rows

    assert people == [
        ["organisation:person/00101", "営業部", "active", "directory"],
        ["organisation:person/s@acme.example", "", "left", "directory"],
    ]
    assert per_person == [["organisation:person/00101", 2], ["organisation:person/s@acme.example", 1]]


def test_an_address_of_two_people_is_neither_ones_nor_nobodys(tmp_path: Path) -> None:
    """The roster has whose it is, twice."""
    roster = ROSTER + "00104,田中 次郎,info@acme.example,,,営業部,\n00105,山田 三郎,info@acme.example,,,営業部,\n"

    assert accounts(tmp_path, user("i", "info@acme.example"), roster=roster) == {"toy:i": ("", "own", "unread", "")}


def test_a_directorys_last_day_before_the_first_day_makes_no_leaver(tmp_path: Path) -> None:
    """Somebody came back, and nobody removed the day."""
    account = user("s", "s@acme.example", detail={"starts_on": "2026-01-01", "leave_on": "2024-03-31"})
    with joined(tmp_path, Knowledge(), [account]) as snapshot:
        assert snapshot.query("SELECT standing, last_day FROM people").rows == [[None, None]]
