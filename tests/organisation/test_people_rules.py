"""One finding a person and rule on all platforms; days are the organisation's; what is not known accuses nobody."""

from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest

from cloudscan.facts import AnyFact, Principal
from cloudscan.ledger.ledger import Ledger
from cloudscan.organisation.knowledge import Knowledge, Staff
from cloudscan.reason import Reason
from cloudscan.recipient import Via, recipient_of
from cloudscan.roster.career import MoveSource
from cloudscan.roster.entry import Employment, Post, RosterEntry
from cloudscan.roster.people import KnownPerson, Move, People
from tests.kit.organisation import NIGHT, staff, user
from tests.kit.people import ROSTER, given, group, in_three_clouds, judged, night, of_people, thing

LEAVING = (
    "former-employee-account-active",
    "former-employee-still-has-access",
    "former-employee-still-shares",
    "former-employee-private-account",
    "access-granted-after-last-day",
)
TODAY = date(2026, 4, 1)


def known_person(entry: RosterEntry, *moves: Move) -> KnownPerson:
    """Somebody who is in the roster of today."""
    now = {post.department for post in entry.posts}
    left = [move for move in moves if move.from_department not in now]
    return KnownPerson(
        entry=entry, first_seen=TODAY, last_seen=TODAY, is_listed=True, moves=moves, departments_left=left
    )


def rostered(*people: KnownPerson) -> Staff:
    return Staff(people=People(persons=people), is_configured=True)


def test_a_former_employee_is_one_finding_a_rule_that_speaks_of_all_platforms(tmp_path: Path) -> None:
    """Accounts in three clouds, a private one, a group, and what is shared: and nothing about the namesake."""
    with night(tmp_path, Knowledge(staff=staff(ROSTER)), in_three_clouds()) as snapshot:
        verdicts = judged(snapshot, *LEAVING)
        active = next(one for one in verdicts.flagged if one.rule_id == "former-employee-account-active")
        access = next(one for one in verdicts.flagged if one.rule_id == "former-employee-still-has-access")

    assert of_people(verdicts.flagged) == [
        ("former-employee-account-active", "00102"),
        ("former-employee-private-account", "00102"),
        ("former-employee-still-has-access", "00102"),
        ("former-employee-still-shares", "00102"),
    ]
    assert {piece.row["platform"] for piece in active.evidence} == {"gdrive", "m365", "s3"}
    assert {piece.row["platform"] for piece in access.evidence} == {"gdrive", "m365", "s3"}
    assert {piece.row["group_name"] for piece in access.evidence if piece.row["group_uid"]} == {"team"}


def test_a_disabled_account_leaves_the_access_and_makes_it_less_likely_to_be_used(tmp_path: Path) -> None:
    """It comes back as soon as somebody enables the account."""
    facts = in_three_clouds()
    disabled: list[AnyFact] = [
        msgspec.structs.replace(one, status="suspended") if isinstance(one, Principal) and one.kind == "user" else one
        for one in facts
    ]
    with night(tmp_path / "a", Knowledge(staff=staff(ROSTER)), facts) as snapshot:
        (before,) = judged(snapshot, "former-employee-still-has-access").flagged
    with night(tmp_path / "b", Knowledge(staff=staff(ROSTER)), disabled) as snapshot:
        (after,) = judged(snapshot, "former-employee-still-has-access").flagged
        assert not judged(snapshot, "former-employee-account-active").flagged

    assert (before.likelihood, after.likelihood) == (3, 1)


@pytest.mark.parametrize(("zone", "found"), [("Asia/Tokyo", True), ("Pacific/Honolulu", False)])
def test_the_last_day_is_a_day_of_work_where_the_organisation_is(tmp_path: Path, zone: str, found: bool) -> None:
    """For every rule about somebody who left. In Tokyo it is 1 April, in Honolulu the last day, 31 March."""
    moment = datetime(2026, 3, 31, 20, tzinfo=UTC)
    known = Knowledge(staff=staff(ROSTER), timezone=zone)
    with night(tmp_path, known, in_three_clouds(), now=moment) as snapshot:
        flagged = judged(snapshot, *LEAVING, "manager-left", timezone=zone).flagged

    assert {one.identity for one in flagged} == ({("organisation:person/00102",)} if found else set())


