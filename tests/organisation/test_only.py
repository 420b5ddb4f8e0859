"""A part of the estate, named as people name it: by department, site, account, unit, person."""

from collections.abc import Iterator
from typing import Any

import pytest

from cloudscan.errors import ConfigurationError
from cloudscan.facts import Resource
from cloudscan.organisation.knowledge import Knowledge
from cloudscan.organisation.only import chosen_of, parsed
from cloudscan.snapshot.snapshot import Snapshot
from tests.kit.organisation import joined, staff, user

ROSTER = """\
社員番号,氏名,メールアドレス,部署,兼務先
00101,佐藤 花子,hanako@acme.example,営業部,
00102,鈴木 一郎,ichiro@acme.example,経理部,営業企画部
"""


def thing(name: str, **more: Any) -> Resource:
    """A resource of the toy company."""
    fields: dict[str, Any] = {"platform": "toy", "account": "acme", "kind": "file", "name": name, **more}
    return Resource(uid=f"toy:{name}", **fields)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    """Two people with a drive each, a site that nobody owns, an account elsewhere."""
    facts = (
        user("hanako", "hanako@acme.example", detail={"org_unit": "/Office/Sales"}),
        user("ichiro", "ichiro@acme.example", detail={"org_unit": "/Office/Sales Planning"}),
        user("hanako2", "hanako@acme.example", platform="other"),
        user("robot", "robot@acme.example", department="情報システム部"),
        thing("drive-h", kind="drive", owner_uid="toy:hanako"),
        thing("plan", container_uid="toy:drive-h"),
        thing("drive-i", kind="drive", owner_uid="toy:ichiro"),
        thing("budget", container_uid="toy:drive-i", owner_uid="toy:ichiro"),
        thing("site", kind="site", url="https://acme.example/sites/Office"),
        thing("library", kind="library", container_uid="toy:site"),
        thing("minutes", container_uid="toy:library"),
        thing("hanako-in-site", container_uid="toy:library", owner_uid="toy:hanako"),
        thing("bucket", kind="bucket", account="111122223333"),
        thing("account", kind="account", account="111122223333"),
    )
    knowledge = Knowledge(domains=["acme.example"], staff=staff(ROSTER))
    with joined(tmp_path_factory.mktemp("only"), knowledge, facts) as snapshot:
        yield snapshot


def chosen(snapshot: Snapshot, *texts: str) -> set[str]:
    """The names of what is chosen, without what is in front of them."""
    every = snapshot.query(
        "SELECT uid FROM resources UNION SELECT uid FROM principals UNION SELECT uid FROM people"
    ).rows
    found = chosen_of(snapshot, parsed(texts), [str(row[0]) for row in every])
    return {uid.rpartition("/")[2].rpartition(":")[2] for uid in found.chosen}


def test_a_department_is_its_people_their_accounts_and_what_these_own(snapshot: Snapshot) -> None:
    """What is in a drive and has no owner of its own belongs to the drive's owner."""
    assert chosen(snapshot, "department=営業部") == {
        *("00101", "hanako", "hanako2", "drive-h", "plan", "hanako-in-site")
    }


@pytest.mark.parametrize("text", ["department= 営業企画部", "department=営業企画*", "Department=営業企画部"])
def test_a_second_department_counts(snapshot: Snapshot, text: str) -> None:
    assert chosen(snapshot, text) == {"00102", "ichiro", "drive-i", "budget"}


def test_who_is_not_in_the_roster_is_where_the_directory_says(snapshot: Snapshot) -> None:
    assert chosen(snapshot, "department=情報システム部") == {"robot"}


@pytest.mark.parametrize("text", ["person=00101", "person=HANAKO@acme.example", "person=ｈａｎａｋｏ@acme.example"])
def test_a_person_is_named_by_number_or_address(snapshot: Snapshot, text: str) -> None:
    assert chosen(snapshot, text) == {"00101", "hanako", "hanako2", "drive-h", "plan", "hanako-in-site"}


@pytest.mark.parametrize("value", ["site", "toy:site", "https://acme.example/sites/office"])
def test_a_site_is_all_that_is_in_it(snapshot: Snapshot, value: str) -> None:
    """Also in what is in it."""
    assert chosen(snapshot, f"site={value}") == {"site", "library", "minutes", "hanako-in-site"}


def test_an_account_is_named_by_number_or_name(snapshot: Snapshot) -> None:
    assert chosen(snapshot, "account=1111*") == chosen(snapshot, "account=account") == {"account", "bucket"}


def test_who_has_an_account_there_belongs_to_it(snapshot: Snapshot) -> None:
    """And who has none does not."""
    assert {"00101", "00102", "hanako"} <= chosen(snapshot, "account=acme")
    assert chosen(snapshot, "account=acme", "person=00102") == {"00102", "ichiro", "drive-i", "budget"}


def test_a_unit_contains_those_below_it_and_no_namesakes(snapshot: Snapshot) -> None:
    """`/Office/Sales` is above `/Office/Sales/Tokyo`, and not above `/Office/Sales Planning`."""
    assert chosen(snapshot, "unit=/office/sales") == {*("00101", "hanako", "drive-h", "plan", "hanako-in-site")}


def test_the_same_key_is_or_and_other_keys_are_and(snapshot: Snapshot) -> None:
    both = chosen(snapshot, "department=営業部", "department=経理部", "site=site")

    assert both == {"hanako-in-site"}
    assert {"plan", "budget"} <= chosen(snapshot, "department=営業部", "department=経理部")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("department=営業", ["department '営業' is not known", "営業部"]),
        ("person=hanoko@acme.example", ["write hanako@acme.example"]),
        ("site=nowhere", ["site 'nowhere' is not known"]),
        ("departmnt=x", ["write department"]),
        ("department", ["KEY=VALUE"]),
        ("department=", ["KEY=VALUE"]),
    ],
)
def test_what_chooses_nothing_is_an_error_with_the_nearest_name(
    snapshot: Snapshot, text: str, words: list[str]
) -> None:
    with pytest.raises(ConfigurationError) as problem:
        chosen(snapshot, text)

    assert all(word in str(problem.value) for word in words)


def test_what_the_snapshot_does_not_have_is_neither_chosen_nor_not(snapshot: Snapshot) -> None:
    found = chosen_of(snapshot, parsed(["department=営業部"]), ["toy:gone", "toy:plan", "toy:budget"])

    assert [found.has([uid]) for uid in ("toy:gone", "toy:plan", "toy:budget")] == [None, True, False]
