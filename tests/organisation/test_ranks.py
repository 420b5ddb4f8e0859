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
    return RankTable(rank="news-grade", **keys)  # type: ignore[arg-type]


def confidential(**keys: list[str]) -> RankTable:
    return RankTable(rank="confidential", **keys)  # type: ignore[arg-type]


def working(**keys: list[str]) -> RankTable:
    return RankTable(rank="working", **keys)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "pattern",
    ["HR/Payroll/*", "hr/payroll/*", "*/payroll/*", "*PAYROLL*", "*.xlsx", "HR/*/2026.xlsx", "?R/Payroll/2026*",
     "/HR/Payroll/2026.xlsx", "ＨＲ/Ｐａｙｒｏｌｌ/*"],
)  # fmt: skip
def test_a_pattern_is_compared_with_container_and_path(tmp_path: Path, pattern: str) -> None:
    """Case and full-width forms do not count, and a star reaches over slashes."""
    found = ranks(tmp_path, [news(paths=[pattern])], DRIVE, inside("f", "Payroll/2026.xlsx"))

    assert found["f"] == (5, "pattern", pattern)


def test_a_pattern_that_is_nearly_it_ranks_nothing(tmp_path: Path) -> None:
    """A pattern begins at the container, ends at the end, and only stars and question marks are wild."""
    patterns = ["Payroll/*", "HR/Payroll", "*/pay_oll/*", "HR/Pay%", "*[p]ayroll*", "*.xls"]

    assert ranks(tmp_path, [news(paths=patterns)], DRIVE, inside("f", "Payroll/2026.xlsx")) == {}


def test_spellings_of_the_same_name_are_the_same(tmp_path: Path) -> None:
    """Half-width katakana, names that a Mac decomposed, full-width digits."""
    spelled = {
        "給与/ﾃﾞｰﾀ.csv": "*/給与/データ*",
        "賞与/テ\u3099ータ.csv": "*/賞与/データ*",
        "給与（２０２６）/a": "*/給与(2026)/*",
        "STRASSE/a": "*/straße/*",
    }

    found = ranks(tmp_path, [news(paths=list(spelled.values()))], *(inside(path, path) for path in spelled))

    assert {path: row[2] for path, row in found.items()} == spelled


def test_a_pattern_for_what_is_in_a_folder_reaches_the_folder_too(tmp_path: Path) -> None:
    """What is shared is often the folder itself."""
    found = ranks(tmp_path, [news(paths=["HR/Payroll/*"])], DRIVE, folder("p", "Payroll"), folder("o", "Payroll old"))

    assert found == {"p": (5, "pattern", "HR/Payroll/*")}


def test_the_container_is_named_with_the_site_that_it_is_in(tmp_path: Path) -> None:
    """A library is called Documents in every site; the tenant stands in no path."""
    tenant = Resource(uid="toy:t", platform="toy", account="acme", kind="tenant", name="Acme")
    site = Resource(
        uid="toy:s", platform="toy", account="acme", kind="site", name="人事", path="/s", container_uid="toy:t"
    )
    library = Resource(
        uid="toy:l", platform="toy", account="acme", kind="library", name="Documents", container_uid="toy:s"
    )

    found = ranks(
        tmp_path, [news(paths=["人事/Documents/*.docx"])], tenant, site, library,
        file("f", path="a.docx", container_uid="toy:l"),
    )  # fmt: skip

    assert found == {"f": (5, "pattern", "人事/Documents/*.docx")}


def test_an_objects_path_does_not_name_its_bucket_twice(tmp_path: Path) -> None:
    """Where a path begins with the container's, the rest of it counts."""
    bucket = Resource(uid="toy:b", platform="toy", account="acme", kind="bucket", name="acme", path="s3://acme")
    thing = file("o", path="s3://acme/orders/list.csv", container_uid="toy:b")

    assert ranks(tmp_path, [news(paths=["acme/orders/*"])], bucket, thing)["o"][0] == 5


def test_the_first_source_counts(tmp_path: Path) -> None:
    """Explicit before tag, before label, before pattern, before the owner's department, whatever the ranks are."""
    owner = user("o", "o@acme.example", department="Sales")
    sources = {
        "department": confidential(departments=["sales"]),
        "pattern": working(paths=["*plan*"]),
        "label": news(labels=["secret"]),
        "tag": working(tags=["data=low"]),
        "explicit": confidential(resources=["toy:plan"]),
    }
    plan = file("plan", label="Secret", owner_uid="toy:o", detail={"tags": {"data": "low"}})

    found = [
        ranks(tmp_path / str(number), list(sources.values())[:number], owner, plan)["plan"][:2]
        for number in range(1, len(sources) + 1)
    ]

    assert found == [(3, "department"), (1, "pattern"), (5, "label"), (1, "tag"), (3, "explicit")]