@pytest.mark.parametrize(("zone", "found"), [("Asia/Tokyo", True), ("Pacific/Honolulu", False)])
def test_access_on_the_last_day_is_not_access_after_it(tmp_path: Path, zone: str, found: bool) -> None:
    """The day ends at midnight where the organisation is."""
    granted_on = datetime(2026, 3, 31, 20, tzinfo=UTC)
    account = user("ichiro", "ichiro@acme.example", platform="gdrive")
    facts: list[AnyFact] = [account, thing("gdrive:plan"), given(account.uid, "gdrive:plan", granted_on=granted_on)]
    known = Knowledge(staff=staff(ROSTER), timezone=zone)
    with night(tmp_path, known, facts, now=datetime(2026, 4, 10, tzinfo=UTC)) as snapshot:
        flagged = judged(snapshot, "access-granted-after-last-day", timezone=zone).flagged

    assert bool(flagged) is found


@pytest.mark.parametrize(("zone", "found"), [("Asia/Tokyo", True), ("Pacific/Honolulu", False)])
def test_a_contract_that_is_over_is_asked_about_after_a_week(tmp_path: Path, zone: str, found: bool) -> None:
    """The last day of the contract is 31 March; a renewal may be entered until 7 April, which it is in Honolulu."""
    moment = datetime(2026, 4, 7, 20, tzinfo=UTC)
    entry = RosterEntry(
        number="00201", name="契約 次郎", addresses=["jiro@acme.example"], employment=Employment.TEMPORARY,
        term_ends=date(2026, 3, 31),
    )  # fmt: skip
    known = Knowledge(staff=rostered(known_person(entry)), timezone=zone)
    with night(tmp_path, known, [user("jiro", "jiro@acme.example")], now=moment) as snapshot:
        verdicts = judged(snapshot, "term-over-account-active", "former-employee-account-active", timezone=zone)

    assert of_people(verdicts.flagged) == ([("term-over-account-active", "00201")] if found else [])


def mover(number: int, *also: str) -> KnownPerson:
    """Somebody who moved from Sales to Finance on 1 April, and may have further posts."""
    entry = RosterEntry(
        number=f"{number:05}",
        name=f"Person {number}",
        addresses=[f"p{number}@acme.example"],
        posts=[Post(department="Finance"), *(Post(department=one, is_primary=False) for one in also)],
    )
    move = Move(from_department="Sales", to_department="Finance", on=date(2026, 4, 1), by=MoveSource.ROSTER)
    return known_person(entry, move)


def colleague(number: int, department: str) -> KnownPerson:
    """Somebody who has been in a department all along."""
    posts = [Post(department=department)]
    return known_person(RosterEntry(number=f"{number:05}", addresses=[f"p{number}@acme.example"], posts=posts))


def sales(movers: int = 1, **more: object) -> list[AnyFact]:
    """A shared drive that three sellers and the movers have, a group of the same people, and one of everybody."""
    people = [user(f"p{number}", f"p{number}@acme.example", platform="gdrive") for number in range(1, 4 + movers)]
    sellers = people[:3]
    others = [user(f"p{number}", f"p{number}@acme.example", platform="gdrive") for number in range(900, 910)]
    return [
        *people, *others,
        thing("gdrive:sales", "shared_drive"), thing("gdrive:offer", container_uid="gdrive:sales"),
        *(given(one.uid, "gdrive:sales") for one in sellers),
        *(given(one.uid, "gdrive:offer", **more) for one in people[3:]),  # type: ignore[arg-type]
        *group("gdrive:sellers", *people[: 3 + min(movers, 1)]), *group("gdrive:everybody", *people, *others),
        given("gdrive:everybody", "gdrive:offer"),
    ]  # fmt: skip


def company(*movers: KnownPerson, timezone: str = "UTC") -> Knowledge:
    """Three sellers, ten people of Finance, and the movers."""
    sellers = [colleague(number, "Sales") for number in range(1, 4)]
    finance = [colleague(number, "Finance") for number in range(900, 910)]
    return Knowledge(staff=rostered(*sellers, *movers, *finance), timezone=timezone)


