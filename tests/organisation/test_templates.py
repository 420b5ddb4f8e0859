"""Access compared with permission templates: wider, unlisted, stronger, expired, or as intended."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from cloudscan.connector import Yielded
from cloudscan.facts import Access, Affiliation, Audience, Grant, Principal
from cloudscan.organisation.knowledge import Knowledge, Staff
from cloudscan.organisation.register import PartnerTable
from cloudscan.organisation.template import Intent
from cloudscan.reason import Reason
from tests.kit.organisation import joined, staff, user
from tests.kit.templates import COMPANY, ROSTER, compared, grant, group, thing

SALES = """
templates:
  - name: Sales
    where: [Sales]
    lines:
      - {department: 営業部, access: write}
"""


def drift(folder: Path, templates: str, *facts: Yielded, **knowledge: Any) -> dict[str, str | None]:
    """What is said of each grant; those that are not there are as intended."""
    with compared(folder, templates, facts, **knowledge) as snapshot:
        rows = snapshot.query("SELECT grant_uid, kind FROM drift WHERE grant_uid IS NOT NULL").rows
    return {str(uid).removeprefix("toy:"): kind for uid, kind in rows}


def test_a_department_has_what_its_line_says_by_any_post(tmp_path: Path) -> None:
    """Jiro's main post is in finance, the second one in sales."""
    facts: list[Yielded] = [grant("Sales", "ichiro", Access.WRITE), grant("Sales", "jiro", Access.WRITE)]

    assert drift(tmp_path, SALES, *facts) == {}


def test_somebody_in_no_line_is_unlisted(tmp_path: Path) -> None:
    assert drift(tmp_path, SALES, grant("Sales", "sakura")) == {"Sales#sakura-read": "unlisted"}


def test_more_access_than_the_line_gives_is_stronger(tmp_path: Path) -> None:
    assert drift(tmp_path, SALES, grant("Sales", "ichiro", Access.MANAGE)) == {"Sales#ichiro-manage": "stronger"}


def test_a_link_is_wider_than_any_named_line(tmp_path: Path) -> None:
    facts: list[Yielded] = [
        grant("plan", None, audience=Audience.ANYONE_WITH_LINK),
        grant("Offers", None, audience=Audience.ORGANISATION),
    ]

    assert drift(tmp_path, SALES, *facts) == {
        "plan#anyone_with_link-read": "wider",
        "Offers#organisation-read": "wider",
    }


def test_a_link_for_all_of_ours_is_intended_where_a_line_is_for_everybody(tmp_path: Path) -> None:
    everybody = SALES + "      - {who: everybody, access: read}\n"
    facts: list[Yielded] = [grant("plan", None, audience=Audience.ORGANISATION), grant("plan", "sakura")]

    assert drift(tmp_path, everybody, *facts) == {}


def test_somebody_who_left_is_in_no_department(tmp_path: Path) -> None:
    everybody = SALES + "      - {who: everybody, access: read}\n"

    assert drift(tmp_path, everybody, grant("Sales", "toru")) == {"Sales#toru-read": "unlisted"}


def test_what_is_inherited_counts_once_where_it_was_given(tmp_path: Path) -> None:
    given = [grant("Sales", "sakura"), *(grant(one, "sakura", origin="Sales") for one in ("Offers", "plan"))]

    assert drift(tmp_path, SALES, *given) == {"Sales#sakura-read": "unlisted"}


def test_what_reaches_a_folder_from_above_counts_for_the_template_of_the_folder(tmp_path: Path) -> None:
    """The whole of sales reads the offers through their drive, and only the head is meant to."""
    inner = SALES + "  - {name: Offers, where: [Sales/Offers], lines: [{role: 部長, access: write}]}\n"
    given = [grant("Sales", "ichiro"), grant("Offers", "ichiro", origin="Sales"), grant("Offers", "hanako")]

    assert drift(tmp_path, inner, *given) == {"Offers#ichiro-read": "unlisted"}


def test_a_role_of_a_department_is_for_both(tmp_path: Path) -> None:
    heads = SALES.replace("{department: 営業部,", "{department: 営業部, role: 部長,")

    assert drift(tmp_path, heads, grant("Sales", "hanako"), grant("Sales", "ichiro")) == {
        "Sales#ichiro-read": "unlisted"
    }


def test_a_group_is_as_its_members_are(tmp_path: Path) -> None:
    """Also through another group."""
    fine = [*group("all-sales", "hanako", "ichiro"), grant("Sales", "all-sales")]
    mixed = [*group("inner", "sakura"), *group("mixed", "hanako", "inner"), grant("Sales", "mixed")]

    assert drift(tmp_path, SALES, *fine, *mixed) == {"Sales#mixed-read": "unlisted"}


