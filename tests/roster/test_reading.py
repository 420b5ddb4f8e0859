"""A roster as HR systems hand it over, with every kind of dirt."""

from datetime import date

import pytest

from cloudscan.errors import ConfigurationError
from cloudscan.roster.days import UnreadableDay, day_in
from cloudscan.roster.entry import Employment, RosterEntry, Standing, Status, standing
from cloudscan.roster.headers import Field
from cloudscan.roster.reading import Flaw, Roster, read_roster
from cloudscan.roster.table import read_table

TODAY = date(2026, 4, 1)
TOKYO = "Asia/Tokyo"


def roster(text: str | bytes, **columns: str) -> Roster:
    data = text.encode() if isinstance(text, str) else text
    return read_roster(read_table(data, "roster.csv", columns), today=TODAY, timezone=TOKYO)


def one(text: str) -> RosterEntry:
    (entry,) = roster(text).entries
    return entry


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_a_japanese_export_in_any_of_its_encodings(encoding: str) -> None:
    text = "社員番号,氏名,メールアドレス,所属,雇用形態,在籍状況,入社日,退職日\n"
    text += "00123,髙﨑 ① ㈱,Mika@Acme.example,営業部,正社員,在籍中,2020/4/1,\n"

    entry = one(text.encode(encoding))  # type: ignore[arg-type]

    assert (entry.number, entry.name, entry.addresses) == ("00123", "髙﨑 ① ㈱", ["mika@acme.example"])
    assert (entry.department, entry.employment, entry.status) == ("営業部", Employment.EMPLOYEE, Status.ACTIVE)
    assert entry.starts_on == date(2020, 4, 1)
    assert entry.last_day is None


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026/3/1", date(2026, 3, 1)),
        ("2026-03-01", date(2026, 3, 1)),
        ("20260301", date(2026, 3, 1)),
        ("2026年3月1日", date(2026, 3, 1)),
        ("令和8年3月1日", date(2026, 3, 1)),
        ("R8.3.1", date(2026, 3, 1)),
        ("令和元年5月1日", date(2019, 5, 1)),
        ("46082", date(2026, 3, 1)),
        ("２０２６／３／１", date(2026, 3, 1)),
        ("2026-03-01 00:00:00", date(2026, 3, 1)),
        ("2026-03-30T15:00:00Z", date(2026, 3, 31)),
        ("9999/12/31", None),
        ("2099/12/31", None),
        ("0000/00/00", None),
        ("-", None),
        ("", None),
    ],
)
def test_a_day_in_each_of_its_spellings(written: str, day: date | None) -> None:
    assert day_in(written, TOKYO) == day


@pytest.mark.parametrize("written", ["03/04/2026", "2026/2/30", "来月末", "12", "令和99年1月"])
def test_a_day_that_cannot_be_read_is_no_end_of_nothing(written: str) -> None:
    with pytest.raises(UnreadableDay):
        day_in(written, TOKYO)

    entry = one(f"社員番号,退職日\n7,{written}\n")

    assert standing(entry, TODAY) is Standing.UNKNOWN


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("7,正社員,,2026/3/31,", Standing.LEFT),  # yesterday was the last day
        ("7,正社員,,2026/4/1,", Standing.ACTIVE),  # access is right on the last day
        ("7,正社員,,2026/9/30,", Standing.ACTIVE),  # announced
        ("7,正社員,休職中,,", Standing.ON_LEAVE),
        ("7,正社員,育休,,", Standing.ON_LEAVE),
        ("7,正社員,退職,,", Standing.LEFT),
        ("7,契約社員,,,2026/3/31", Standing.TERM_OVER),  # renewed late, or gone: to be confirmed
        ("7,在籍出向,在籍,,", Standing.ACTIVE),
        ("7,在籍出向,出向中,,2026/3/31", Standing.ACTIVE),  # the secondment is over: back with us
        ("7,受入出向,在籍,,2026/3/31", Standing.TERM_OVER),
        ("7,正社員,傷病休職,,", Standing.ON_LEAVE),
        ("7,正社員,産休中,,", Standing.ON_LEAVE),
        ("7,正社員,退職予定,,", Standing.ACTIVE),
        ("7,正社員,試用期間中,,", Standing.ACTIVE),
        ("7,正社員,inactive,,", Standing.UNKNOWN),
    ],
)
def test_what_somebody_is_on_a_day(row: str, expected: Standing) -> None:
    assert standing(one(f"社員番号,雇用形態,在籍状況,退職日,契約終了日\n{row}\n"), TODAY) is expected


