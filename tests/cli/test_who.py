"""`cloudscan who`: all that one person can reach on all platforms; who it is, is never guessed."""

import json
from pathlib import Path

import pytest

from cloudscan.organisation.knowledge import Knowledge
from tests.cli.conftest import CONFIG, Desk
from tests.kit.nights import ledger_in
from tests.kit.organisation import staff, user
from tests.kit.people import ROSTER, given, in_three_clouds, judged, night, thing


@pytest.fixture
def company(desk: Desk) -> Desk:
    """A night of the company in three clouds, with two accounts that are nobody's for certain."""
    roster = ROSTER + "00104,田中 次郎,jiro@acme.example,,,,,,\n00105,本田 宗,,,,,,,\n"
    guest = user("carrier", "crew@carrier.example", platform="gdrive", kind="guest", affiliation="partner")
    facts = [
        *in_three_clouds(),
        user("jiro", "jiro@acme.example", platform="gdrive"),
        user("鈴木 一郎", "i.suzuki@acme.example", platform="gdrive"),
        *(guest, thing("gdrive:route"), given(guest.uid, "gdrive:route")),
    ]
    folder = desk.folder / ".cloudscan" / "snapshots" / "20260401T030000Z"
    folder.parent.mkdir(parents=True)
    with night(folder, Knowledge(staff=staff(roster), domains=["acme.example"]), facts) as snapshot:
        verdicts = judged(snapshot, "former-employee-still-has-access", "former-employee-private-account")
        ledger_in(desk.folder).record(snapshot, verdicts)
    return desk


@pytest.mark.parametrize("asked", ["00102", "102", "Ichiro@acme.example", "s3:ichiro", "organisation:person/00102"])
def test_a_person_is_found_by_number_address_or_account(company: Desk, asked: str) -> None:
    """Whatever zeros a spreadsheet dropped."""
    said = company.run("who", asked, "--format", "json").json

    assert said["number"] == "00102"
    assert {one["uid"]: one["ownership"] for one in said["accounts"]} == {
        "gdrive:ichiro": "own",
        "m365:ichiro": "own",
        "s3:ichiro": "own",
        "m365:ichi": "private",
    }


def test_everything_that_a_person_can_reach_is_told_with_the_road(company: Desk) -> None:
    """What is open outside comes first."""
    said = company.run("who", "00102", "--format", "json").json

    assert next((one["resource_uid"], one["by"]) for one in said["reached"]) == ("gdrive:own", "owner")
    assert {(one["resource_uid"], one["by"]) for one in said["reached"]} == {
        ("gdrive:own", "owner"), ("gdrive:plan", "direct"), ("m365:site", "direct"), ("s3:bucket", "direct"),
    }  # fmt: skip
    assert [(one["uid"], one["role"]) for one in said["groups"]] == [("m365:team", "member")]
    assert {one["rule_id"] for one in said["findings"]} == {
        "former-employee-still-has-access",
        "former-employee-private-account",
    }


def test_what_is_not_shown_is_counted(company: Desk) -> None:
    said = company.run("who", "00102", "--format", "json", "--limit", "1").json

    assert len(said["reached"]) == 1
    assert sum(one["things"] for one in said["amounts"]) == 4


def test_a_name_that_fits_two_is_answered_with_both(company: Desk) -> None:
    """And with the exit code of a question that cannot be answered."""
    said = company.run("who", "鈴木一郎")

    assert said.code == 2
    assert "2 people fit" in said.err
    assert "00102" in said.out
    assert "00103" in said.out
    assert "gdrive:own" not in said.out


def test_nobody_is_said_to_fit_whom_nothing_names(company: Desk) -> None:
    said = company.run("who", "nobody@acme.example")

    assert said.code == 2
    assert "Nobody fits 'nobody@acme.example'" in said.err


def test_accounts_that_may_be_the_persons_are_named_apart(company: Desk) -> None:
    """One is called alike: so are two people, and its access is told as neither's."""
    said = company.run("who", "00103", "--format", "json").json

    assert [one["uid"] for one in said["accounts"]] == ["gdrive:suzuki"]
    assert [(one["uid"], one["why"]) for one in said["doubts"]] == [("gdrive:鈴木 一郎", "name")]


def test_an_account_whose_person_could_not_be_read_is_nobodys(company: Desk) -> None:
    """The row of 00104 could not be understood; the account is nobody's for certain, and no one's access is mixed."""
    said = company.run("who", "jiro@acme.example", "--format", "json").json

    assert (said["number"], said["standing"]) == ("", None)
    assert [(one["uid"], one["joined_by"]) for one in said["accounts"]] == [("gdrive:jiro", "unread")]


def test_a_partners_person_is_found_by_the_address(company: Desk) -> None:
    """They are in no roster."""
    said = company.run("who", "crew@carrier.example", "--format", "json").json

    assert [one["resource_uid"] for one in said["reached"]] == ["gdrive:route"]


def test_the_table_speaks_in_words(company: Desk) -> None:
    """In the language of the terminal."""
    english, japanese = company.run("who", "00102").out, company.run("--lang", "ja", "who", "00102").out

    assert "no longer here" in english
    assert "2026-03-31" in english
    assert "anyone on the internet" in english
    assert "インターネット上の誰でも" in japanese
    assert "退職" in japanese


def test_a_redacted_answer_names_nobody(company: Desk, tmp_path: Path) -> None:
    """Words, days and numbers of things stay."""
    said = company.run("who", "00102", "--redact", "--format", "json")
    table = company.run("who", "00102", "--redact")

    assert said.json["last_day"] == "2026-03-31"
    assert {one["platform"] for one in said.json["accounts"]} == {"gdrive", "m365", "s3"}
    for text in ("ichiro", "鈴木", "00102", "営業部", "plan"):
        assert text not in said.out
        assert text not in table.out


def test_a_hand_out_about_a_former_employee_is_the_managers(company: Desk) -> None:
    """The person gets none, and no colleague reads a private address."""
    company.configure(CONFIG.replace('name = "Acme"', 'name = "Acme"\ndomains = ["acme.example"]'))

    company.run("report", "--by", "owner", "--into", "handouts", "--format", "markdown")

    pages = {page.name: page.read_text("utf-8") for page in (company.folder / "handouts").iterdir()}
    assert not [name for name in pages if "ichiro" in name]
    (page,) = [text for name, text in pages.items() if "hanako" in name]
    assert "鈴木 一郎" in page
    assert not [name for name, text in pages.items() if "ichi@mail.example" in text]


def test_a_rosters_check_says_what_could_not_be_joined(company: Desk) -> None:
    """Who has no account, which account is nobody's, and who is called like it: for a person to confirm."""
    (company.folder / "roster.csv").write_text(ROSTER, "utf-8")

    said = json.loads(company.run("roster", "check", "roster.csv", "--format", "json").out)["unjoined"]

    assert said["people"] == ["00101"]
    assert {one["address"]: one["why"] for one in said["accounts"]} == {
        "i.suzuki@acme.example": "",
        "jiro@acme.example": "unread",
    }
    assert [(one["address"], one["number"]) for one in said["proposals"]] == [
        ("i.suzuki@acme.example", "00102"),
        ("i.suzuki@acme.example", "00103"),
    ]
