"""`cloudscan roster`: what an export says, what is wrong with it, and what changed since the one before."""

from datetime import UTC, datetime, timedelta

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
        "3 people: active: 1, no longer here: 1, not certain: 1",
        "Encoding: cp932. Header: line 1.",
        "  社員番号 → number",
        "  氏名 → name",
        "  メール → address",
        "  所属 → department",
        "  退職日 → last_day",
        "Not used: 血液型",
        "line 4: 退職日 '来月末': this is not a day; write 2026-03-31",
        "line 5: it has more or fewer cells than the header; the row is left out",
        "No earlier roster is remembered; `cloudscan roster keep` adds one.",
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


def day(days_ago: int) -> str:
    return str((datetime.now(UTC) - timedelta(days=days_ago)).date())


def export(desk: Desk, name: str, *groups: tuple[str, range]) -> None:
    rows = [f"{n},{n}@acme.example,{department}" for department, numbers in groups for n in numbers]
    (desk.folder / name).write_text("\n".join(["社員番号,メール,所属", *rows]), encoding="utf-8")


def test_what_changed_since_the_roster_before(desk: Desk) -> None:
    export(desk, "march.csv", ("営業部", range(10)), ("人事部", range(10, 15)), ("総務部", range(15, 20)))
    export(desk, "now.csv", ("営業本部", range(9)), ("人事部", range(10, 16)), ("総務部", range(17, 21)))

    kept = desk.run("roster", "keep", "march.csv", "--day", day(30))
    result = desk.run("roster", "check", "now.csv")
    for_machines = desk.run("roster", "check", "now.csv", "--format", "json")

    assert (kept.code, result.code) == (0, 0)
    assert kept.out.splitlines() == [
        f"20 people are remembered as of {day(30)}.",
        "No earlier roster is remembered; `cloudscan roster keep` adds one.",
    ]
    assert result.out.splitlines()[-5:] == [
        f"Since the roster of {day(30)}: 1 new, 2 no longer listed, 1 moved.",
        "  営業部 is now called 営業本部 (9 people)",
        "  総務部 → 人事部: 1",
        "  no longer listed: 16",
        "  no longer listed: 9",
    ]
    assert for_machines.json["changes"]["dropped"] == ["16", "9"]
    assert for_machines.json["changes"]["moves"] == [
        {
            "person": "15",
            "move": {
                "from_department": "総務部", "to_department": "人事部", "on": day(0), "by": "roster",
                "reorganised": False,
            },
        }
    ]  # fmt: skip


def test_checking_remembers_nothing(desk: Desk) -> None:
    export(desk, "now.csv", ("営業部", range(5)))

    desk.run("roster", "check", "now.csv")

    assert not (desk.folder / ".cloudscan" / "people.json").exists()


def test_a_roster_that_is_suddenly_short_is_not_kept_unless_it_is_trusted(desk: Desk) -> None:
    export(desk, "march.csv", ("営業部", range(40)))
    export(desk, "now.csv", ("営業部", range(10)))
    desk.run("roster", "keep", "march.csv", "--day", day(30))

    checked = desk.run("roster", "check", "now.csv")
    refused = desk.run("roster", "keep", "now.csv", "--day", day(1))
    trusted = desk.run("roster", "keep", "now.csv", "--day", day(1), "--trust")

    assert (checked.code, refused.code, trusted.code) == (3, 2, 0)
    assert "half of the people of the previous roster, or more, are not in it" in checked.out
    assert "add --trust" in refused.err
    assert "30 no longer listed" in trusted.out


def test_a_day_on_which_no_roster_can_have_been_read_is_refused(desk: Desk) -> None:
    export(desk, "staff.csv", ("営業部", range(5)))

    tomorrow, ancient, none = (
        desk.run("roster", "keep", "staff.csv", "--day", written) for written in (day(-2), day(2000), "March")
    )

    assert [result.code for result in (tomorrow, ancient, none)] == [2, 2, 2]
    assert "is in the future" in tomorrow.err
    assert "[retention] roster_days (1095)" in ancient.err
    assert "'March' is not a date" in none.err


def test_people_who_left_long_ago_are_forgotten(desk: Desk) -> None:
    desk.configure(CONFIG + "\n[retention]\nroster_days = 100\n")
    export(desk, "then.csv", ("営業部", range(5)))
    export(desk, "later.csv", ("営業部", range(3)))
    for name, days in (("then.csv", 80), ("later.csv", 60)):
        desk.run("roster", "keep", name, "--day", day(days))
    desk.configure(CONFIG + "\n[retention]\nroster_days = 30\n")

    listed = desk.run("roster", "forget", "--dry-run")
    pruned = desk.run("prune", "--dry-run")
    done = desk.run("roster", "forget")
    again = desk.run("prune")

    assert listed.out == "People to be forgotten: 2.\n"
    assert pruned.out.endswith(listed.out)
    assert done.out == "People forgotten: 2.\n"
    assert again.out == "Removed: 0.\n"


def test_a_scan_forgets_them_too(desk: Desk) -> None:
    export(desk, "then.csv", ("営業部", range(5)))
    export(desk, "later.csv", ("営業部", range(3)))
    for name, days in (("then.csv", 80), ("later.csv", 60)):
        desk.run("roster", "keep", name, "--day", day(days))
    desk.configure(CONFIG + "\n[retention]\nroster_days = 30\n")

    desk.run("scan")

    assert desk.run("roster", "forget", "--dry-run").out == "People to be forgotten: 0.\n"
    assert "4@acme.example" not in (desk.folder / ".cloudscan" / "people.json").read_text()


def test_a_scan_remembers_the_roster_and_nothing_of_a_broken_one(desk: Desk) -> None:
    desk.configure(CONFIG + '\n[roster]\nfile = "now.csv"\n')
    export(desk, "yesterday.csv", ("営業部", range(40)))
    desk.run("roster", "keep", "yesterday.csv", "--day", day(1))
    memory = desk.folder / ".cloudscan" / "people.json"
    before = memory.read_bytes()

    export(desk, "now.csv", ("営業部", range(10)))
    broken = desk.run("scan")
    after_broken = memory.read_bytes()
    export(desk, "now.csv", ("営業部", range(39)))
    sound = desk.run("scan")
    checked = desk.run("roster", "check")

    assert after_broken == before
    assert "half of the people" in broken.out + broken.err
    assert sound.code == 1
    assert "no longer listed: 39" in checked.out
    assert memory.read_bytes() != before