def test_somebody_who_moved_is_one_finding_with_both_departments_the_day_and_the_roads(tmp_path: Path) -> None:
    """A file by name, and a group of the old department; the group of everybody is no leftover."""
    with night(tmp_path, company(mover(4)), sales(), now=datetime(2026, 5, 1, 3, tzinfo=UTC)) as snapshot:
        (verdict,) = judged(snapshot, "mover-keeps-old-access").flagged

    assert verdict.identity == ("organisation:person/00004",)
    assert {
        (row["from_department"], row["to_department"], row["moved_on"], row["origin_name"], row["group_name"])
        for row in (piece.row for piece in verdict.evidence)
    } == {("Sales", "Finance", "2026-04-01", "offer", None), ("Sales", "Finance", "2026-04-01", None, "sellers")}


@pytest.mark.parametrize(("zone", "found"), [("Asia/Tokyo", True), ("Pacific/Honolulu", False)])
def test_the_grace_after_a_move_is_thirty_whole_days(tmp_path: Path, zone: str, found: bool) -> None:
    """1 April is the first of them, 30 April the last, which it is in Honolulu."""
    moment = datetime(2026, 4, 30, 20, tzinfo=UTC)
    with night(tmp_path, company(mover(4), timezone=zone), sales(), now=moment) as snapshot:
        assert bool(judged(snapshot, "mover-keeps-old-access", timezone=zone).flagged) is found


def test_the_first_of_april_opens_nothing(tmp_path: Path) -> None:
    """A hundred people move on one day; without grace all of them are found on that day."""
    movers = [mover(number) for number in range(4, 104)]
    with night(tmp_path, company(*movers), sales(100), now=datetime(2026, 4, 1, 3, tzinfo=UTC)) as snapshot:
        by_default = judged(snapshot, "mover-keeps-old-access")
        at_once = judged(snapshot, "mover-keeps-old-access", grace_days=0)

    assert (len(by_default.flagged), len(by_default.unknown)) == (0, 0)
    assert len(at_once.flagged) == 100


@pytest.mark.parametrize("uid", ["s3:offers", "gdrive:offers", "m365:offers"])
def test_what_is_left_over_may_be_a_container_of_which_nothing_inside_is_listed(tmp_path: Path, uid: str) -> None:
    """Most buckets are: their objects are not listed one by one."""
    platform = uid.partition(":")[0]
    people = [user(f"p{number}", f"p{number}@acme.example", platform=platform) for number in range(1, 5)]
    kind = {"s3": "bucket", "gdrive": "shared_drive", "m365": "site"}[platform]
    facts: list[AnyFact] = [*people, thing(uid, kind), *(given(one.uid, uid) for one in people)]
    with night(tmp_path, company(mover(4)), facts, now=datetime(2026, 5, 1, 3, tzinfo=UTC)) as snapshot:
        flagged = judged(snapshot, "mover-keeps-old-access").flagged

    assert of_people(flagged) == [("mover-keeps-old-access", "00004")]


def test_a_second_post_in_the_old_department_keeps_its_access(tmp_path: Path) -> None:
    """兼務."""
    person = mover(4, "Sales")
    with night(tmp_path, company(person), sales(), now=datetime(2026, 6, 1, tzinfo=UTC)) as snapshot:
        assert not judged(snapshot, "mover-keeps-old-access").flagged


@pytest.mark.parametrize(("granted_on", "roads"), [(None, 2), (datetime(2026, 3, 1, tzinfo=UTC), 2),
                                                   (datetime(2026, 4, 2, tzinfo=UTC), 1)])  # fmt: skip
def test_what_was_given_since_the_move_is_not_left_over(
    tmp_path: Path, granted_on: datetime | None, roads: int
) -> None:
    """The group is, whenever the file was shared."""
    facts = sales(granted_on=granted_on)
    with night(tmp_path, company(mover(4)), facts, now=datetime(2026, 6, 1, tzinfo=UTC)) as snapshot:
        (verdict,) = judged(snapshot, "mover-keeps-old-access").flagged

    assert verdict.rows == roads