def test_a_bad_row_costs_itself_and_its_person_is_not_taken_for_unknown() -> None:
    found = roster(
        "社員番号,メール,部署\n1,a@acme.example,営業\n2,b@acme.example,総務,余り\n,,総務\n1.2E+05,d@acme.example,総務\n"
        "5,not an address,総務\n"
    )

    assert [(dirt.line, dirt.flaw) for dirt in found.dirt] == [
        (3, Flaw.CELLS),
        (4, Flaw.NOBODY),
        (5, Flaw.NUMBER),
        (6, Flaw.ADDRESS),
    ]
    assert [entry.number for entry in found.entries] == ["1", "", "5"]
    assert set(found.unjudged) == {"2", "b@acme.example"}


def test_titles_totals_blank_lines_tabs_and_breaks_in_cells() -> None:
    found = roster(
        "従業員一覧\t\t\n2026年4月1日 出力\t\t\n\n従業員コード\t会社メール\t所属\n"
        '1\ta@acme.example\t"営業部\n第一課"\n\t\t\n合計\t1\t\n'
    )

    (entry,) = found.entries
    assert entry.department == "営業部\n第一課"
    assert list(entry.lines) == [5]
    assert not found.dirt


def test_second_posts_and_the_post_before() -> None:
    entry = one("社員番号,主務,兼務,旧所属,異動日\n1,人事部,法務部；総務部,営業部,2026/4/1\n")

    assert [(post.department, post.is_primary) for post in entry.posts] == [
        ("人事部", True), ("法務部", False), ("総務部", False),
    ]  # fmt: skip
    assert [(post.department, post.until) for post in entry.earlier_posts] == [("営業部", date(2026, 3, 31))]


def test_history_by_day_of_effect_with_a_reservation() -> None:
    found = roster("社員番号,部署,適用日\n1,営業部,2020/4/1\n1,人事部,2025/10/1\n1,法務部,2026/10/1\n")

    (entry,) = found.entries
    assert entry.department == "人事部"
    assert [(post.department, post.since, post.until) for post in entry.earlier_posts] == [
        ("営業部", date(2020, 4, 1), date(2025, 9, 30))
    ]
    assert found.later == 1


def test_somebody_whose_move_is_announced_is_still_where_they_were() -> None:
    found = roster(
        "社員番号,部署,旧所属,異動日\n1,人事部,営業部,2026/10/1\n2,人事部,,2026/10/1\n3,人事部,営業部,2026/4/1\n"
    )

    assert {entry.number: entry.department for entry in found.entries} == {"1": "営業部", "2": "", "3": "人事部"}
    assert found.later == 2


def test_rows_of_family_members_are_one_person_and_rows_of_posts_are_posts() -> None:
    found = roster("社員番号,氏名,部署\n1,佐藤,営業部\n1,佐藤,営業部\n1,佐藤,企画部\n")

    (entry,) = found.entries
    assert [post.department for post in entry.posts] == ["営業部", "企画部"]


def test_who_came_back_is_no_leaver() -> None:
    found = roster("社員番号,氏名,メール,退職日\n10,渡邊 花,h@acme.example,2020/3/31\n99,渡辺　花,h@acme.example,\n")

    (entry,) = found.entries
    assert (entry.number, entry.addresses) == ("99", ["h@acme.example"])


def test_an_address_of_two_people_says_of_neither_who_it_is() -> None:
    found = roster("社員番号,氏名,メール\n1,佐藤,info@acme.example\n2,鈴木,info@acme.example\n")

    assert [entry.addresses for entry in found.entries] == [[], []]
    assert [dirt.flaw for dirt in found.dirt] == [Flaw.SHARED, Flaw.SHARED]
    assert set(found.unjudged) == {"info@acme.example"}


def test_addresses_in_a_cell_and_private_ones() -> None:
    entry = one(
        "社員番号,メール,個人メール\n"
        '1,"佐藤 <Mika@ACME.example>; SMTP:m.sato＠acme.example, mika@gmail.com",mika@icloud.com\n'
    )

    assert entry.addresses == ["mika@acme.example", "m.sato@acme.example"]
    assert entry.private_addresses == ["mika@gmail.com", "mika@icloud.com"]


