"""Who may be told of a finding."""

import msgspec
import pytest

from cloudscan.facts import Affiliation
from cloudscan.finding import Person, Subject
from cloudscan.recipient import Via, Withheld, recipient_of
from tests.reports.synthetic import employee

BOSS = employee("boss@example.co.jp")


def owned(person: Person | None, owner: str = "") -> Subject:
    return Subject(uid="gdrive:file/1", owner=owner, responsible=person)


def test_an_active_employee_is_told_of_what_they_own() -> None:
    told = recipient_of(owned(employee("mika@example.co.jp")))

    assert (told.via, told.address, told.withheld) == (Via.OWNER, "mika@example.co.jp", None)


@pytest.mark.parametrize(
    ("owner", "why"),
    [
        (employee("spy@rival.example", affiliation=Affiliation.EXTERNAL), Withheld.EXTERNAL),
        (employee("tanuki@partner.example", affiliation=Affiliation.PARTNER), Withheld.EXTERNAL),
        (employee("guest@example.co.jp", kind="guest"), Withheld.EXTERNAL),
        (employee("Web shop", kind="account"), Withheld.ACCOUNT),
        (employee("Backup", kind="application"), Withheld.ACCOUNT),
        (employee("members of Hidden", kind="group"), Withheld.GROUP),
        (employee("left@example.co.jp", status="deleted"), Withheld.LEFT),
        (employee("ill@example.co.jp", status="suspended"), Withheld.SUSPENDED),
        (employee("kept@example.co.jp", status="archived"), Withheld.SUSPENDED),
        (employee("who@example.co.jp", affiliation=None), Withheld.UNVERIFIED),
        (employee("who@example.co.jp", status=None), Withheld.UNVERIFIED),
        (employee("who@example.co.jp", kind=""), Withheld.UNVERIFIED),
        (employee("mika@mail.example", account="example.co.jp"), Withheld.ADDRESS),
        (None, Withheld.UNKNOWN),
    ],
)
def test_nobody_else_is(owner: Person | None, why: Withheld) -> None:
    """What is not known is not a proof: it goes to the fallback, with the reason."""
    told = recipient_of(owned(owner))

    assert (told.via, told.address, told.withheld) == (Via.FALLBACK, "", why)


def test_an_owner_of_an_older_ledger_is_not_known_to_be_ours() -> None:
    assert recipient_of(owned(None, "mika@example.co.jp")).withheld is Withheld.UNVERIFIED


def test_a_configured_domain_is_ours() -> None:
    person = employee("mika@example.com", account="example.co.jp")

    assert recipient_of(owned(person), {"example.com"}).via is Via.OWNER


@pytest.mark.parametrize(("status", "why"), [("deleted", Withheld.LEFT), ("suspended", Withheld.SUSPENDED)])
def test_what_a_former_employee_left_goes_to_the_manager(status: str, why: Withheld) -> None:
    told = recipient_of(owned(employee("left@example.co.jp", status=status, manager=BOSS)))

    assert (told.via, told.address, told.withheld) == (Via.MANAGER, "boss@example.co.jp", why)


@pytest.mark.parametrize("change", [{"status": "suspended"}, {"affiliation": Affiliation.EXTERNAL}, {"kind": "guest"}])
def test_a_manager_has_to_be_active_and_ours_too(change: dict[str, object]) -> None:
    manager = msgspec.structs.replace(BOSS, **change)

    told = recipient_of(owned(employee("left@example.co.jp", status="deleted", manager=manager)))

    assert told.via is Via.FALLBACK


def test_the_sponsor_of_an_external_user_does_not_answer_for_their_files() -> None:
    guest = employee("spy@rival.example", affiliation=Affiliation.EXTERNAL, status="suspended", manager=BOSS)

    assert recipient_of(owned(guest)).via is Via.FALLBACK
