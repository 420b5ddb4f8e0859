"""What Entra says of the person behind an account: asked for, recorded, and left out where it is not known."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cloudscan.connector import Estate
from cloudscan.facts import Principal
from cloudscan.http import decoder
from cloudscan_emulators.kit.staff import Employee
from cloudscan_emulators.microsoft import Server, TenantState, errors
from cloudscan_emulators.microsoft.faults import refusal
from cloudscan_emulators.microsoft.people import SPRING
from cloudscan_emulators.microsoft.server import GRAPH_ROLES
from cloudscan_m365.meaning import uids
from cloudscan_m365.meaning.accounts import Accounts, User, principals_of
from cloudscan_m365.meaning.people import People
from cloudscan_m365.permissions import LEAVE_DATES
from tests.connectors.m365 import estate
from tests.connectors.reading import Read, read

OURS = "kumo.example"
SALES = Employee(
    number="00102",
    name="森 健一",
    departments=("営業部",),
    title="課長",
    manager="aoki",
    employment="正社員",
    hired="2012-10-01",
    private="mori@home.example",
)
TEMPORARY = Employee(number="T-7", name="山崎", departments=("倉庫部",), employment="派遣社員", company="Mugi Staffing")
NOON_IN_TOKYO = "2026-03-31T15:00:00Z"  # midnight there, at the beginning of the first of April


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    state = TenantState(OURS, now=SPRING)
    state.add_user("aoki@kumo.example")
    mori = state.add_user("mori@kumo.example", employee=SALES)
    mori.aliases, mori.immutable_id = ("Eigyo@Kumo.example",), "q2Vy+A=="
    state.add_user("weak@kumo.example", employee=TEMPORARY)
    state.add_user("plain@kumo.example", leaves=int(SPRING.timestamp()))
    state.add_guest("tanuki@partner.example", sponsors=["mori@kumo.example"])
    state.add_site("", "Kumo", template="SITEPAGEPUBLISHING#0")
    with estate.tenant(state) as running:
        yield running


@pytest.fixture
def scan(server: Server, tmp_path: Path) -> Iterator[Callable[..., Read]]:
    def scanned(*without: str) -> Read:
        server.allow(*(GRAPH_ROLES - set(without)), sharepoint=("Sites.FullControl.All",))
        return read(estate.connector(server, tmp_path))

    yield scanned
    server.allow(*GRAPH_ROLES, sharepoint=("Sites.FullControl.All",))


def account(result: Read, server: Server, upn: str) -> Principal:
    return result.principal(uids.user(server.state.person(upn).id))


def translated(*users: dict[str, Any], timezone: str = "UTC", **accounts: Any) -> list[Principal]:
    """Accounts as Graph might answer, beside those of the emulator."""
    whole = ({"userPrincipalName": f"u{index}@{OURS}", "id": f"u{index}", **user} for index, user in enumerate(users))
    decoded = tuple(decoder(User).decode(msgspec.json.encode(user)) for user in whole)
    people = People(estate=Estate(timezone=timezone), primary=OURS, domains=frozenset({OURS}))
    return [one for _, one in principals_of(Accounts(users=decoded, complete=True, **accounts), people)]


def test_what_joins_an_account_to_a_person(scan: Callable[..., Read], server: Server) -> None:
    result = scan()

    mori = account(result, server, "mori@kumo.example")
    assert mori.department == "営業部"
    assert mori.sponsor_uid == uids.user(server.state.person("aoki@kumo.example").id)
    expected = {
        "employee_number": "00102",
        "addresses": ["eigyo@kumo.example"],
        "private_addresses": ["mori@home.example"],
        "departments": ["営業部"],
        "role": "課長",
        "employment": "正社員",
        "starts_on": "2012-10-01",
        "leave_on": "false",
        "identities": [f"entra|{mori.uid.rpartition('/')[2]}", "entra|q2Vy+A=="],
    }
    assert {name: mori.detail[name] for name in expected} == expected
    assert "company" not in mori.detail
    assert account(result, server, "weak@kumo.example").detail["company"] == "Mugi Staffing"


def test_an_account_of_which_little_is_recorded(scan: Callable[..., Read], server: Server) -> None:
    plain = account(scan(), server, "plain@kumo.example")

    assert (plain.detail["departments"], plain.detail["employment"]) == ([], "Member")
    assert (plain.detail["starts_on"], plain.detail["leave_on"]) == ("false", "2026-04-01")
    assert "employee_number" not in plain.detail
    assert plain.sponsor_uid is None


def test_a_guests_addresses_are_not_private(scan: Callable[..., Read], server: Server) -> None:
    guest = account(scan(), server, "tanuki_partner.example#EXT#@kumo.onmicrosoft.com")

    assert (guest.email, guest.detail["addresses"], guest.detail["private_addresses"]) == (
        "tanuki@partner.example",
        [],
        [],
    )
    assert guest.sponsor_uid == uids.user(server.state.person("mori@kumo.example").id)


def test_without_the_permission_last_days_are_unknown_and_the_rest_is_told(
    scan: Callable[..., Read], server: Server
) -> None:
    """Microsoft answers with none: that is no statement that none is recorded."""
    plain = account(scan(LEAVE_DATES), server, "plain@kumo.example")

    assert "leave_on" not in plain.detail
    assert plain.detail["starts_on"] == "false"


def test_where_managers_cannot_be_read_they_alone_are_unknown(scan: Callable[..., Read], server: Server) -> None:
    server.faults.add(refusal(r"users\?.*manager", errors.no_audit_permission()))

    result = scan()
    server.faults.clear()

    mori = account(result, server, "mori@kumo.example")
    (gap,) = [one for one in result.gaps if one.question == "m365-managers"]
    assert [(one.table, one.columns) for one in gap.hidden] == [("principals", ("sponsor_uid",))]
    assert (mori.sponsor_uid, mori.detail["employee_number"]) == (None, "00102")


@pytest.mark.parametrize(("timezone", "day"), [("Asia/Tokyo", "2026-04-01"), ("Pacific/Honolulu", "2026-03-31")])
def test_days_are_the_organisations(timezone: str, day: str) -> None:
    user = {"employeeHireDate": NOON_IN_TOKYO, "employeeLeaveDateTime": NOON_IN_TOKYO}

    (one,) = translated(user, timezone=timezone)

    assert (one.detail["starts_on"], one.detail["leave_on"]) == (day, day)


@pytest.mark.parametrize("nothing", [None, "", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z"])
def test_no_recorded_day_is_none_at_all(nothing: str | None) -> None:
    (one,) = translated({"employeeHireDate": nothing, "employeeLeaveDateTime": nothing}, leave_dates_read=True)

    assert (one.detail["starts_on"], one.detail["leave_on"]) == ("false", "false")


@pytest.mark.parametrize("odd", ["soon", 20260401, {"year": 2026}])
def test_a_day_that_makes_no_sense_is_not_known(odd: object) -> None:
    (one,) = translated({"employeeHireDate": odd})

    assert "starts_on" not in one.detail


@pytest.mark.parametrize("odd", [17, {"a": 1}, [1]])
def test_odd_properties_cost_themselves_and_not_the_account(odd: object) -> None:
    names = ("employeeId", "employeeType", "companyName", "jobTitle", "onPremisesImmutableId")
    user = {"proxyAddresses": odd, "otherMails": odd, "department": "Sales", **dict.fromkeys(names, odd)}

    (one,) = translated(user)

    assert one.department == "Sales"
    assert one.detail["identities"] == ["entra|u0"]
    unknown = ("employee_number", "role", "company", "addresses", "private_addresses")
    assert not [name for name in unknown if name in one.detail]


def test_only_addresses_of_mail_are_addresses() -> None:
    proxies = [
        "SMTP:U0@kumo.example",
        "smtp:Old.Name@kumo.example",
        "X500:/o=Kumo/cn=u0",
        "SIP:u0@kumo.example",
        "smtp:",
    ]

    (one,) = translated({"proxyAddresses": proxies, "otherMails": ["u0@kumo.example", "me@home.example", "none"]})

    assert one.detail["addresses"] == ["old.name@kumo.example"]
    assert one.detail["private_addresses"] == ["me@home.example"]


def test_a_manager_without_an_account_is_nobody_to_ask() -> None:
    """A manager may be a contact."""
    first, second = translated({}, {}, managers={"u0": "u1", "u1": "contact"})

    assert (first.sponsor_uid, second.sponsor_uid) == (uids.user("u1"), None)


def test_an_alias_in_a_permission_is_the_account(scan: Callable[..., Read], server: Server, tmp_path: Path) -> None:
    item = server.state.create("Plan.docx", drive=server.state.drives[0], author="aoki@kumo.example")
    server.state.invite(item, "eigyo@kumo.example", "write")

    result = scan()

    grants = result.grants(estate.item(server, server.state.id_of(item)))
    assert uids.user(server.state.person("mori@kumo.example").id) in {grant.principal_uid for grant in grants}


def test_today_is_not_after_the_last_day(scan: Callable[..., Read], server: Server) -> None:
    server.state.add_onedrive("plain@kumo.example")

    (onedrive,) = scan().of_kind("onedrive")

    assert datetime.fromtimestamp(server.state.now, tz=UTC).date().isoformat() == "2026-04-01"
    assert onedrive.detail["owner_state"] == "active"