def test_it_is_said_how_many_members_are_not_meant(tmp_path: Path) -> None:
    facts: list[Yielded] = [*group("mixed", "hanako", "sakura", "toru"), grant("Sales", "mixed")]

    with compared(tmp_path, SALES, facts) as snapshot:
        (row,) = snapshot.query("SELECT people FROM drift WHERE kind = 'unlisted'").rows
    assert row[0] == 2


def test_a_group_that_a_line_names_is_intended_whoever_is_in_it(tmp_path: Path) -> None:
    named = SALES + "      - {group: guild@acme.example, access: read}\n"
    facts: list[Yielded] = [*group("guild", "sakura"), grant("Sales", "guild")]

    assert drift(tmp_path, named, *facts) == {}


def test_an_external_group_that_is_called_like_ours_is_not_the_one_that_is_named(tmp_path: Path) -> None:
    named = SALES + "      - {group: guild, access: read}\n"
    other = Principal(
        uid="toy:fake", platform="toy", account="x", kind="group", name="guild", affiliation=Affiliation.EXTERNAL
    )

    assert drift(tmp_path, named, other, grant("Sales", "fake", audience=Audience.NAMED_EXTERNAL)) == {
        "Sales#fake-read": "wider"
    }


HAULIER = PartnerTable(name="Haulier", domains=["haulier.example"], ends=date(2026, 4, 1))


@pytest.mark.parametrize(("today", "said"), [(1, {}), (2, {"Sales#driver-read": "expired"})])
def test_a_line_for_a_partner_ends_with_the_contract(tmp_path: Path, today: int, said: object) -> None:
    """The last day of the contract is 1 April."""
    line = SALES + "      - {partner: Haulier, access: read}\n"
    driver = user("driver", "driver@haulier.example", kind="guest", affiliation=Affiliation.PARTNER)
    facts: list[Yielded] = [driver, grant("Sales", "driver", audience=Audience.NAMED_EXTERNAL)]

    now = datetime(2026, 4, today, 3, tzinfo=UTC)
    assert drift(tmp_path, line, *facts, partners=[HAULIER], now=now) == said


def test_another_partner_is_not_meant(tmp_path: Path) -> None:
    line = SALES + "      - {partner: Haul*, access: read}\n"
    auditor = user("auditor", "a@audit.example", kind="guest", affiliation=Affiliation.PARTNER)
    facts: list[Yielded] = [auditor, grant("Sales", "auditor", audience=Audience.NAMED_EXTERNAL)]
    others = [HAULIER, PartnerTable(name="Auditors", domains=["audit.example"])]

    assert drift(tmp_path, line, *facts, partners=others) == {"Sales#auditor-read": "unlisted"}


def test_members_that_could_not_be_read_leave_it_open(tmp_path: Path) -> None:
    facts: list[Yielded] = [*group("hidden", "hanako", None), grant("Sales", "hidden")]

    assert drift(tmp_path, SALES, *facts) == {"Sales#hidden-read": None}


def test_a_grant_that_could_not_be_read_leaves_it_open(tmp_path: Path) -> None:
    unread = Grant(uid="toy:u", resource_uid="toy:Sales", audience=None, access=None, via=None, effective=None)

    assert drift(tmp_path, SALES, unread) == {"u": None}


def test_nobody_is_accused_while_the_roster_is_in_doubt(tmp_path: Path) -> None:
    doubt = Staff(is_configured=True, doubt=Reason(code="roster-unreadable", values={"why": "?"}))

    assert drift(tmp_path, SALES, grant("Sales", "sakura"), staff=doubt) == {"Sales#sakura-read": None}


def test_without_departments_in_the_directory_nobody_is_accused(tmp_path: Path) -> None:
    assert drift(tmp_path, SALES, grant("Sales", "sakura"), staff=Staff()) == {"Sales#sakura-read": None}


def test_an_account_that_is_nobodys_is_in_no_line(tmp_path: Path) -> None:
    facts: list[Yielded] = [user("robot", "robot@acme.example"), grant("Sales", "robot")]

    assert drift(tmp_path, SALES, *facts) == {"Sales#robot-read": "unlisted"}


@pytest.mark.parametrize(("until", "said"), [("2026-04-01", {}), ("2026-03-31", {"Sales#ichiro-read": "expired"})])
def test_the_last_day_of_a_line_is_a_day_of_the_organisation(tmp_path: Path, until: str, said: object) -> None:
    """The scan is at noon of 1 April in Tokyo."""
    ends = SALES.replace("access: write", f"access: write, until: {until}")

    assert drift(tmp_path, ends, grant("Sales", "ichiro"), timezone="Asia/Tokyo") == said