def test_an_account_that_the_roster_does_not_know_is_said_to_be_unknown_to_it(tmp_path: Path) -> None:
    """The account, and neither the namesake's nor one that stands in a row that could not be understood."""
    roster = ROSTER + "00104,田中 次郎,jiro@acme.example,,,,,,\n"
    facts = [
        user("suzuki", "suzuki@acme.example", platform="gdrive"),
        user("鈴木 一郎", "i.suzuki@acme.example", platform="gdrive"),
        user("jiro", "jiro@acme.example", platform="gdrive"),
        user("robot", platform="s3", detail={"sign_in": "false"}),
        user("console", platform="s3", detail={"sign_in": "true"}),
    ]
    with night(tmp_path, Knowledge(staff=staff(roster)), facts) as snapshot:
        verdicts = judged(snapshot, "account-unknown-to-roster")

    assert {one.identity[0] for one in verdicts.flagged} == {"gdrive:鈴木 一郎", "s3:console"}
    assert {one.identity[0] for one in verdicts.unknown} == {"gdrive:jiro"}


@pytest.mark.parametrize("known", [Staff(), Staff(is_configured=True, doubt=Reason(code="roster-unreadable"))])
def test_without_a_roster_that_was_read_no_account_is_unknown_to_it(tmp_path: Path, known: Staff) -> None:
    """There is none, or tonight's is broken."""
    facts = [user("a", "a@acme.example"), user("console", platform="s3", detail={"sign_in": "true"})]
    with night(tmp_path, Knowledge(staff=known), facts) as snapshot:
        assert not judged(snapshot, "account-unknown-to-roster").flagged


def test_a_shared_account_that_is_used_after_its_owner_left(tmp_path: Path) -> None:
    """It belongs to nobody, and the directory names who is responsible."""
    owner = user("ichiro", "ichiro@acme.example", platform="m365", status="suspended")
    shared = user(
        "info", "info@acme.example", platform="m365", sponsor_uid=owner.uid,
        last_seen_on=datetime(2026, 4, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    with night(tmp_path, Knowledge(staff=staff(ROSTER)), [owner, shared]) as snapshot:
        flagged = judged(snapshot, "shared-account-used-after-owner-left").flagged

    assert [one.identity for one in flagged] == [("m365:info",)]


def test_a_finding_about_somebody_who_left_goes_to_the_manager(tmp_path: Path) -> None:
    """Never to the person, whose account may be active."""
    known = Knowledge(staff=staff(ROSTER), domains=["acme.example"])
    with night(tmp_path, known, in_three_clouds()) as snapshot:
        flagged = judged(snapshot, *LEAVING).flagged

    told = {recipient_of(one.subject, ["acme.example"]) for one in flagged}
    assert {(one.via, one.address) for one in told} == {(Via.MANAGER, "hanako@acme.example")}


@pytest.mark.parametrize("refusing", ["gdrive", "s3"])
def test_a_platform_that_is_not_read_tonight_closes_nothing_about_a_person(tmp_path: Path, refusing: str) -> None:
    """The other platforms are clean by now; what this one has is not known."""
    known = Knowledge(staff=staff(ROSTER))
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    facts = in_three_clouds()
    with night(tmp_path / "first", known, facts) as snapshot:
        first = ledger.record(snapshot, judged(snapshot, *LEAVING))
    of_it = [one for one in facts if str(getattr(one, "uid", getattr(one, "group_uid", ""))).startswith(refusing)]
    later = datetime(2026, 4, 2, 3, tzinfo=UTC)
    with night(tmp_path / "second", known, of_it, now=later, refusing=refusing) as snapshot:
        second = ledger.record(snapshot, judged(snapshot, *LEAVING))

    before = {one.verdict.rule_id for one in first.findings}
    after = {one.verdict.rule_id: one.verified for one in second.findings}
    assert set(after) == before
    assert not any(after.values())


def test_people_whose_manager_left_are_found_by_the_manager(tmp_path: Path) -> None:
    """One finding for the manager, with those who are here."""
    roster = ROSTER.replace(
        "00101,佐藤 花子,hanako@acme.example,,営業部,,", "00101,佐藤 花子,hanako@acme.example,,営業部,,2026-03-31"
    )
    with night(tmp_path, Knowledge(staff=staff(roster)), [user("h", "hanako@acme.example")], now=NIGHT) as snapshot:
        (verdict,) = judged(snapshot, "manager-left").flagged

    assert verdict.identity == ("organisation:person/00101",)
    assert [piece.row["reporting_name"] for piece in verdict.evidence] == ["鈴木 一郎"]
