"""Which container is which department's: by most who have access, by its owner, and not what is everybody's."""

from pathlib import Path

from cloudscan.facts import AnyFact
from cloudscan.organisation.knowledge import Knowledge
from tests.kit.organisation import staff, user
from tests.kit.people import given, group, night, thing


def test_containers_are_the_departments_of_those_who_have_access(tmp_path: Path) -> None:
    """Of twenty people fourteen are in Sales, which is 70% of everybody's folder, too."""
    numbers = range(1, 21)
    roster = "社員番号,氏名,メールアドレス,部署\n" + "".join(
        f"{number:03},P{number},p{number}@acme.example,{'Sales' if number < 15 else 'Finance'}\n" for number in numbers
    )
    people = [user(f"p{number}", f"p{number}@acme.example", platform="gdrive") for number in numbers]
    sellers, finance = people[:14], people[14:]

    def drive(name: str, **more: str) -> list[AnyFact]:
        uid = f"gdrive:{name}"
        return [thing(uid, "shared_drive", **more), thing(f"{uid}/file", container_uid=uid)]

    facts: list[AnyFact] = [
        *people, *group("gdrive:sellers", *sellers), *group("gdrive:all", *people),
        *drive("sales"), given("gdrive:sellers", "gdrive:sales"), given(finance[0].uid, "gdrive:sales"),
        *drive("everybody"), given("gdrive:all", "gdrive:everybody"),
        *drive("mixed", owner_uid=sellers[0].uid),
        *(given(one.uid, "gdrive:mixed") for one in (*sellers[:2], *finance[:2])),
        *drive("two", owner_uid=finance[0].uid), *(given(one.uid, "gdrive:two") for one in sellers[:2]),
        thing("gdrive:sales/sub", "folder", container_uid="gdrive:sales"),
        thing("gdrive:sales/sub/file", container_uid="gdrive:sales/sub"),
    ]  # fmt: skip
    with night(tmp_path, Knowledge(staff=staff(roster)), facts) as snapshot:
        rows = snapshot.query("SELECT resource_uid, department, decided_by, share FROM department_containers").rows

    assert sorted(map(tuple, rows)) == [
        ("gdrive:sales", "Sales", "members", 93),
        ("gdrive:sales/sub", "Sales", "members", 93),
        ("gdrive:two", "Finance", "owner", 100),
    ]
