"""`cloudscan leavers` and `cloudscan movers`: who, how long, what is left, and a page for the manager."""

from datetime import UTC, date, datetime, timedelta

import pytest

from cloudscan.organisation.knowledge import Knowledge
from tests.cli.conftest import CONFIG, Desk
from tests.kit.organisation import joined, staff, user

TODAY = datetime.now(UTC)


@pytest.fixture
def company(desk: Desk) -> Desk:
    """Two who left, one still with an account, one who leaves soon, and one who moved."""
    left, soon = TODAY - timedelta(days=5), TODAY + timedelta(days=5)
    roster = f"""\
社員番号,氏名,メールアドレス,部署,旧所属,異動日,個人メール,退職日
1,佐藤 花子,hanako@acme.example,営業部,,,hana@gmail.com,{left:%Y-%m-%d}
2,鈴木 <b>一郎</b>,ichiro@acme.example,営業部,,,,{left:%Y-%m-%d}
3,田中 花,hana@acme.example,総務部,,,,{soon:%Y-%m-%d}
4,林 美穂,miho@acme.example,経理部,営業部,{left:%Y-%m-%d},,
"""
    desk.configure(CONFIG)
    known = Knowledge(domains=["acme.example"], staff=staff(roster, today=TODAY.date()))
    accounts = [
        user("h", "hanako@acme.example"),
        user("p", "hana@gmail.com", affiliation="external"),
        user("i", "ichiro@acme.example", status="suspended", detail={"disabled_on": left.isoformat()}),
        user("t", "hana@acme.example"),
        user("m", "miho@acme.example"),
    ]
    joined(desk.folder / ".cloudscan" / "snapshots", known, accounts, now=TODAY).close()
    return desk


def test_who_left_how_long_and_what_is_open(company: Desk) -> None:
    result = company.run("leavers")

    assert result.code == 0
    rows = [line.split() for line in result.out.splitlines()[2:]]
    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert rows[0][5:7] == ["open", "5"]
    assert "closed" in rows[1]
    assert "still here" in result.out


def test_one_person_with_every_item(company: Desk) -> None:
    by_name, by_number = company.run("leavers", "佐藤 花子"), company.run("leavers", "1")

    assert by_name.out == by_number.out
    assert "one account can still be signed in to" in by_name.out
    assert "administrator" in by_name.out
    assert "gmail" not in by_name.out


def test_somebody_who_does_not_leave_is_refused_with_the_way_on(company: Desk) -> None:
    result = company.run("leavers", "4")

    assert result.code == 2
    assert "cloudscan who" in result.err


def test_for_machines(company: Desk) -> None:
    (first, *_) = company.run("leavers", "--format", "json").json
    table = company.run("leavers", "--format", "csv").out

    assert first["closing"] == {"state": "open", "days": 5}
    assert {item["duty"] for item in first["items"]} >= {"sign-in", "access"}
    assert table.splitlines()[0].startswith('"number","name"')


def test_a_page_a_person_prints_and_runs_nothing(company: Desk) -> None:
    """No private address, nothing of others, names as text."""
    result = company.run("leavers", "--pages", "pages", "--lang", "ja")

    pages = {file.name: file.read_text() for file in (company.folder / "pages").iterdir()}
    assert result.code == 0
    assert len(pages) == 4
    assert "退職・異動チェックリスト" in pages["index.html"]
    assert all("gmail" not in page and "<script" not in page and "<b>一郎" not in page for page in pages.values())
    (hanako,) = [page for name, page in pages.items() if name.startswith("1-")]
    assert "佐藤 花子" in hanako
    assert "一郎" not in hanako
    assert "退職日から5日たっても" in hanako


def test_who_moved_and_until_when_it_may_stay(company: Desk) -> None:
    result = company.run("movers", "--format", "json")

    (mover,) = result.json
    assert (mover["from_department"], mover["department"]) == ("営業部", "経理部")
    assert date.fromisoformat(mover["grace_ends"]) == (TODAY + timedelta(days=24)).date()


def test_without_a_snapshot_the_reader_hears_what_to_do(desk: Desk) -> None:
    result = desk.run("leavers")

    assert result.code == 2
    assert "cloudscan scan" in result.err


def test_names_can_be_hashed(company: Desk) -> None:
    result = company.run("leavers", "1", "--redact", "--format", "json")

    assert "佐藤" not in result.out
    assert "hanako" not in result.out
    assert "営業部" not in result.out
    assert result.json[0]["closing"]["state"] == "open"
