"""`cloudscan roster check`: what an export says, and what is wrong with it."""

from tests.cli.conftest import CONFIG, Desk

EXPORT = """社員番号,氏名,メール,所属,退職日,血液型
1,佐藤 美香,mika@acme.example,営業部,,A
2,鈴木 一郎,ichiro@acme.example,営業部,2020/3/31,B
3,田中 花,hana@acme.example,総務部,来月末,O
4,余り,yo@acme.example,総務部,,A,余り
"""


def test_an_export_is_described_without_naming_anybody(desk: Desk) -> None:
    (desk.folder / "staff.csv").write_bytes(EXPORT.encode("cp932"))
    desk.configure(CONFIG + '\n[roster]\nfile = "staff.csv"\n')

    result = desk.run("roster", "check")

    assert result.code == 3
    assert result.out.splitlines() == [
        "3 people: 1 active, 1 no longer here, 1 not certain",
        "Encoding: cp932. Header: line 1.",
        "  社員番号 → number",
        "  氏名 → name",
        "  メール → address",
        "  所属 → department",
        "  退職日 → last_day",
        "Not used: 血液型",
        "line 4: 退職日 '来月末': this is not a day; write 2026-03-31",
        "line 5: it has more or fewer cells than the header; the row is left out",
    ]


def test_an_export_for_machines(desk: Desk) -> None:
    (desk.folder / "staff.csv").write_text(EXPORT)

    result = desk.run("roster", "check", "staff.csv", "--format", "json")

    assert result.json["people"] == 3
    assert result.json["columns"]["退職日"] == "last_day"
    assert [dirt["flaw"] for dirt in result.json["dirt"]] == ["day", "cells"]


def test_without_a_file_the_reader_hears_what_to_write(desk: Desk) -> None:
    none, gone = desk.run("roster", "check"), desk.run("roster", "check", "nowhere.csv")

    assert (none.code, gone.code) == (2, 2)
    assert "write [roster] file" in none.err
    assert "nowhere.csv cannot be read" in gone.err


def test_a_column_that_is_no_field_is_named(desk: Desk) -> None:
    (desk.folder / "staff.csv").write_text(EXPORT)
    desk.configure(CONFIG + '\n[roster]\nfile = "staff.csv"\ncolumns = { numero = "社員番号" }\n')

    result = desk.run("roster", "check")

    assert result.code == 2
    assert "[roster.columns] has no 'numero'; write number" in result.err
