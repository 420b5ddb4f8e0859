"""What several rosters say together: who moved, which department has a new name, who is gone."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudscan.roster.career import MoveSource
from cloudscan.roster.entry import Post, RosterEntry, Status
from cloudscan.roster.headers import Field
from cloudscan.roster.history import Doubt, History, Reorganised, doubt, key_of, merge
from cloudscan.roster.people import KnownPerson, People, people_of
from cloudscan.roster.reading import Dirt, Flaw, Roster, read_roster
from cloudscan.roster.table import read_table
from tests.kit.properties import examples

MARCH, APRIL, MAY, JUNE = date(2026, 3, 31), date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1)


def person(number: str, *departments: str, **more: object) -> RosterEntry:
    posts = [Post(department=name, is_primary=not place) for place, name in enumerate(departments)]
    given = {
        "number": number,
        "name": f"佐藤 {number}",
        "addresses": [f"{number.lower()}@acme.example"],
        "posts": posts,
    }
    return RosterEntry(**(given | more))  # type: ignore[arg-type]


def staff(department: str, numbers: Iterable[int | str]) -> list[RosterEntry]:
    return [person(str(number), department) for number in numbers]


def history(*rosters: tuple[date, Sequence[RosterEntry] | Roster]) -> History:
    read = History()
    for day, roster in rosters:
        read = merge(read, roster if isinstance(roster, Roster) else Roster(entries=roster), day)
    return read


def people(*rosters: tuple[date, Sequence[RosterEntry] | Roster]) -> People:
    return people_of(history(*rosters))


def known(several: People, number: str) -> KnownPerson:
    (one,) = [one for one in several.persons if one.entry.number == number]
    return one


def export(text: str, today: date) -> Roster:
    return read_roster(read_table(text.encode(), "r.csv", {}), today=today, timezone="Asia/Tokyo")


def moves(one: KnownPerson) -> list[tuple[str, str, date]]:
    return [(move.from_department, move.to_department, move.on) for move in one.moves if not move.reorganised]


def movers(several: People) -> list[str]:
    return [one.entry.number for one in several.persons if moves(one)]


def reorganised(several: People) -> list[tuple[Reorganised, str, list[str], int]]:
    return [(one.kind, one.department, list(one.into), one.people) for one in several.reorganisations]


def test_a_move_is_the_difference_between_two_rosters() -> None:
    found = people((MARCH, staff("営業部", range(5))), (APRIL, [person("0", "人事部"), *staff("営業部", range(1, 5))]))

    assert movers(found) == ["0"]
    assert moves(known(found, "0")) == [("営業部", "人事部", APRIL)]
    assert known(found, "0").moves[0].by is MoveSource.ROSTER
    assert known(found, "0").entry.department == "人事部"


def test_the_end_of_a_second_post_is_a_move_and_a_new_one_is_none() -> None:
    found = people(
        (MARCH, [person("1", "人事部", "法務部"), person("2", "人事部"), person("3", "法務部"), person("4", "法務部")]),
        (APRIL, [person("1", "人事部"), person("2", "人事部", "法務部"), person("3", "法務部"), person("4", "法務部")]),
    )

    assert movers(found) == ["1"]
    assert moves(known(found, "1")) == [("法務部", "人事部", APRIL)]


def test_a_move_is_dated_by_the_roster_that_says_so() -> None:
    before = "社員番号,所属,異動日\n1,営業部,2020/4/1\n2,営業部,2020/4/1\n3,営業部,2020/4/1\n"
    after = "社員番号,所属,異動日\n1,人事部,2026/4/1\n2,人事部,2020/4/1\n3,営業部,2020/4/1\n"

    found = people((MARCH, export(before, MARCH)), (MAY, export(after, MAY)))

    assert moves(known(found, "1")) == [("営業部", "人事部", APRIL)]
    assert moves(known(found, "2")) == [("営業部", "人事部", MAY)]  # nobody updated the day


def test_moves_in_the_export_itself_need_no_earlier_roster() -> None:
    dated = "社員番号,所属,適用日\n1,営業部,2020/4/1\n1,企画部,2023/4/1\n1,人事部,2026/4/1\n2,営業部,2020/4/1\n"
    column = "社員番号,所属,旧所属,異動日\n1,人事部,営業部,2026/4/1\n2,営業部,,\n"
    without_day = "社員番号,所属,旧所属\n1,人事部,営業部\n2,営業部,\n"

    histories = [people((MAY, export(text, MAY))) for text in (dated, column, without_day)]

    assert [moves(known(one, "1")) for one in histories] == [
        [("営業部", "企画部", date(2023, 4, 1)), ("企画部", "人事部", APRIL)],
        [("営業部", "人事部", APRIL)],
        [("営業部", "人事部", MAY)],  # at the latest
    ]
    assert [known(one, "1").moves[0].by for one in histories] == [
        MoveSource.DATED, MoveSource.COLUMN, MoveSource.COLUMN,
    ]  # fmt: skip


def test_one_move_is_one_however_many_sources_say_so() -> None:
    before = "社員番号,所属,旧所属,異動日\n1,営業部,,\n2,営業部,,\n3,人事部,,\n"
    after = "社員番号,所属,旧所属,異動日\n1,人事部,営業部,2026/4/1\n2,営業部,,\n3,人事部,,\n"

    found = people((MARCH, export(before, MARCH)), (MAY, export(after, MAY)), (JUNE, export(after, JUNE)))

    assert moves(known(found, "1")) == [("営業部", "人事部", APRIL)]


def test_spellings_and_unwritten_departments_are_no_moves() -> None:
    found = people((MARCH, [person("1", "第１営業部")]), (APRIL, [person("1", "第1 営業部")]), (MAY, [person("1")]))

    assert movers(found) == []


def test_who_came_back_to_a_department_has_not_left_it() -> None:
    others = staff("営業部", range(2, 6))
    found = people(
        (MARCH, [person("1", "営業部"), *others]),
        (APRIL, [person("1", "人事部"), *others]),
        (MAY, [person("1", "営業部"), *others]),
    )

    assert [move.from_department for move in known(found, "1").moves] == ["営業部", "人事部"]
    assert [move.from_department for move in known(found, "1").departments_left] == ["人事部"]


def test_who_came_back_to_a_department_after_it_was_renamed_has_not_left_it() -> None:
    others = staff("営業部", range(2, 9))
    renamed = staff("営業本部", range(2, 9))
    found = people(
        (MARCH, [person("1", "営業部"), *others]),
        (APRIL, [person("1", "人事部"), *others]),
        (MAY, [person("1", "人事部"), *renamed]),
        (JUNE, [person("1", "営業本部"), *renamed]),
    )

    assert [move.from_department for move in known(found, "1").departments_left] == ["人事部"]


def test_a_renamed_department_has_no_movers_but_those_who_went_elsewhere() -> None:
    before = [*staff("営業部", range(10)), *staff("人事部", range(20, 25))]
    after = [*staff("営業本部", range(9)), person("9", "人事部"), *staff("人事部", range(20, 25))]

    found = people((MARCH, before), (APRIL, after))

    assert reorganised(found) == [(Reorganised.RENAMED, "営業部", ["営業本部"], 9)]
    assert movers(found) == ["9"]
    assert [move.reorganised for move in known(found, "0").moves] == [True]
    assert found.called_now("営業部") == "営業本部"


def test_a_second_post_in_a_renamed_department_did_not_end() -> None:
    before = [*staff("営業部", range(4)), person("4", "人事部", "営業部"), person("5", "人事部")]
    after = [*staff("営業本部", range(4)), person("4", "人事部", "営業本部"), person("5", "人事部")]

    found = people((MARCH, before), (APRIL, after))

    assert reorganised(found) == [(Reorganised.RENAMED, "営業部", ["営業本部"], 5)]
    assert [(move.to_department, move.reorganised) for move in known(found, "4").moves] == [("営業本部", True)]


def test_departments_that_become_one_are_merged() -> None:
    before = [*staff("第一営業部", range(4)), *staff("第二営業部", range(4, 8)), *staff("企画部", range(8, 12))]
    after = [*staff("営業部", range(8)), *staff("企画部", range(8, 12))]
    absorbed = staff("企画部", range(12))

    found = people((MARCH, before), (APRIL, after), (MAY, absorbed))

    assert reorganised(found) == [
        (Reorganised.MERGED, "第一営業部", ["営業部"], 4),
        (Reorganised.MERGED, "第二営業部", ["営業部"], 4),
        (Reorganised.MERGED, "営業部", ["企画部"], 8),
    ]
    assert movers(found) == []
    assert [found.called_now(name) for name in ("第一営業部", "営業部", "企画部")] == ["企画部"] * 3


def test_a_department_that_is_split_into_new_ones_has_no_movers() -> None:
    before = [*staff("営業部", range(10)), *staff("人事部", range(20, 25))]
    split = [*staff("東営業部", range(5)), *staff("西営業部", range(5, 9))]
    after = [*split, person("9", "人事部"), *staff("人事部", range(20, 25))]

    found = people((MARCH, before), (APRIL, after))

    assert reorganised(found) == [(Reorganised.SPLIT, "営業部", ["東営業部", "西営業部"], 9)]
    assert movers(found) == ["9"]
    assert found.called_now("営業部") == "営業部"


@pytest.mark.parametrize(
    ("after", "who"),
    [
        ([("人事部", range(7)), ("営業部", range(7, 10))], range(7)),  # most, but not four in five
        (
            [("人事部", range(8)), ("総務部", range(8, 10)), ("営業部", range(40, 50))],
            range(10),
        ),  # others came
        ([("人事部", range(5)), ("総務部", range(5, 10))], range(10)),  # closed, and its people given to others
    ],
)
def test_many_who_move_on_one_day_are_movers_if_their_department_did_not(
    after: list[tuple[str, range]], who: range
) -> None:
    others = [*staff("人事部", range(20, 25)), *staff("総務部", range(30, 35))]
    before = staff("営業部", range(10))

    found = people((MARCH, [*before, *others]), (APRIL, [*others, *(one for group in after for one in staff(*group))]))

    assert movers(found) == [str(number) for number in who]
    assert not found.reorganisations


def test_a_small_department_is_renamed_only_if_all_go_to_a_new_one() -> None:
    others = staff("人事部", range(20, 25))
    renamed = people((MARCH, [*staff("監査", "12"), *others]), (APRIL, [*staff("監査室", "12"), *others]))
    moved = people((MARCH, [*staff("監査", "12"), *others]), (APRIL, [*staff("人事部", "12"), *others]))

    assert reorganised(renamed) == [(Reorganised.RENAMED, "監査", ["監査室"], 2)]
    assert movers(moved) == ["1", "2"]


def test_those_who_left_with_a_reorganisation_say_nothing_about_it() -> None:
    before = staff("営業部", range(10))
    after = staff("営業本部", range(4))
    dated = [*after, *(person(str(n), "営業部", last_day=MARCH) for n in range(4, 10))]
    long_gone = [person(str(n), "営業部", status=Status.LEFT) for n in range(50, 90)]  # on the list for all time

    histories = [
        people((MARCH, before), (APRIL, after)),
        people((MARCH, before), (APRIL, dated)),
        people((MARCH, [*before, *long_gone]), (APRIL, [*dated, *long_gone])),
    ]

    assert [reorganised(one) for one in histories] == [[(Reorganised.RENAMED, "営業部", ["営業本部"], 4)]] * 3


def test_a_reorganisation_that_takes_several_nights_has_no_movers() -> None:
    half = [*staff("営業本部", range(5)), *staff("営業部", range(5, 10))]

    found = people((MARCH, staff("営業部", range(10))), (APRIL, half), (date(2026, 4, 3), staff("営業本部", range(10))))

    assert movers(found) == []


def test_a_reorganisation_in_the_history_of_the_first_export() -> None:
    rows = "".join(f"{n},営業部,2020/4/1\n{n},営業本部,2026/4/1\n" for n in range(5))

    found = people((MAY, export(f"社員番号,所属,適用日\n{rows}", MAY)))

    assert [(one.on, one.kind) for one in found.reorganisations] == [(APRIL, Reorganised.RENAMED)]
    assert movers(found) == []


def test_names_follow_each_other_and_one_that_is_used_again_is_itself() -> None:
    names = ["営業部", "営業本部", "セールス", "営業部"]

    chain = people(*((MARCH + timedelta(days=n), staff(name, range(5))) for n, name in enumerate(names[:3])))
    back = people(*((MARCH + timedelta(days=n), staff(name, range(5))) for n, name in enumerate(names)))

    assert chain.called_now("営業部") == chain.called_now("営業本部") == "セールス"
    assert back.called_now("営業部") == back.called_now("セールス") == "営業部"


def test_the_first_of_april_is_no_reorganisation() -> None:
    """A tenth of each department goes to the next one, and a tenth of the people is new."""
    departments = [f"第{n}部" for n in range(10)]
    before = [person(str(n), departments[n % 10]) for n in range(200)]
    after = [person(str(n), departments[(n + (n >= 180)) % 10]) for n in range(20, 220)]

    found = people((MARCH, before), (APRIL, after))

    assert not found.reorganisations
    assert len(movers(found)) == 20
    assert sum(one.dropped_on == APRIL for one in found.persons) == 20


def test_who_is_dropped_from_the_list_is_known_to_have_been_on_it() -> None:
    both = [person("1", "営業部"), person("2", "営業部", private_addresses=["two@gmail.com"])]

    found = people((MARCH, both), (APRIL, both[:1]), (MAY, both[:1]))

    gone = known(found, "2")
    assert (gone.is_listed, gone.first_seen, gone.last_seen, gone.dropped_on) == (False, MARCH, MARCH, APRIL)
    assert gone.entry.private_addresses == ["two@gmail.com"]
    assert known(found, "1").last_seen == MAY


def test_who_is_dropped_and_comes_back_is_there() -> None:
    both = staff("営業部", "12")

    found = known(people((MARCH, both), (APRIL, both[:1]), (MAY, both)), "2")

    assert (found.is_listed, found.dropped_on, found.first_seen, found.last_seen) == (True, None, MARCH, MAY)


def test_who_is_on_leave_is_listed() -> None:
    found = people((MARCH, [person("1", "営業部")]), (APRIL, [person("1", "営業部", status=Status.ON_LEAVE)]))

    assert known(found, "1").is_listed
    assert not known(found, "1").moves


@pytest.mark.parametrize(
    "row",
    [
        "2,佐藤 花,2@acme.example,営業部,余り",  # too many cells
        ",佐藤　花,,営業部",  # nobody can tell whose row it is but by the name
        "1.2E+05,佐藤 花,,営業部",
        "9,佐藤 9,2@acme.example,営業部\n8,佐藤 8,2@acme.example,営業部",  # the address of two others
    ],
)
def test_who_is_named_in_a_row_that_cannot_be_understood_is_not_dropped(row: str) -> None:
    text = f"社員番号,氏名,メール,所属\n1,佐藤 1,1@acme.example,営業部\n{row}\n"

    both = [person("1", "営業部"), person("2", "営業部", name="佐藤 花")]

    found = people((MARCH, both), (APRIL, export(text, APRIL)))

    assert known(found, "2").is_listed
    assert known(found, "2").last_seen == MARCH


def test_a_new_name_and_address_is_the_same_person_by_number() -> None:
    before, after = person("1", name="佐藤 花", addresses=["sato@acme.example"]), person("1", name="鈴木 花")

    (found,) = people((MARCH, [before]), (APRIL, [after])).persons

    assert found.entry.name == "鈴木 花"
    assert found.entry.addresses == ["1@acme.example", "sato@acme.example"]


def test_a_new_number_is_the_same_person_only_with_address_and_name() -> None:
    def after(name: str) -> People:
        old = person("1", name="渡邊 花", addresses=["h@acme.example"], private_addresses=["h@gmail.com"])
        return people((MARCH, [old]), (APRIL, [person("99", name=name, addresses=["h@acme.example"])]))

    same, other = after("渡辺　花"), after("林 花")

    (back,) = same.persons
    assert (back.entry.number, back.first_seen, list(back.entry.private_addresses)) == ("99", MARCH, ["h@gmail.com"])
    assert [(one.entry.number, list(one.entry.addresses), one.is_listed) for one in other.persons] == [
        ("1", [], False),  # the address belongs to somebody else now, who must not be taken for who is gone
        ("99", ["h@acme.example"], True),
    ]


def test_an_hr_system_that_is_new_numbers_everybody_and_drops_nobody() -> None:
    """It may write names in another way, too."""
    before = [person(str(n), "営業部", name="佐藤 花", private_addresses=[f"{n}@gmail.com"]) for n in range(30)]
    after = [person(f"E{n}", "営業部", name="Hana Sato", addresses=[f"{n}@acme.example"]) for n in range(29)]

    found = people((MARCH, before), (APRIL, after))

    assert len(found.persons) == 30
    assert [one.entry.number for one in found.persons if one.dropped_on] == ["29"]
    assert known(found, "E0").entry.private_addresses == ["0@gmail.com"]


def test_addresses_that_one_export_shifted_by_a_row_change_nobody() -> None:
    right = [person(str(n), "営業部") for n in range(300)]
    shifted = [person(str(n), "営業部", addresses=[f"{(n + 1) % 300}@acme.example"]) for n in range(300)]

    found = people((MARCH, right), (APRIL, shifted), (MAY, right))

    assert len(found.persons) == 300
    assert all(one.entry.addresses == [f"{one.entry.number}@acme.example"] for one in found.persons)


def test_without_numbers_a_person_is_an_address() -> None:
    def mail_only(name: str) -> RosterEntry:
        return person("", name=name, addresses=["h@acme.example"])

    other, first, second = person("7", "営業部"), mail_only("佐藤 花"), mail_only("林 一")
    with_number = person("1", name="佐藤 花", addresses=["h@acme.example"])
    married = people((MARCH, [first]), (APRIL, [mail_only("鈴木 花")]))
    given_to_another = people((MARCH, [first, other]), (APRIL, [other]), (MAY, [second, other]))
    and_again = people((MARCH, [first, other]), (APRIL, [other]), (MAY, [second, other]), (JUNE, [other]))
    numbered = people((MARCH, [first]), (APRIL, [with_number]))

    assert [len(one.persons) for one in (married, numbered)] == [1, 1]
    assert {one.entry.name: one.dropped_on for one in given_to_another.persons} == {"林 一": None, "佐藤 7": None}
    assert {one.entry.name: one.dropped_on for one in and_again.persons} == {"林 一": JUNE, "佐藤 7": None}


def test_two_of_the_same_name_stay_two() -> None:
    both = [person("1", "営業部", name="佐藤 花"), person("2", "人事部", name="佐藤 花")]

    found = people((MARCH, both), (APRIL, both[1:]))

    assert [(one.entry.number, one.is_listed) for one in found.persons] == [("1", False), ("2", True)]


def test_what_a_leaver_is_moved_to_on_paper_is_no_move() -> None:
    found = people((MARCH, [person("1", "営業部")]), (MAY, [person("1", "退職者", last_day=APRIL, status=Status.LEFT)]))

    assert movers(found) == []


def test_the_same_day_again_replaces_what_was_read() -> None:
    right = staff("営業部", "12")
    wrong = [person("1", "人事部")]

    assert history((MARCH, right), (APRIL, wrong), (APRIL, right)) == history((MARCH, right), (APRIL, right))


def test_an_earlier_export_added_later_counts_as_if_it_had_been_read_then() -> None:
    first, second, third = staff("営業部", "123"), [*staff("営業部", "12"), person("3", "人事部")], staff("営業部", "1")
    rosters = [(MARCH, first), (APRIL, second), (MAY, third)]

    assert history(*rosters) == history(*rosters[1:], rosters[0]) == history(rosters[0], rosters[2], rosters[1])


def crowded(count: int = 40, **more: object) -> Roster:
    return Roster(entries=[person(str(n), "営業部", **more) for n in range(count)], fields=[Field.LAST_DAY])


def test_a_broken_export_is_doubted() -> None:
    read = history((MARCH, crowded(last_day=JUNE)))
    strangers = Roster(entries=[person(str(n), "営業部") for n in range(100, 140)])

    assert [doubt(read, one, APRIL) for one in (Roster(entries=[]), crowded(20), strangers)] == [
        Doubt.EMPTY, Doubt.HALVED, Doubt.HALVED,
    ]  # fmt: skip
    assert doubt(read, crowded(), APRIL) is Doubt.LEAVE_DATES
    assert doubt(read, crowded(posts=(), last_day=JUNE), APRIL) is Doubt.DEPARTMENTS
    assert doubt(read, crowded(21, last_day=JUNE), APRIL) is None
    assert doubt(read, crowded(19), MARCH) is None  # the first one has none before it


def test_in_a_small_company_a_few_may_leave_together() -> None:
    read = history((MARCH, crowded(8)))

    assert doubt(read, crowded(4), APRIL) is None
    assert doubt(read, crowded(3), APRIL) is Doubt.HALVED


def test_a_column_that_vanishes_is_noticed_even_if_it_said_little() -> None:
    read = history((MARCH, Roster(entries=[person("1", "営業部", last_day=JUNE)], fields=[Field.LAST_DAY])))
    cancelled, vanished = (
        Roster(entries=[person("1", "営業部")], fields=fields) for fields in ([Field.LAST_DAY], [Field.NUMBER])
    )

    assert doubt(read, cancelled, APRIL) is None
    assert doubt(read, vanished, APRIL) is Doubt.LEAVE_DATES


def test_people_in_rows_that_cannot_be_understood_do_not_halve_a_roster() -> None:
    unread = Roster(entries=crowded(19).entries, unjudged=[str(n) for n in range(19, 40)])

    assert doubt(history((MARCH, crowded())), unread, APRIL) is None


def test_an_address_of_two_people_is_no_proof_that_one_is_gone() -> None:
    dirty = Roster(entries=staff("営業部", "1"), dirt=[Dirt(line=3, flaw=Flaw.SHARED, value="2@acme.example")])

    assert known(people((MARCH, staff("営業部", "12")), (APRIL, dirty)), "2").is_listed


DAYS = [MARCH + timedelta(days=days) for days in range(5)]


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    """A few people in a few departments, some without a number, some with a new address."""
    chosen = draw(st.lists(st.integers(0, 7), unique=True))
    entries = [
        RosterEntry(
            number=draw(st.sampled_from([str(one), str(one), ""])),
            name=draw(st.sampled_from(["佐藤", "鈴木"])),
            addresses=[draw(st.sampled_from([f"{one}@acme.example", f"{one}.new@acme.example"]))],
            posts=[Post(department=name) for name in draw(st.lists(st.sampled_from("ABC"), unique=True, max_size=2))],
            last_day=draw(st.sampled_from([None, None, DAYS[2]])),
        )
        for one in chosen
    ]
    missing = [str(one) for one in range(8) if one not in chosen]
    return Roster(entries=entries, unjudged=draw(st.lists(st.sampled_from(missing), max_size=2)) if missing else ())


@examples(100)
@given(st.lists(st.tuples(st.sampled_from(DAYS), rosters()), max_size=6), st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(read: list[tuple[date, Roster]], chance: object) -> None:
    """Neither the order of people nor the one of days, nor reading a day twice; the last reading of a day counts."""
    expected = history(*read)

    last = list(dict(read).items())
    chance.shuffle(last)  # type: ignore[attr-defined]
    mixed = [
        (day, Roster(entries=chance.sample(one.entries, len(one.entries)), unjudged=one.unjudged))  # type: ignore[attr-defined]
        for day, one in last
    ]

    assert history(*mixed) == expected
    assert history(*mixed, *mixed) == expected
    assert people_of(history(*mixed)) == people_of(expected)


@examples(100)
@given(st.lists(rosters(), min_size=1, max_size=5))
def test_everyone_is_accounted_for(read: list[Roster]) -> None:
    """Whom the newest roster lists is listed, once; who is not listed has been, before the day they were dropped."""
    found = people(*zip(DAYS, read, strict=False))

    listed = [address for one in found.persons if one.is_listed for address in one.entry.addresses]
    assert len(listed) == len(set(listed))
    assert {address for entry in read[-1].entries for address in entry.addresses} <= set(listed)
    keys = [key_of(one.entry) for one in found.persons]
    assert "" not in keys
    assert len(keys) == len(set(keys))
    for one in found.persons:
        assert one.is_listed == (one.dropped_on is None)
        assert one.is_listed or one.last_seen < (one.dropped_on or MARCH)
        assert [move.on for move in one.moves] == sorted(move.on for move in one.moves)


@examples(50)
@given(rosters(), rosters(), st.sets(st.sampled_from(DAYS[1:4])))
def test_nights_on_which_nothing_changed_change_nothing(first: Roster, second: Roster, nights: set[date]) -> None:
    often = people((DAYS[0], first), *((day, first) for day in sorted(nights)), (DAYS[4], second))
    once = people((DAYS[0], first), (DAYS[4], second))

    def said(several: People) -> list[object]:
        return [(one.entry, one.is_listed, one.dropped_on, one.moves) for one in several.persons]

    assert said(often) == said(once)
    assert often.reorganisations == once.reorganisations