def test_an_english_export() -> None:
    entry = one(
        "employeeNumber,displayName,workEmail,homeEmail,department,jobTitle,hireDate,terminationDate,status,supervisorEId\n"
        "E7,Mika Sato,mika@acme.example,m@gmail.com,Sales,Lead,2020-04-01,2026-03-31,Active,E1\n"
    )

    assert standing(entry, TODAY) is Standing.LEFT
    assert (entry.department, entry.role, entry.manager) == ("Sales", "Lead", "E1")


def test_columns_that_the_configuration_names() -> None:
    found = roster("コードA,本部\n7,営業\n", number="コードA", department="本部")

    assert [(entry.number, entry.department) for entry in found.entries] == [("7", "営業")]


def test_a_file_without_anybody_in_it_is_refused_with_its_columns() -> None:
    with pytest.raises(ConfigurationError, match=r"no column has employee numbers or addresses.*Line 1 has: foo, bar"):
        roster("foo,bar\n1,2\n")
    with pytest.raises(ConfigurationError, match=r"has no column 'X', which \[roster.columns\] number names"):
        roster("社員番号\n1\n", number="X")
    with pytest.raises(ConfigurationError, match="neither UTF-8 nor CP932"):
        roster(b"\xff\x00\x81")


def test_a_field_has_the_spelling_that_comes_first() -> None:
    table = read_table("名前,メール,E-mail\n,,\n".encode(), "r", {})

    assert list(table.fields.values()) == [Field.NAME, Field.ADDRESS, Field.ADDRESS]


@pytest.mark.parametrize("number", ["3", "14"])
def test_a_quotation_mark_that_nothing_closes_costs_its_row_alone(number: str) -> None:
    """Near the end of the file, and far from it."""
    rows = [f"{one},人{one},営業部" for one in range(1, 40)]
    text = "社員番号,氏名,部署\n" + "\n".join(rows).replace(f"{number},人{number}", f'{number},"人{number}', 1) + "\n"

    found = roster(text)

    assert [(dirt.line, dirt.flaw) for dirt in found.dirt] == [(int(number) + 1, Flaw.QUOTE)]
    assert len(found.entries) == 38
    assert set(found.unjudged) == {number}


def test_a_cell_of_a_megabyte_costs_its_row_alone() -> None:
    found = roster(
        f"社員番号,氏名,メール\n1,甲,a@acme.example\n2,{'x' * 1_100_000},b@acme.example\n3,丙,c@acme.example\n"
    )

    assert [entry.number for entry in found.entries] == ["1", "3"]
    assert set(found.unjudged) == {"2", "b@acme.example"}


def test_a_last_day_before_the_first_day_says_nothing() -> None:
    """Somebody came back, and the last day of the first time is still there: no leaver."""
    found = roster("社員番号,入社日,退職日\n7,2026/1/1,2024/3/31\n")

    (entry,) = found.entries
    assert standing(entry, TODAY) is Standing.UNKNOWN
    assert [(dirt.line, dirt.flaw, dirt.value) for dirt in found.dirt] == [(2, Flaw.ORDER, "2024/3/31")]


def test_a_number_of_two_people_says_of_neither_who_it_is() -> None:
    """Each is who the address says, and one leaving is not the other."""
    found = roster("社員番号,氏名,メール,退職日\n7,佐藤,sato@acme.example,2026/3/1\n7,鈴木,suzuki@acme.example,\n")

    assert {(entry.number, *entry.addresses): standing(entry, TODAY) for entry in found.entries} == {
        ("", "sato@acme.example"): Standing.LEFT,
        ("", "suzuki@acme.example"): Standing.ACTIVE,
    }
    assert [dirt.flaw for dirt in found.dirt] == [Flaw.SHARED_NUMBER, Flaw.SHARED_NUMBER]
    assert set(found.unjudged) == {"7"}


def test_a_new_family_name_beside_the_old_one_is_one_person() -> None:
    found = roster("社員番号,氏名,メール\n7,佐藤 花,hana@acme.example\n7,田中 花,hana@acme.example\n")

    assert [(entry.number, entry.addresses) for entry in found.entries] == [("7", ["hana@acme.example"])]
