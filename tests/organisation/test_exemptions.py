"""Exceptions beside the facts: whether who answers for them is still there, and nobody is accused by a name."""

from pathlib import Path

import pytest

from cloudscan.facts import NEVER, Outcome, Principal, Setting
from cloudscan.organisation.knowledge import Exemption, Exemptions, Knowledge, Staff
from cloudscan.reason import Reason
from tests.kit.facts import file
from tests.kit.organisation import NIGHT, joined, staff, user

ROSTER = """\
社員番号,氏名,メールアドレス,別名,退職日
00101,佐藤 花子,hanako@acme.example,sato@acme.example,
00102,鈴木 一郎,ichiro@acme.example,,2026-03-31
"""
UNREAD = Staff(is_configured=True, doubt=Reason(code="roster-unreadable", values={"why": "gone"}))


def waiver(owner: str) -> Exemption:
    return Exemption(uid="organisation:waiver/1", kind="waiver", extent="finding", target="plan", owner=owner)


def owner_of(folder: Path, owner: str, *, people: Staff | None = None) -> tuple[str, str | None]:
    """The number and the standing of who answers for a waiver."""
    knowledge = Knowledge(
        domains=["acme.example"],
        staff=people or staff(ROSTER),
        exemptions=Exemptions(known=[waiver(owner)]),
    )
    facts = (
        user("h", "h.sato@acme.example", detail={"employee_number": "00101"}),
        Principal(uid="toy:team", platform="toy", account="acme", kind="group", name="Team", email="team@acme.example"),
    )
    with joined(folder, knowledge, facts) as snapshot:
        ((uid, standing),) = snapshot.query("SELECT owner_uid, owner_standing FROM waivers").rows
    return str(uid or "").removeprefix("organisation:person/"), standing


@pytest.mark.parametrize(
    ("owner", "found"),
    [
        ("hanako@acme.example", ("00101", "active")),
        ("Hanako Sato <Hanako@Acme.example>", ("00101", "active")),
        ("sato@acme.example", ("00101", "active")),
        ("h.sato@acme.example", ("00101", "active")),
        ("00101", ("00101", "active")),
        ("ichiro@acme.example", ("00102", "left")),
        ("nobody@acme.example", ("", "unlisted")),
        ("team@acme.example", ("", "group")),
        ("鈴木 一郎", ("", None)),
        ("", ("", "none")),
    ],
)
def test_an_owner_is_known_by_address_or_number_and_never_by_name(
    tmp_path: Path, owner: str, found: tuple[str, str | None]
) -> None:
    """By each of their addresses, also one that only an account has."""
    assert owner_of(tmp_path, owner) == found


@pytest.mark.parametrize("people", [UNREAD, Staff()], ids=["unread", "none"])
def test_without_a_roster_nobody_is_missing_from_it(tmp_path: Path, people: Staff) -> None:
    assert owner_of(tmp_path, "nobody@acme.example", people=people) == ("", None)


def test_a_domain_on_an_allow_list_is_an_exception(tmp_path: Path) -> None:
    """Once, wherever it is listed; a review of it is known, else that there was none. A list may hide others."""
    lists = [
        Setting(scope_uid="toy:tenant", name="allowed_domains", value="haulier.example Port.example"),
        Setting(scope_uid="toy:site", name="allowed_domains", value="haulier.example"),
        Setting(scope_uid="toy:other", name="allowed_domains", value=None),
    ]
    reviewed = {"organisation:allowed-domain/port.example": NIGHT}

    with joined(tmp_path, Knowledge(exemptions=Exemptions(reviewed=reviewed)), lists) as snapshot:
        rows = snapshot.query("SELECT uid, kind, target, reviewed_on FROM waivers ORDER BY target").rows
        (unread,) = [row for row in snapshot.coverage() if row.platform == "organisation" and row.outcome.can_hide]

    assert [tuple(row) for row in rows] == [
        ("organisation:allowed-domain/haulier.example", "domain", "haulier.example", NEVER.replace(tzinfo=None)),
        ("organisation:allowed-domain/port.example", "domain", "port.example", NIGHT.replace(tzinfo=None)),
    ]
    assert (unread.outcome.is_gap, [hidden.table for hidden in unread.hides]) == (False, ["waivers"])


def test_waivers_that_could_not_be_read_hide_what_is_found_about_them(tmp_path: Path) -> None:
    """It is not gone; and the estate is read completely all the same."""
    doubt = Reason(code="waivers-unreadable", values={"why": "no connection"})

    with joined(tmp_path, Knowledge(exemptions=Exemptions(doubt=doubt)), [user("h"), file("1")]) as snapshot:
        (row,) = [row for row in snapshot.coverage() if row.outcome is Outcome.SKIPPED]
        assert snapshot.scan.complete

    assert (row.platform, row.table, [hidden.table for hidden in row.hides]) == ("organisation", "waivers", ["waivers"])
