"""How much a resource matters: which entry counts, what it reaches, and what is left unranked."""

from pathlib import Path

import pytest

from cloudscan.config import RankTable
from cloudscan.connector import Yielded
from cloudscan.facts import Resource
from cloudscan.nightly.knowledge import rank_lines
from cloudscan.organisation.knowledge import Knowledge
from tests.kit.facts import file
from tests.kit.organisation import joined, staff, user

DRIVE = Resource(uid="toy:hr", platform="toy", account="acme", kind="shared_drive", name="HR", path="HR")


def folder(name: str, path: str, **more: object) -> Resource:
    return Resource(
        uid=f"toy:{name}", platform="toy", account="acme", kind="folder", name=name, path=path,
        **{"parent_uid": "toy:hr", "container_uid": "toy:hr", **more},  # type: ignore[arg-type]
    )  # fmt: skip


def inside(name: str, path: str, parent: str = "hr", **more: object) -> Resource:
    return file(name, path=path, parent_uid=f"toy:{parent}", container_uid="toy:hr", **more)


def ranks(folder: Path, entries: list[RankTable], *facts: Yielded, **more: object) -> dict[str, tuple[int, str, str]]:
    """Of each ranked resource the rank, what says so, and the value that decided; the two tables must agree."""
    known = Knowledge(ranks=rank_lines(entries), **more)  # type: ignore[arg-type]
    with joined(folder, known, facts) as snapshot:
        rows = snapshot.query("SELECT resource_uid, rank, source, decided_by FROM ranks").rows
        written = snapshot.query("SELECT uid, rank FROM resources WHERE rank IS NOT NULL").rows
    found = {str(uid).removeprefix("toy:"): (rank, source, value) for uid, rank, source, value in rows}
    assert {str(uid).removeprefix("toy:"): rank for uid, rank in written} == {uid: row[0] for uid, row in found.items()}
    return found


def news(**keys: list[str]) -> RankTable:
    return RankTable(rank="news-grade", **keys)


def confidential(**keys: list[str]) -> RankTable:
    return RankTable(rank="confidential", **keys)


def working(**keys: list[str]) -> RankTable:
    return RankTable(rank="working", **keys)


@pytest.mark.parametrize("pattern", ["HR/Pay*", "**/payroll*", "hr/**/*.xlsx", "toy:HR/*", "ＨＲ/Ｐａｙｒｏｌｌ*"])
def test_a_place_with_stars_is_a_pattern(tmp_path: Path, pattern: str) -> None:
    """In the language that partners and templates name places in: what fits, and all that is below."""
    found = ranks(tmp_path, [news(places=[pattern])], DRIVE, inside("f", "Payroll/2026.xlsx"))

    assert found["f"] == (5, "pattern", pattern)


def test_a_pattern_that_is_nearly_it_ranks_nothing(tmp_path: Path) -> None:
    """Another platform, half a name, a name in the middle."""
    patterns = ["s3:HR/*", "*/pay", "Payroll/*", "HR/*.xlsx", "HR/Pay_*"]

    assert ranks(tmp_path, [news(places=patterns)], DRIVE, inside("f", "Payroll/2026.xlsx")) == {}


def test_the_first_source_counts(tmp_path: Path) -> None:
    """Explicit before tag, before label, before pattern, before the owner's department, whatever the ranks are."""
    owner = user("o", "o@acme.example", department="Sales")
    sources = {
        "department": confidential(departments=["sales"]),
        "pattern": working(places=["*plan*"]),
        "label": news(labels=["secret"]),
        "tag": working(tags=["data=low"]),
        "explicit": confidential(places=["toy:plan"]),
    }
    plan = file("plan", label="Secret", owner_uid="toy:o", detail={"tags": {"data": "low"}})

    found = [
        ranks(tmp_path / str(number), list(sources.values())[:number], owner, plan)["plan"][:2]
        for number in range(1, len(sources) + 1)
    ]

    assert found == [(3, "department"), (1, "pattern"), (5, "label"), (1, "tag"), (3, "explicit")]


def test_of_one_source_the_highest_rank_counts(tmp_path: Path) -> None:
    """Whatever the order in the file is."""
    entries = [working(places=["*a*"]), news(places=["*b*"]), confidential(places=["*c*"])]

    assert ranks(tmp_path, entries, file("abc"))["abc"] == (5, "pattern", "*b*")


def test_a_child_keeps_the_higher_of_its_own_and_its_parents_rank(tmp_path: Path) -> None:
    """Down to the last level, from the nearest folder that is ranked so."""
    found = ranks(
        tmp_path,
        [confidential(containers=["hr"]), news(places=["HR/Boar?"]), working(labels=["open"])],
        DRIVE, folder("board", "Board"), folder("deep", "Board/2026", parent_uid="toy:board"),
        inside("minutes", "Board/2026/m", "deep", label="open"), inside("menu", "menu", label="open"),
    )  # fmt: skip

    assert found == {
        "hr": (3, "pattern", "hr"),
        "board": (5, "pattern", "HR/Boar?"),
        "deep": (5, "pattern", "HR/Boar?"),
        "minutes": (5, "inherited", "HR/Boar?"),
        "menu": (3, "inherited", "hr"),
    }