def test_the_same_moment_is_still_the_day_before_in_honolulu(tmp_path: Path) -> None:
    ends = SALES.replace("access: write", "access: write, until: 2026-03-31")

    assert drift(tmp_path, ends, grant("Sales", "ichiro"), timezone="Pacific/Honolulu") == {}


def test_days_count_from_the_day_of_the_grant(tmp_path: Path) -> None:
    """In Tokyo 15:00 UTC is the next day already: 31 days before 1 April is 1 March."""
    month = SALES.replace("access: write", "access: write, days: 31")
    young = grant("Sales", "ichiro", granted_on=datetime(2026, 2, 28, 15, tzinfo=UTC))
    old = grant("Offers", "ichiro", granted_on=datetime(2026, 2, 28, 14, 59, tzinfo=UTC))
    unknown = grant("plan", "ichiro")

    assert drift(tmp_path, month, young, old, unknown, timezone="Asia/Tokyo") == {
        "Offers#ichiro-read": "expired",
        "plan#ichiro-read": None,
    }


def test_an_owner_has_what_is_theirs_without_a_line(tmp_path: Path) -> None:
    facts: list[Yielded] = [
        thing("note", "file", inside="Offers", drive="Sales", owner_uid="toy:sakura"),
        grant("note", "sakura", Access.OWN),
    ]

    assert drift(tmp_path, SALES, *facts) == {}


def test_what_opens_nothing_is_left_out(tmp_path: Path) -> None:
    facts: list[Yielded] = [
        grant("Sales", "sakura", effective=False),
        grant("Offers", "sakura", expires_on=datetime(2026, 3, 1, tzinfo=UTC)),
        grant("plan", "sakura", Access.LIST),
    ]

    assert drift(tmp_path, SALES, *facts) == {}


def test_somebody_external_needs_a_line(tmp_path: Path) -> None:
    guest = user("guest", "guest@client.example", kind="guest", affiliation=Affiliation.EXTERNAL)
    given = grant("Sales", "guest", audience=Audience.NAMED_EXTERNAL)

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert drift(tmp_path / "a", SALES, guest, given) == {"Sales#guest-read": "wider"}
    assert drift(tmp_path / "b", SALES + "      - {who: external, access: read}\n", guest, given) == {}


def test_the_most_specific_pattern_wins_and_the_name_is_noted(tmp_path: Path) -> None:
    both = "templates:\n  - {name: All, where: ['*'], lines: [{who: everybody, access: own}]}\n" + SALES[12:]

    with compared(tmp_path, both, [grant("Sales", "sakura")]) as snapshot:
        rows = snapshot.query("SELECT template, kind FROM drift WHERE kind IN ('unlisted', 'as-intended')").rows

    assert sorted(tuple(row) for row in rows) == [
        ("All", "as-intended"),
        ("Sales", "as-intended"),
        ("Sales", "unlisted"),
    ]


def test_stars_name_the_top_of_what_fits(tmp_path: Path) -> None:
    """`Sales/**` is the drive: what is in it belongs to it."""
    with compared(tmp_path, SALES.replace("[Sales]", "['sales/**', 'Sales/*/nothing']"), []) as snapshot:
        rows = snapshot.query("SELECT pattern, matches FROM templates ORDER BY pattern").rows

    assert [tuple(row) for row in rows] == [("Sales/*/nothing", 0), ("sales/**", 1)]


def test_what_is_in_no_template_is_counted_by_its_drive(tmp_path: Path) -> None:
    with compared(tmp_path, SALES, []) as snapshot:
        rows = snapshot.query("SELECT resource_uid, files, size_bytes FROM drift WHERE kind = 'no-template'").rows

    assert [tuple(row) for row in rows] == [("toy:Finance", 1, 9)]


def test_a_line_that_nobody_has_access_by_is_missing(tmp_path: Path) -> None:
    more = SALES + "      - {department: 経理部, access: read}\n"

    with compared(tmp_path, more, [grant("Sales", "ichiro")]) as snapshot:
        rows = snapshot.query("SELECT resource_uid, line FROM drift WHERE kind = 'missing'").rows

    assert [tuple(row) for row in rows] == [("toy:Sales", "department 経理部")]


def test_templates_that_could_not_be_read_are_a_gap(tmp_path: Path) -> None:
    doubt = Reason(code="templates-unreadable", values={"why": "?"})
    known = Knowledge(staff=staff(ROSTER), intent=Intent(doubt=doubt))

    with joined(tmp_path, known, COMPANY) as snapshot:
        gaps = [(row.table, str(row.reason)) for row in snapshot.coverage() if row.outcome.is_gap]

    assert [table for table, _ in gaps] == ["templates"]
