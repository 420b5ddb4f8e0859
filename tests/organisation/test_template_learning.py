"""What is learnt from access as it is: what most people of a group have in common, and nothing that should not be."""

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cloudscan.connector import Yielded
from cloudscan.facts import Access, Affiliation, Audience
from cloudscan.nightly.template_check import check
from cloudscan.nightly.template_files import read_templates
from cloudscan.nightly.template_text import as_yaml
from cloudscan.organisation.knowledge import Knowledge
from cloudscan.organisation.register import PartnerTable
from cloudscan.organisation.template_learning import Learnt, Method, learn
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan.snapshot.tables import key
from tests.kit.organisation import NIGHT, joined, staff, user
from tests.kit.properties import examples
from tests.kit.templates import grant, group, thing

ACCESSES = (Access.READ, Access.WRITE, Access.MANAGE)


def roster(departments: Sequence[str], roles: Sequence[str] = (), ends: Sequence[str] = ()) -> str:
    """A roster of people 0, 1, …, each in a department."""
    rows = [
        f"{n},社員{n},p{n}@acme.example,{department},{roles[n] if roles else ''},{ends[n] if ends else ''}"
        for n, department in enumerate(departments)
    ]
    return "\n".join(["社員番号,氏名,メール,部署,役職,退職日", *rows]) + "\n"


def estate(folder: Path, departments: Sequence[str], facts: Sequence[Yielded], **more: Any) -> Snapshot:
    """A snapshot of people 0, 1, … and what is shared with them."""
    rows = {name: more.pop(name) for name in ("roles", "ends") if name in more}
    known = Knowledge(domains=["acme.example"], staff=staff(roster(departments, **rows)), **more)
    people = [user(f"p{n}", f"p{n}@acme.example") for n in range(len(departments))]
    return joined(folder, known, [*people, *facts])


def learnt(snapshot: Snapshot, method: Method | None = None) -> Learnt:
    return learn(snapshot.db, method or Method(), now=NIGHT, today=NIGHT.date(), timezone="UTC")


def lines(found: Learnt) -> dict[str, list[str]]:
    """The lines of each template, in words."""
    return {
        one.template.name.removeprefix("toy:"): [f"{line.label} {line.access}" for line in one.template.lines]
        for one in found.templates
    }


def to(on: str, people: Sequence[int], access: Access = Access.READ, **more: Any) -> list[Yielded]:
    return [grant(on, f"p{n}", access, **more) for n in people]


def test_sixty_percent_of_five_people_are_enough_and_not_less(tmp_path: Path) -> None:
    drives = [thing("Three", "shared_drive"), thing("Two", "shared_drive")]
    facts: list[Yielded] = [*drives, *to("Three", range(3)), *to("Two", range(2))]

    with estate(tmp_path, ["営業部"] * 5 + ["経理部"] * 5, facts) as snapshot:
        assert lines(learnt(snapshot)) == {"Three": ["department 営業部 read"]}


def test_four_people_are_too_few(tmp_path: Path) -> None:
    facts: list[Yielded] = [thing("All", "shared_drive"), *to("All", range(4))]

    with estate(tmp_path, ["役員"] * 4 + ["営業部"] * 9, facts) as snapshot:
        assert lines(learnt(snapshot)) == {}


def test_what_most_of_everybody_has_is_one_line(tmp_path: Path) -> None:
    facts: list[Yielded] = [thing("All", "shared_drive"), *to("All", range(10))]

    with estate(tmp_path, ["営業部"] * 6 + ["経理部"] * 6, facts) as snapshot:
        assert lines(learnt(snapshot)) == {"All": ["everybody read"]}


def test_the_strongest_access_is_that_of_most_not_the_maximum(tmp_path: Path) -> None:
    facts: list[Yielded] = [thing("S", "shared_drive"), *to("S", range(5)), *to("S", [0, 1, 2], Access.WRITE)]
    facts += to("S", [0], Access.MANAGE)

    with estate(tmp_path, ["営業部"] * 5 + ["経理部"] * 20, facts) as snapshot:
        assert lines(learnt(snapshot)) == {"S": ["department 営業部 write"]}


