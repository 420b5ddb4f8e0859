"""`cloudscan templates`: templates tried on the last scan, and a first draft of them."""

import re
from collections.abc import Iterable
from dataclasses import replace

import pytest
import yaml

from cloudscan.connector import Yielded
from cloudscan.facts import Access, Audience
from cloudscan.organisation.joining import joiner
from cloudscan.organisation.knowledge import Knowledge
from cloudscan.snapshot.collect import CollectOptions, collect
from cloudscan.snapshot.seal import SealOptions
from tests.cli.conftest import CONFIG, Desk
from tests.kit.facts import Listed, yielding
from tests.kit.organisation import NIGHT, staff, user
from tests.kit.templates import COMPANY, ROSTER, grant, group, thing

SALES = """
templates:
  - name: Sales
    where: [Sales]
    lines:
      - {department: 営業部, access: write}
      - {department: 総務部, access: read}
"""


def seal(desk: Desk, facts: Iterable[Yielded], roster: str = ROSTER) -> None:
    """The last scan of the desk is of these facts."""
    known = Knowledge(domains=["acme.example"], staff=staff(roster))
    options = CollectOptions(clock=lambda: NIGHT, seal=SealOptions(join=joiner(known)))
    folder = desk.folder / ".cloudscan" / "snapshots" / "2026-04-01T030000Z"
    folder.parent.mkdir(parents=True, exist_ok=True)
    collect([Listed({"a": yielding(*facts)})], folder, options=replace(options, concurrency=1))


@pytest.fixture
def sales(desk: Desk) -> Desk:
    (desk.folder / "sales.yaml").write_text(SALES, encoding="utf-8")
    desk.configure(CONFIG + '\n[templates]\nfiles = ["*.yaml"]\n')
    return desk


def test_drift_is_shown_by_folder_with_what_is_in_no_template(sales: Desk) -> None:
    seal(
        sales,
        [
            *COMPANY,
            grant("Sales", "ichiro", Access.MANAGE),
            grant("plan", "sakura"),
            grant("plan", None, audience=Audience.ANYONE_WITH_LINK),
        ],
    )

    result = sales.run("templates", "check")

    assert result.code == 1
    rows = [re.split(r"\s{2,}", line) for line in result.out.splitlines()]
    assert rows[2:5] == [
        ["Sales", "Sales", "wider", "1", "anyone_with_link read (plan)"],
        ["Sales", "Sales", "not listed", "1", "sakura@acme.example read (plan)"],
        ["Sales", "Sales", "stronger", "1", "ichiro@acme.example manage (Sales)"],
    ]
    assert result.out.splitlines()[5:] == [
        "As intended: 0 of 1.",
        "Intended, and nobody has access (information only):",
        "  Sales: department 総務部",
        "In no template:",
        "  Finance, files: 1",
    ]


def test_what_is_as_intended_is_0_and_what_is_not_known_is_not(sales: Desk) -> None:
    seal(sales, [*COMPANY, grant("Sales", "ichiro")])
    fine = sales.run("templates", "check")
    seal_again = [*COMPANY, *group("hidden", None), grant("Sales", "hidden")]

    assert (fine.code, fine.out.splitlines()[0]) == (0, "As intended: 1 of 1.")

    for file in (sales.folder / ".cloudscan").rglob("*"):
        if file.is_file():
            file.unlink()
    seal(sales, seal_again)
    assert sales.run("templates", "check").code == 3


def test_a_template_is_tried_without_being_configured(desk: Desk) -> None:
    seal(desk, [*COMPANY, grant("Sales", "sakura")])
    (desk.folder / "trial.yaml").write_text(SALES.replace("営業部", "経理部"), encoding="utf-8")

    result = desk.run("templates", "check", "trial.yaml", "--format", "json")

    assert result.code == 0
    assert [one["template"] for one in result.json["resources"]] == ["Sales"]
    assert result.json["names_nothing"] == []


def test_wrong_templates_are_refused_with_their_lines(desk: Desk) -> None:
    (desk.folder / "wrong.yaml").write_text(
        """templates:
  - name: Sales
    where: [Sales]
    lines:
      - {department: 営業部, access: wrote}
""",
        encoding="utf-8",
    )
    (desk.folder / "two.yaml").write_text(
        """templates:
  - name: Sales
    lines:
      - {access: read}
      - {department: 営業部, access: read, days: 0}
""",
        encoding="utf-8",
    )

    (desk.folder / "day.yaml").write_text(
        """templates:
  - name: Sales
    where: [Sales]
    lines:
      - {department: 営業部, access: read, until: 2026-06-31}
""",
        encoding="utf-8",
    )

    files: list[list[str]] = [["wrong.yaml"], ["two.yaml"], ["day.yaml"], []]
    wrong, two, day, none = (desk.run("templates", "check", *some) for some in files)

    assert (wrong.code, two.code, day.code, none.code) == (2, 2, 2, 2)
    assert day.err.splitlines() == ["day.yaml:5: '2026-06-31' does not exist as a day or number; correct it"]
    assert wrong.err.splitlines() == ["wrong.yaml:5: 'wrote' is not one of the values; write write"]
    assert two.err.splitlines() == [
        "two.yaml:2: the template says neither where nor for which rank; write where: [Sales/Contracts]",
        "two.yaml:4: a line is for one of department, role, group, partner or who; write one of them",
        "two.yaml:5: 0 days are none; write 1 or more",
    ]
    assert "write [templates] files" in none.err


