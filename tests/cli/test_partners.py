"""`cloudscan partners`: contracts and what the partners have; their people are named on request alone."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.conftest import CONFIG, Desk

TODAY = datetime.now(UTC).date()
REGISTER = f"""
[[partners]]
name = "Haulier"
domains = ["haulier.example"]
owner = "mika@acme.example"
purpose = "Transport"
contract = "K-17"
starts = 2020-01-01
ends = {TODAY - timedelta(days=9)}
places = ["plan*"]
personal_data = false

[[partners]]
name = "Broker"
id = "broker-2"
addresses = ["freelance@mail.example"]
"""


@pytest.fixture
def scanned(desk: Desk) -> Desk:
    """A company that shares a plan and its payroll with a haulier whose contract has ended."""
    desk.configure(CONFIG + REGISTER)
    desk.shelve(plans="taro@haulier.example", payroll="Taro@Haulier.example", board="company")
    desk.run("scan")
    return desk


def test_partners_are_listed_with_what_they_have(scanned: Desk) -> None:
    result = scanned.run("partners", "list")

    assert result.code == 0
    lines = {line.split()[0]: line for line in result.out.splitlines()[2:]}
    assert "no end known" in lines["Broker"]
    assert "ended" in lines["Haulier"]
    assert str(TODAY - timedelta(days=9)) in lines["Haulier"]
    assert "taro" not in result.out.lower()


def test_a_partner_is_shown_with_places_and_findings(scanned: Desk) -> None:
    result = scanned.run("partners", "show", "haulier")

    assert result.code == 0
    assert "K-17, ended" in result.out
    assert "payroll" in result.out
    assert "although the contract ended on" in result.out
    assert "none of the places of" in result.out


def test_the_people_of_a_partner_are_named_on_request_alone(scanned: Desk) -> None:
    shown = scanned.run("partners", "show", "Haulier", "--format", "json").json
    asked = scanned.run("partners", "show", "Haulier", "--people", "--format", "json").json

    assert "people_listed" not in shown
    assert shown["people"] == 1
    assert {row["person"].lower() for row in asked["people_listed"]} == {"taro@haulier.example"}


def test_a_redacted_partner_has_no_names(scanned: Desk) -> None:
    result = scanned.run("partners", "show", "Haulier", "--people", "--redact", "--format", "json")
    listed = scanned.run("partners", "list", "--redact", "--format", "json")

    for text in (result.out, listed.out):
        assert not [word for word in ("aulier", "payroll", "mika", "Transport", "K-17") if word in text]


def test_a_partner_that_is_none_is_told_with_the_nearest(scanned: Desk) -> None:
    result = scanned.run("partners", "show", "Hauler")

    assert result.code == 2
    assert "no partner 'Hauler'" in result.err
    assert "Haulier" in result.err


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("places = ['Sales//x']", ["cloudscan.toml:13", "partners.places", "an empty name"]),
        ("places = ['dropbox:x']", ["no platform", "toy:"]),
        ("starts = 2026-05-01\nends = 2026-04-30", ["partners.ends", "ends before it starts"]),
        ("ends = 2026-04-30\ncontract_ends = 2026-05-30", ["partners.contract_ends", "older name"]),
        ("renews = true", ["partners.renews", "write with ends"]),
        ("addresses = ['taro']", ["partners.addresses", "'taro' is not a mail address"]),
        ("most_rank = 'secret'", ["partners.most_rank", "news-grade"]),
        ("most_access = 'wirte'", ["partners.most_access", "write write"]),
        ("sub_contractors = ['Driver Ltd']", ["partners.sub_contractors", "neither a mail domain nor a partner"]),
        ("incident_hours = 0", ["partners.incident_hours", "at least 1"]),
        ("review_due = 2026-01-01\nreviewed = 2026-02-01", ["partners.review_due", "before reviewed"]),
        ("[[partners]]\nname = 'Haulier'", ["another contract is called 'Haulier'", "an id of its own"]),
    ],
)
def test_nonsense_in_the_register_is_refused_in_words(desk: Desk, lines: str, words: list[str]) -> None:
    desk.configure(f"{CONFIG}\n[[partners]]\nname = 'Haulier'\n{lines}\n")

    result = desk.run("scan")

    assert result.code == 2
    assert not [word for word in words if word not in result.err], result.err


def test_two_contracts_may_have_one_domain(desk: Desk) -> None:
    desk.configure(
        f"{CONFIG}\n[[partners]]\nname = 'H'\nid = 'a'\ndomains = ['h.example']\n"
        "[[partners]]\nname = 'H'\nid = 'b'\ndomains = ['H.example']\n"
    )
    desk.shelve(plan="me")

    assert desk.run("scan").code == 0
    assert "name one of a, b" in desk.run("partners", "show", "H").err