def test_a_role_that_has_more_than_its_department_has_a_line_of_its_own(tmp_path: Path) -> None:
    facts: list[Yielded] = [thing("S", "shared_drive"), *to("S", range(5, 12)), *to("S", range(5), Access.MANAGE)]

    with estate(tmp_path, ["営業部"] * 12 + ["経理部"] * 20, facts, roles=["部長"] * 5 + [""] * 27) as snapshot:
        assert lines(learnt(snapshot)) == {"S": ["department 営業部 read", "department 営業部, role 部長 manage"]}


def test_a_folder_that_says_the_same_as_its_drive_is_not_repeated(tmp_path: Path) -> None:
    facts: list[Yielded] = [
        *(thing("S", "shared_drive"), thing("Inner", inside="S", drive="S")),
        *(*to("S", range(5)), *to("Inner", range(5), origin="S"), grant("Inner", "p9")),
    ]

    with estate(tmp_path, ["営業部"] * 5 + ["経理部"] * 20, facts) as snapshot:
        assert lines(learnt(snapshot)) == {"S": ["department 営業部 read"]}


def test_a_folder_that_the_people_of_its_drive_do_not_reach_is_not_opened_to_them(tmp_path: Path) -> None:
    """Drive's limited access: what is above is not inherited."""
    facts: list[Yielded] = [
        *(thing("S", "shared_drive"), thing("Secret", inside="S", drive="S")),
        *(*to("S", range(5)), grant("Secret", "p9")),
    ]

    with estate(tmp_path, ["営業部"] * 5 + ["経理部"] * 20, facts) as snapshot:
        assert lines(learnt(snapshot)) == {"S": ["department 営業部 read"], "S/Secret": []}


def test_folders_that_agree_are_one_drive(tmp_path: Path) -> None:
    inner = [thing(name, inside="S", drive="S") for name in ("A", "B")]
    facts: list[Yielded] = [thing("S", "shared_drive"), *inner, *to("A", range(5)), *to("B", range(4))]

    with estate(tmp_path, ["営業部"] * 5 + ["経理部"] * 20, facts) as snapshot:
        found = learnt(snapshot)
        assert lines(found) == {"S": ["department 営業部 read"]}
        assert found.templates[0].lines[0].having == (4, 5)


def test_sins_are_not_learnt(tmp_path: Path) -> None:
    """Links for anyone, what has expired or is latent, and what a finding is about."""
    names = ("Link", "Expired", "Latent", "Found", "Left", "Fine")
    expired = datetime(2026, 3, 1, tzinfo=UTC)
    facts: list[Yielded] = [
        *(thing(name, "shared_drive") for name in names),
        grant("Link", None, audience=Audience.ANYONE_WITH_LINK),
        *to("Expired", range(5), expires_on=expired),
        *to("Latent", range(5), effective=False),
        *to("Found", range(5)),
        *to("Left", range(5, 10)),
        *to("Fine", range(5)),
    ]
    refused = {key(f"toy:Found#p{n}-read") for n in range(5)}
    ends = [*[""] * 5, *["2026-03-01"] * 5, *[""] * 20]

    with estate(tmp_path, ["営業部"] * 5 + ["総務部"] * 5 + ["経理部"] * 20, facts, ends=ends) as snapshot:
        found = learnt(snapshot, Method(refused=refused))
        assert lines(found) == {"Fine": ["department 営業部 read"]}
        assert found.refused == 5


def test_a_partner_is_learnt_until_its_contract_is_over(tmp_path: Path) -> None:
    drivers = [
        user(f"d{n}", f"d{n}@{domain}.example", kind="guest", affiliation=Affiliation.PARTNER)
        for domain in ("haulier", "gone")
        for n in (range(5) if domain == "haulier" else range(5, 10))
    ]
    facts: list[Yielded] = [
        thing("S", "shared_drive"),
        *drivers,
        *(grant("S", f"d{n}", audience=Audience.NAMED_EXTERNAL) for n in range(10)),
    ]
    partners = [
        PartnerTable(name="Haulier", domains=["haulier.example"], ends=date(2027, 3, 31)),
        PartnerTable(name="Gone", domains=["gone.example"], ends=date(2026, 3, 31)),
    ]

    with estate(tmp_path, ["営業部"] * 5, facts, partners=partners) as snapshot:
        assert lines(learnt(snapshot)) == {"S": ["partner Haulier read"]}