def test_of_one_source_the_highest_rank_counts(tmp_path: Path) -> None:
    """Whatever the order in the file is."""
    entries = [working(paths=["*a*"]), news(paths=["*b*"]), confidential(paths=["*c*"])]

    assert ranks(tmp_path, entries, file("abc"))["abc"] == (5, "pattern", "*b*")


def test_a_child_keeps_the_higher_of_its_own_and_its_parents_rank(tmp_path: Path) -> None:
    """Down to the last level, from the nearest folder that is ranked so."""
    found = ranks(
        tmp_path,
        [confidential(containers=["hr"]), news(paths=["HR/Board"]), working(labels=["open"])],
        DRIVE, folder("board", "Board"), folder("deep", "Board/2026", parent_uid="toy:board"),
        inside("minutes", "Board/2026/m", "deep", label="open"), inside("menu", "menu", label="open"),
    )  # fmt: skip

    assert found == {
        "hr": (3, "pattern", "hr"),
        "board": (5, "pattern", "HR/Board"),
        "deep": (5, "inherited", "HR/Board"),
        "minutes": (5, "inherited", "HR/Board"),
        "menu": (3, "inherited", "hr"),
    }


def test_what_is_named_itself_keeps_its_rank_and_hands_it_down(tmp_path: Path) -> None:
    """The canteen's menu in the HR drive is a decision."""
    found = ranks(
        tmp_path, [news(containers=["hr"]), working(resources=["HR/Canteen"])],
        DRIVE, folder("canteen", "Canteen"), inside("menu", "Canteen/menu", "canteen"), inside("f", "f"),
    )  # fmt: skip

    assert {uid: row[:2] for uid, row in found.items()} == {
        "hr": (5, "pattern"), "canteen": (1, "explicit"), "menu": (1, "inherited"), "f": (5, "inherited"),
    }  # fmt: skip


def test_folders_that_are_in_each_other_come_to_an_end(tmp_path: Path) -> None:
    """A damaged list of folders."""
    one, other = folder("a", "a", parent_uid="toy:b"), folder("b", "b", parent_uid="toy:a")

    found = ranks(tmp_path, [news(paths=["*/a"])], one, other)

    assert {uid: row[:2] for uid, row in found.items()} == {"a": (5, "pattern"), "b": (5, "inherited")}


@pytest.mark.parametrize(
    "value",
    ["toy:f", "HR/Payroll/2026.xlsx", "hr/payroll/2026.XLSX/", "https://drive.example/open?id=1AbCdEfGhIjKlMnOpQrSt",
     "https://drive.example/file/d/1AbCdEfGhIjKlMnOpQrSt/edit?usp=sharing"],
)  # fmt: skip
def test_a_resource_is_named_by_id_path_or_address(tmp_path: Path, value: str) -> None:
    """As people have it at hand: out of a report, or out of the browser."""
    payroll = inside("f", "Payroll/2026.xlsx", url="https://drive.example/open?id=1AbCdEfGhIjKlMnOpQrSt")
    other = inside("g", "Payroll/2025.xlsx", url="https://drive.example/open?id=2AbCdEfGhIjKlMnOpQrSt")

    assert ranks(tmp_path, [news(resources=[value])], DRIVE, payroll, other) == {"f": (5, "explicit", value)}


def test_an_address_that_fits_several_ranks_none(tmp_path: Path) -> None:
    """It does not say which one is meant."""
    one, other = (file(name, url=f"https://drive.example/open?id={name}") for name in "ab")

    assert ranks(tmp_path, [news(resources=["https://drive.example/open"])], one, other) == {}


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


def test_an_entry_for_one_platform_ranks_nothing_on_others(tmp_path: Path) -> None:
    """A bucket and a drive may have one name."""
    found = ranks(tmp_path, [news(paths=["*"], platform="s3"), working(containers=["HR"], platform="toy")], DRIVE)  # type: ignore[arg-type]

    assert found == {"hr": (1, "pattern", "HR")}


def test_what_nobody_ranked_is_unranked(tmp_path: Path) -> None:
    """Unranked is not low: the score takes the middle."""
    assert ranks(tmp_path, [news(paths=["*payroll*"])], file("menu")) == {}