def test_one_department_is_tried_before_the_rest(sales: Desk) -> None:
    """What the people of finance have access to, and nothing else."""
    seal(sales, [*COMPANY, grant("plan", "sakura"), grant("Sales", "ichiro", Access.MANAGE)])

    result = sales.run("templates", "check", "--only", "department=経理部", "--format", "json")

    assert [one["principal_name"] for each in result.json["resources"] for one in each["drift"]] == [
        "sakura@acme.example"
    ]
    assert sales.run("templates", "check", "--only", "department=法務部").code == 2


def company(*extra: Yielded) -> tuple[list[Yielded], str]:
    """Ten people in sales, eight in finance, three directors; most of a department have access to its drive."""
    departments = [*["営業部"] * 10, *["経理部"] * 8, *["役員"] * 3]
    roster = "社員番号,氏名,メール,部署\n" + "".join(
        f"{number},社員{number},p{number}@acme.example,{one}\n" for number, one in enumerate(departments)
    )
    facts: list[Yielded] = [
        *(user(f"p{number}", f"p{number}@acme.example") for number in range(len(departments))),
        thing("Sales", "shared_drive"),
        thing("plan", "file", inside="Sales", drive="Sales"),
        thing("Finance", "shared_drive"),
        thing("Board", inside="Finance", drive="Finance"),
        *group("all-sales", *(f"p{number}" for number in range(9))),
        grant("Sales", "all-sales", Access.WRITE),
        *(grant("Finance", f"p{number}") for number in range(10, 16)),
        *(grant("Board", f"p{number}", origin="Finance") for number in range(10, 16)),
        *(grant("Board", f"p{number}") for number in range(18, 21)),
        *extra,
    ]
    return facts, roster


def test_a_first_draft_is_learnt_and_explains_all_but_what_it_lists(desk: Desk) -> None:
    link = grant("plan", None, audience=Audience.ANYONE_WITH_LINK)
    seal(desk, *company(link, grant("Sales", "p3", Access.MANAGE)))

    said = desk.run("templates", "learn", "-o", "draft.yaml")
    text = (desk.folder / "draft.yaml").read_text("utf-8")

    assert said.code == 0
    assert yaml.safe_load(text)["templates"] == [
        {"name": "toy:Finance", "where": ["toy:Finance"], "lines": [{"department": "経理部", "access": "read"}]},
        {"name": "toy:Sales", "where": ["toy:Sales"], "lines": [{"department": "営業部", "access": "write"}]},
    ]
    assert '{department: "営業部", access: write}  # 9 of 10 people' in text
    assert re.findall(r"Grants that no line explains: (.*)", text) == ["unlisted 3", "stronger 1, wider 1"]
    checked = desk.run("templates", "check", "draft.yaml", "--format", "json")
    assert {one["template"]: sorted(each["drift"] for each in one["drift"]) for one in checked.json["resources"]} == {
        "toy:Finance": ["unlisted"] * 3,
        "toy:Sales": ["stronger", "wider"],
    }


def test_a_draft_names_nobody_and_no_small_group(desk: Desk) -> None:
    seal(desk, *company())

    said = desk.run("templates", "learn")

    assert "@acme.example" not in said.out
    assert "社員" not in said.out
    assert "役員" not in said.out


def test_one_department_is_learnt_before_the_rest(desk: Desk) -> None:
    seal(desk, *company())

    said = desk.run("templates", "learn", "--only", "department=経理部")

    assert [one["name"] for one in yaml.safe_load(said.out)["templates"]] == ["toy:Finance"]


def test_without_departments_the_reader_hears_what_to_do(desk: Desk) -> None:
    facts, _ = company()
    seal(desk, facts, "社員番号,氏名,メール\n1,佐藤,p1@acme.example\n")

    said = desk.run("templates", "learn")

    assert said.code == 2
    assert "Nobody's department is known" in said.err


def test_a_file_is_not_overwritten(desk: Desk) -> None:
    seal(desk, *company())
    (desk.folder / "mine.yaml").write_text("templates: []\n")

    said = desk.run("templates", "learn", "-o", "mine.yaml")

    assert (said.code, (desk.folder / "mine.yaml").read_text()) == (2, "templates: []\n")


def test_a_scan_finds_drift_and_keeps_it_open_while_a_template_cannot_be_read(desk: Desk) -> None:
    """Everybody may read the plan, and the template is for nobody."""
    (desk.folder / "shelves.yaml").write_text("templates:\n  - {name: Shelf, where: [sales], lines: []}\n")
    desk.configure(CONFIG + '\n[templates]\nfiles = ["shelves.yaml"]\n')
    drift = ("findings", "--rule", "template-drift", "--format", "json")

    desk.run("scan")
    found = desk.run(*drift).json
    (desk.folder / "shelves.yaml").write_text("templates: [{name: Shelf, were: [sales]}]\n")
    healthy, broken = desk.run("doctor"), desk.run("scan")

    assert [(one["verdict"]["subject"]["name"], one["verified"]) for one in found] == [("sales", True)]
    assert "the key `were` is not known; write where" in healthy.out + healthy.err
    assert broken.code == 5  # findings, and something could not be read
    assert (
        "not all permission templates could be read: shelves.yaml:1: the key `were` is not known"
        in desk.run("gaps").out
    )
    assert [one["verified"] for one in desk.run(*drift).json] == [False]