def test_two_folders_of_one_name_are_not_mixed_up(tmp_path: Path) -> None:
    twins = [thing(uid, "shared_drive", path="Twin") for uid in ("T1", "T2")]

    with estate(tmp_path, ["営業部"] * 5, [*twins, *to("T1", range(5))]) as snapshot:
        found = learnt(snapshot)

    assert (lines(found), found.unnamed) == ({}, 2)


def test_names_are_written_so_that_yaml_reads_them_back(tmp_path: Path) -> None:
    odd = 'x: "#1" \u2028\x85 - {a}'
    facts: list[Yielded] = [thing(odd, "shared_drive"), *(grant(odd, f"p{n}") for n in range(5))]

    with estate(tmp_path, ["営業部: [A]"] * 5 + ["経理部"] * 20, facts) as snapshot:
        (tmp_path / "t.yaml").write_text(as_yaml(learnt(snapshot), "ja"), encoding="utf-8")
    templates, problems = read_templates([str(tmp_path / "t.yaml")])

    assert problems == []
    assert [(one.where, one.lines[0].department) for one in templates] == [([f"toy:{odd}"], "営業部: [A]")]


@st.composite
def estates(draw: st.DrawFn) -> tuple[list[str], list[Yielded]]:
    """Departments of some people, drives and folders in them, and grants to people, groups and links."""
    departments = draw(st.lists(st.sampled_from(["営業部", "経理部", "役員"]), min_size=8, max_size=18))
    people = st.integers(0, len(departments) - 1)
    resources = ["D0", "D1", "D0-a", "D0-b"]
    facts: list[Yielded] = [
        *(thing(name, "shared_drive") for name in resources[:2]),
        *(thing(name, inside="D0", drive="D0") for name in resources[2:]),
        *group("some", *(f"p{n}" for n in draw(st.sets(people, min_size=1)))),
    ]
    given: dict[tuple[str, str], Access] = {}
    for on in resources:
        for to_whom in (*(f"p{n}" for n in draw(st.sets(people))), *draw(st.sets(st.just("some")))):
            given[on, to_whom] = draw(st.sampled_from(ACCESSES))
        if draw(st.booleans()):
            facts.append(grant(on, None, audience=Audience.ANYONE_WITH_LINK))
    facts += [grant(on, to_whom, access) for (on, to_whom), access in given.items()]
    facts += [
        grant(inner, to_whom, access, origin="D0")
        for (on, to_whom), access in given.items()
        if on == "D0"
        for inner in resources[2:]
        if (inner, to_whom) not in given
    ]
    return departments, facts


@examples(6, deadline=None)
@given(estates())
def test_a_draft_explains_its_own_estate_but_for_what_it_lists(made: tuple[list[str], list[Yielded]]) -> None:
    departments, facts = made
    with TemporaryDirectory() as name, estate(Path(name), departments, facts) as snapshot:
        found = learnt(snapshot)
        file = Path(name) / "draft.yaml"
        file.write_text(as_yaml(found, "en"), encoding="utf-8")
        templates, problems = read_templates([str(file)])
        result = check(snapshot, templates, "UTC")

    assert problems == []
    counted = {one.template.name: dict(one.outliers) for one in found.templates if one.outliers}
    drifting: dict[str, dict[str, int]] = {}
    for one in result.resources:
        for each in one.drift:
            kinds = drifting.setdefault(one.template, {})
            kinds[each.drift] = kinds.get(each.drift, 0) + 1
    assert drifting == counted
    assert not result.names_nothing
    department_of = {f"p{n}@acme.example": department for n, department in enumerate(departments)}
    for draft in found.templates:
        for line in draft.lines:
            size = len(departments) if line.cell.is_everybody else departments.count(line.cell.department)
            assert line.people == size >= 5
            assert line.having[0] >= math.ceil(0.6 * size)
    for one in result.resources:
        learnt_lines = next(each.template.lines for each in found.templates if each.template.name == one.template)
        for each in one.drift:
            fitting = [
                line.access
                for line in learnt_lines
                if line.who == "everybody" or line.department == department_of.get(each.principal_name)
            ]
            assert (
                each.audience != Audience.NAMED
                or not any(each.access is not None and each.access <= access for access in fitting)
                or each.principal_name == "some@acme.example"
            )
