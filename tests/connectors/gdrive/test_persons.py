"""What Google's directory says of the person behind an account: asked for, recorded, left out where it is not known."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from cloudscan.connector import Estate
from cloudscan.facts import Principal
from cloudscan_emulators.google import company
from cloudscan_gdrive.api.lenient_decoding import decoded_leniently
from cloudscan_gdrive.api.models import Users
from cloudscan_gdrive.meaning import uids
from cloudscan_gdrive.meaning.people import Lists, facts_of_directory, people_of
from tests.connectors.gdrive import estate
from tests.connectors.reading import read

OURS = "kumo.example"


def translated(*users: dict[str, Any]) -> dict[str, Principal]:
    """Accounts as Google might answer, by the part of their address before the @."""
    whole = [{"id": f"1{index}", "primaryEmail": f"u{index}@{OURS}", **user} for index, user in enumerate(users)]
    page = decoded_leniently(Users, msgspec.json.encode({"users": whole}))
    assert page is not None
    lists = Lists(domains=(OURS,), users=page.users)
    people = people_of(Estate(), OURS, lists)
    facts = [fact for fact in facts_of_directory(people, lists) if isinstance(fact, Principal)]
    return {fact.uid.removeprefix("gdrive:user/").partition("@")[0]: fact for fact in facts}


def one(**user: Any) -> Principal:
    return translated(user)["u0"]


def test_what_joins_an_account_to_a_person() -> None:
    person = one(
        externalIds=[{"type": "login_id", "value": "x"}, {"type": "organization", "value": " 00102 "}],
        aliases=["Eigyo@kumo.example"],
        nonEditableAliases=["u0@kumo-group.example"],
        emails=[
            {"address": "u0@kumo.example", "primary": True},
            {"address": "eigyo@kumo.example"},
            {"address": "Me@Home.example", "type": "home"},
            {"address": "me@agency.example", "type": "work"},
        ],
        recoveryEmail="me@home.example",
        organizations=[
            {"department": "人事部", "title": "兼任"},
            {"primary": True, "department": "経理部", "title": "主任", "description": "正社員", "name": "Kumo"},
        ],
        relations=[{"type": "manager", "value": "Boss@kumo.example"}],
    )

    assert (person.department, person.sponsor_uid) == ("経理部", uids.user("boss@kumo.example"))
    assert person.detail == {
        "org_unit": "/",
        "employee_number": "00102",
        "addresses": ["eigyo@kumo.example", "u0@kumo-group.example"],
        "private_addresses": ["me@home.example"],
        "departments": ["経理部", "人事部"],
        "role": "主任",
        "employment": "正社員",
        "identities": ["google|10"],
    }


def test_an_account_of_which_little_is_recorded() -> None:
    assert one().detail == {
        "org_unit": "/",
        "addresses": [],
        "private_addresses": [],
        "departments": [],
        "identities": ["google|10"],
    }


@pytest.mark.parametrize(
    ("organisations", "department", "departments"),
    [
        ([{"department": "A"}, {"department": "B"}], "A", ["A", "B"]),  # none is marked
        ([{"department": "A"}, {"department": "B", "primary": True}], "B", ["B", "A"]),
        ([{"department": "A", "primary": True}, {"department": "B", "primary": True}], "A", ["A", "B"]),
        ([{"title": "Head", "primary": True}, {"department": "B"}], "", ["B"]),  # B is not the primary one
        ([{"department": " "}, {"department": "A"}, {"department": "A"}], "A", ["A"]),
    ],
)
def test_the_primary_department_is_the_one_that_is_marked(
    organisations: list[dict[str, Any]], department: str, departments: list[str]
) -> None:
    person = one(organizations=organisations)

    assert (person.department, person.detail["departments"]) == (department, departments)


@pytest.mark.parametrize(
    ("relations", "manager"),
    [
        ([{"type": "manager", "value": "a@kumo.example"}, {"type": "manager", "value": "b@kumo.example"}], "a"),
        ([{"type": "manager", "value": "Naoko Aoki"}, {"type": "manager", "value": "b@kumo.example"}], "b"),
        ([{"type": "assistant", "value": "a@kumo.example"}], None),
        ([{"type": "manager", "value": "Naoko Aoki"}], None),
    ],
)
def test_a_manager_is_the_first_one_with_an_address(relations: list[dict[str, str]], manager: str | None) -> None:
    person = one(relations=relations)

    assert person.sponsor_uid == (uids.user(f"{manager}@kumo.example") if manager else None)


@pytest.mark.parametrize(
    ("ids", "number"),
    [
        ([{"type": "organization", "value": "1"}, {"type": "organization", "value": "2"}], None),
        ([{"type": "organization", "value": "1"}, {"type": "organization", "value": "1 "}], "1"),
        ([{"type": "custom", "customType": "badge", "value": "1"}], None),
    ],
)
def test_two_employee_numbers_are_none(ids: list[dict[str, str]], number: str | None) -> None:
    assert one(externalIds=ids).detail.get("employee_number") == number


@pytest.mark.parametrize("odd", [None, "none", 7, ["x"]])
def test_odd_lists_are_not_known(odd: object) -> None:
    """And cost neither the account nor anything else of it."""
    names = ("emails", "organizations", "relations", "externalIds")

    person = one(**dict.fromkeys(names, odd), suspended=True, suspensionTime=odd, suspensionReason=17)

    assert person.email == "u0@kumo.example"
    assert person.status == "suspended"
    unknown = ("departments", "private_addresses", "employee_number", "disabled_on", "disabled_why")
    assert not [name for name in unknown if name in person.detail]


def test_an_odd_member_of_an_entry_costs_itself() -> None:
    person = one(organizations=[{"department": ["A"], "title": "Head"}, {"department": "B"}])

    assert (person.department, person.detail["departments"], person.detail["role"]) == ("B", ["B"], "Head")


@pytest.mark.parametrize(
    ("user", "status", "since", "why"),
    [
        ({"suspended": True, "suspensionTime": "2026-03-31T00:00:00Z", "suspensionReason": "ADMIN"},
         "suspended", "2026-03-31T00:00:00+00:00", "ADMIN"),
        ({"archived": True, "archivalTime": "2026-03-01T00:00:00Z"}, "archived", "2026-03-01T00:00:00+00:00", None),
        ({"suspended": True, "archived": True, "suspensionTime": "2026-03-31T00:00:00Z",
          "archivalTime": "2026-03-01T00:00:00Z"}, "suspended", "2026-03-01T00:00:00+00:00", None),
        ({"suspended": True}, "suspended", None, None),
        ({"suspended": False, "suspensionTime": "2025-03-31T00:00:00Z"}, "active", None, None),
    ],
)  # fmt: skip
def test_since_when_an_account_is_closed(user: dict[str, Any], status: str, since: str | None, why: str | None) -> None:
    person = one(**user)

    found = (person.status, person.detail.get("disabled_on"), person.detail.get("disabled_why"))
    assert found == (status, since, why)


@pytest.mark.parametrize(("kind", "person"), [("work", "false"), ("home", uids.user("u0@kumo.example"))])
def test_an_address_for_work_elsewhere_is_nobodys_private_one(kind: str, person: str) -> None:
    people = translated(
        {"emails": [{"address": "taro@elsewhere.example", "type": kind}]},
        {"relations": [{"type": "manager", "value": "taro@elsewhere.example"}]},
    )

    assert people["taro"].detail["person"] == person


def test_where_some_private_addresses_are_unread_an_external_account_may_be_anybodys() -> None:
    people = translated({"emails": 17}, {"relations": [{"type": "manager", "value": "taro@home.example"}]})

    assert "person" not in people["taro"].detail


def test_a_guests_company_and_further_addresses() -> None:
    guest = translated(
        {
            "primaryEmail": "partner.guest@kumo.example",
            "isGuestUser": True,
            "guestAccountInfo": {"primaryGuestEmail": "tanuki@partner.example"},
            "organizations": [{"name": "Tanuki Haulage", "primary": True}],
        }
    )["tanuki"]

    assert guest.detail["company"] == "Tanuki Haulage"
    assert guest.detail["addresses"] == ["partner.guest@kumo.example"]
    assert "private_addresses" not in guest.detail


def test_the_connector_asks_for_all_of_it(tmp_path: Path) -> None:
    with estate.serve(company.build(1).state) as server:
        result = read(estate.connector(server, tmp_path))

    hayashi, archived = (result.principal(uids.user(f"{name}@kumo.example")) for name in ("hayashi", "archived"))
    expected = {
        "employee_number": "00103",
        "addresses": ["hayashi@kumo-group.example", "keiri@kumo.example"],
        "private_addresses": ["hayashi.miho.home@gmail.com"],
        "departments": ["経理部", "人事部"],
        "role": "主任",
        "employment": "正社員",
    }
    assert {name: hayashi.detail[name] for name in expected} == expected
    assert (hayashi.department, hayashi.sponsor_uid) == ("経理部", uids.user(company.ADMIN))
    assert archived.detail["disabled_on"].startswith("2026-03-02")