def test_a_single_place_hands_its_rank_down_and_does_not_fix_what_is_in_it(tmp_path: Path) -> None:
    """Only what is named itself is exempt from what has a higher rank."""
    found = ranks(
        tmp_path, [working(places=["HR"]), news(labels=["secret"])],
        DRIVE, inside("f", "f", label="secret"), inside("g", "g"),
    )  # fmt: skip

    assert {uid: row[:2] for uid, row in found.items()} == {
        "hr": (1, "explicit"), "f": (5, "label"), "g": (1, "inherited"),
    }  # fmt: skip


def test_what_is_named_itself_keeps_its_rank_and_hands_it_down(tmp_path: Path) -> None:
    """The canteen's menu in the HR drive is a decision."""
    found = ranks(
        tmp_path, [news(containers=["hr"]), working(places=["HR/Canteen"])],
        DRIVE, folder("canteen", "Canteen"), inside("menu", "Canteen/menu", "canteen"), inside("f", "f"),
    )  # fmt: skip

    assert {uid: row[:2] for uid, row in found.items()} == {
        "hr": (5, "pattern"), "canteen": (1, "explicit"), "menu": (1, "inherited"), "f": (5, "inherited"),
    }  # fmt: skip


def test_folders_that_are_in_each_other_come_to_an_end(tmp_path: Path) -> None:
    """A damaged list of folders."""
    one, other = folder("a", "a", parent_uid="toy:b", label="x"), folder("b", "b", parent_uid="toy:a")

    found = ranks(tmp_path, [news(labels=["x"])], one, other)

    assert {uid: row[:2] for uid, row in found.items()} == {"a": (5, "label"), "b": (5, "inherited")}


@pytest.mark.parametrize(
    "value",
    ["toy:f", "HR/Payroll/2026.xlsx", "toy:hr/payroll/2026.XLSX/", "https://drive.example/open?id=1AbCdEfGhIjKlMnOpQrSt",
     "https://drive.example/file/d/1AbCdEfGhIjKlMnOpQrSt/edit?usp=sharing"],
)  # fmt: skip
def test_a_resource_is_named_by_id_path_or_address(tmp_path: Path, value: str) -> None:
    """As people have it at hand: out of a report, or out of the browser."""
    payroll = inside("f", "Payroll/2026.xlsx", url="https://drive.example/open?id=1AbCdEfGhIjKlMnOpQrSt")
    other = inside("g", "Payroll/2025.xlsx", url="https://drive.example/open?id=2AbCdEfGhIjKlMnOpQrSt")

    assert ranks(tmp_path, [news(places=[value])], DRIVE, payroll, other) == {"f": (5, "explicit", value)}


def test_an_address_that_is_not_utf_8_stops_nothing(tmp_path: Path) -> None:
    """Half a pair of surrogates, as names in SharePoint may have."""
    broken = file("g", url="https://acme.example/half%20a%20pair%20%ED%A0%BD.txt")
    named = file("f", url="https://acme.example/a%20b.txt")

    assert ranks(tmp_path, [news(places=["https://acme.example/A b.txt"])], named, broken).keys() == {"f"}


def test_an_address_that_fits_several_ranks_none(tmp_path: Path) -> None:
    """It does not say which one is meant."""
    one, other = (file(name, url=f"https://drive.example/open?id={name}") for name in "ab")

    assert ranks(tmp_path, [news(places=["https://drive.example/open"])], one, other) == {}


@pytest.mark.parametrize(
    ("tag", "ranked"),
    [("data=payroll", True), ("Data = Pay*", True), ("data", True), ("data=pay", False), ("x", False)],
)
def test_a_tag_is_a_key_with_or_without_a_value(tmp_path: Path, tag: str, ranked: bool) -> None:
    """A star stands for any text."""
    bucket = file("b", detail={"tags": {"Data": "Payroll"}})

    assert (ranks(tmp_path, [news(tags=[tag])], bucket) != {}) is ranked


def test_an_owner_is_in_the_department_of_the_roster(tmp_path: Path) -> None:
    """The directory's own entry counts only for accounts that are nobody's."""
    roster = "社員番号,氏名,メールアドレス,部署\n1,佐藤,sato@acme.example,経理部\n"
    owners = [
        user("s", "sato@acme.example", department="営業部"),
        user("t", "tanaka@acme.example", department="営業部"),
        user("x", "x@other.example", department="経理部", affiliation="external"),
    ]
    files = [file(f"f{name}", owner_uid=f"toy:{name}") for name in "stx"]

    found = ranks(
        tmp_path, [news(departments=["経理*"]), working(departments=["営業部"])], *owners, *files, staff=staff(roster)
    )

    assert found == {"fs": (5, "department", "経理*"), "ft": (1, "department", "営業部")}


def test_what_nobody_ranked_is_unranked(tmp_path: Path) -> None:
    """Unranked is not low: the score takes the middle."""
    assert ranks(tmp_path, [news(places=["*payroll*"])], file("menu")) == {}
