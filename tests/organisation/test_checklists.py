"""What is closed of people who leave or moved, as one snapshot shows it: open, done, and what is not known."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from cloudscan.checklist import Checklist, Closer, ItemState, Task, closing
from cloudscan.connector import Gap, Yielded
from cloudscan.facts import Access, Audience, Grant, Membership, Outcome, Principal, Resource, Via
from cloudscan.organisation.checklists import leaving, moved
from cloudscan.organisation.knowledge import Knowledge
from cloudscan.reason import Reason
from tests.kit.organisation import NIGHT, joined, staff, user

ROSTER = """\
社員番号,氏名,メールアドレス,部署,上長,個人メール,入社日,退職日,在籍状況
1,佐藤 花子,hanako@acme.example,営業部,9,hana@gmail.com,2020-04-01,2026-03-29,
9,青木 直子,naoko@acme.example,営業部,,,2010-04-01,,
"""
LONG_AGO = date(2020, 1, 1)


def hanako(name: str = "h", *, platform: str = "gdrive", **more: Any) -> Principal:
    return user(name, "hanako@acme.example", platform=platform, **more)


def shared(resource: Resource, principal: Principal, audience: Audience = Audience.NAMED) -> Grant:
    return Grant(uid=f"{resource.uid}#{principal.uid}", resource_uid=resource.uid, origin_uid=resource.uid,
                 principal_uid=principal.uid, audience=audience, access=Access.READ, via=Via.DIRECT)  # fmt: skip


def file(name: str, **more: Any) -> Resource:
    return Resource(uid=f"gdrive:{name}", platform="gdrive", account="acme", kind="file", name=name, **more)


def people(
    folder: Path, *facts: Yielded, roster: str = ROSTER, now: datetime = NIGHT, timezone: str = "UTC"
) -> dict[str, Checklist]:
    """Who leaves or left, by name."""
    known = Knowledge(timezone=timezone, domains=["acme.example"], staff=staff(roster))
    with joined(folder, known, facts, now=now) as snapshot:
        return {one.name: one for one in leaving(snapshot, timezone, since=LONG_AGO)}


def states(person: Checklist) -> Mapping[tuple[str, str], ItemState]:
    return {(item.task.value, item.platform): item.state for item in person.items}


def test_accounts_on_three_platforms_are_told_apart(tmp_path: Path) -> None:
    """Google is closed, Microsoft is not, and the user on AWS has a key left."""
    person = people(
        tmp_path,
        hanako(status="suspended", detail={"disabled_on": "2026-03-30T09:00:00+00:00"}),
        hanako(platform="m365"),
        hanako(platform="s3", detail={"sign_in": "false", "access_keys": "1", "keys_last_used_on": "2026-03-31"}),
    )["佐藤 花子"]

    found = {(item.task, item.platform): item for item in person.items}
    assert found[Task.ACCOUNT, "gdrive"].closed_on == datetime(2026, 3, 30, 9, tzinfo=UTC)
    assert found[Task.ACCOUNT, "gdrive"].by_directory
    assert found[Task.ACCOUNT, "m365"].state is ItemState.OPEN
    assert found[Task.ACCOUNT, "m365"].closer is Closer.ADMINISTRATOR
    assert found[Task.ACCOUNT, "s3"].state is ItemState.DONE
    assert (found[Task.KEYS, "s3"].state, found[Task.KEYS, "s3"].used_after) == (ItemState.OPEN, True)
    assert (person.manager, person.manager_is_here) == ("青木 直子", True)
    assert closing(person, date(2026, 4, 1), "UTC").days == 3  # since the last day, and counting


def test_what_was_closed_yesterday_took_a_day(tmp_path: Path) -> None:
    person = people(tmp_path, hanako(status="suspended", detail={"disabled_on": "2026-03-30T23:00:00+00:00"}))[
        "佐藤 花子"
    ]

    took = closing(person, date(2026, 4, 1), "UTC")

    assert (took.state, took.days) == (ItemState.DONE, 1)
    assert closing(person, date(2026, 4, 1), "Asia/Tokyo").days == 2  # the 31st there


@pytest.mark.parametrize(
    ("timezone", "now", "left"),
    [
        ("Asia/Tokyo", datetime(2026, 3, 29, 14, 59, tzinfo=UTC), False),
        ("Asia/Tokyo", datetime(2026, 3, 29, 15, 0, tzinfo=UTC), True),
        ("Pacific/Honolulu", datetime(2026, 3, 30, 9, 59, tzinfo=UTC), False),
        ("Pacific/Honolulu", datetime(2026, 3, 30, 10, 0, tzinfo=UTC), True),
    ],
)
def test_on_the_last_day_it_is_a_preview(tmp_path: Path, timezone: str, now: datetime, left: bool) -> None:
    """The last day ends when it ends where the organisation is."""
    person = people(tmp_path, hanako(), now=now, timezone=timezone)["佐藤 花子"]

    assert person.left is left
    assert states(person)["account", "gdrive"] is ItemState.OPEN


def test_who_came_back_is_on_leave_or_stays_has_no_checklist(tmp_path: Path) -> None:
    """再雇用: a row that is active wins over an older one that left."""
    roster = """\
社員番号,氏名,メールアドレス,退職日,在籍状況
1,戻 一郎,back@acme.example,2026-01-31,
1,戻 一郎,back@acme.example,,在籍
2,休 花子,leave@acme.example,,休職
3,残 次郎,stay@acme.example,,在籍
"""
    found = people(
        tmp_path,
        *(user(name, f"{name}@acme.example", platform="gdrive") for name in ("back", "leave", "stay")),
        roster=roster,
    )

    assert not found


def test_what_is_left_is_counted_place_by_place(tmp_path: Path) -> None:
    me, other = hanako(status="suspended"), user("n", "naoko@acme.example", platform="gdrive")
    group = user("g", "team@acme.example", platform="gdrive", kind="group")
    own, theirs = file("own", owner_uid=me.uid), file("theirs", owner_uid=other.uid)
    outside = user("x", "x@other.example", platform="gdrive", affiliation="external")
    person = people(
        tmp_path,
        *(me, other, group, outside, own, theirs),
        *(shared(theirs, me), shared(own, outside, Audience.NAMED_EXTERNAL)),
        *(Membership(group_uid=group.uid, member_uid=me.uid), Membership(group_uid=group.uid, member_uid=other.uid)),
    )["佐藤 花子"]

    found = {item.task: item for item in person.items}
    assert {task: found[task].says.values.get("count") for task in (Task.GRANTS, Task.GROUPS, Task.FILES)} == {
        Task.GRANTS: 1, Task.GROUPS: 1, Task.FILES: 1,
    }  # fmt: skip
    assert found[Task.FILES].examples == ["own"]
    assert found[Task.FILES].closer is Closer.MANAGER
    assert found[Task.OWNED].state is ItemState.DONE


def test_nothing_found_where_not_all_was_read_is_not_known(tmp_path: Path) -> None:
    """A site that was locked may hold a grant; it holds no account."""
    gap = Gap(table="grants", outcome=Outcome.DENIED, reason=Reason(code="cannot-read"), question="toy-files")
    site = Resource(uid="toy:f", platform="toy", account="acme", kind="file", name="f")
    with_gap = people(tmp_path, hanako(platform="toy", status="suspended"), site, gap)["佐藤 花子"]

    found = states(with_gap)
    assert found["grants", "toy"] is found["files", "toy"] is ItemState.UNKNOWN
    assert found["groups", "toy"] is found["account", "toy"] is ItemState.DONE


def test_a_user_of_aws_without_its_report_is_neither_open_nor_closed(tmp_path: Path) -> None:
    person = people(tmp_path, hanako(platform="s3"))["佐藤 花子"]

    assert states(person)["account", "s3"] is ItemState.UNKNOWN
    assert states(person)["keys", "s3"] is ItemState.UNKNOWN
    assert closing(person, date(2026, 4, 1), "UTC").state is ItemState.UNKNOWN


def test_a_private_account_is_counted_and_not_named(tmp_path: Path) -> None:
    private = user("p", "hana@gmail.com", platform="gdrive", affiliation="external")
    plan = file("plan")
    person = people(tmp_path, hanako(status="suspended"), private, plan, shared(plan, private))["佐藤 花子"]

    (item,) = [item for item in person.items if item.task is Task.PRIVATE]
    assert (item.state, item.examples) == (ItemState.OPEN, ())
    assert "gmail" not in repr(person)


def test_whose_manager_left_is_the_managers_to_hand_over(tmp_path: Path) -> None:
    roster = ROSTER.replace(
        "9,青木 直子,naoko@acme.example,営業部,,,2010-04-01,,", "9,青木 直子,naoko@acme.example,営業部,1,,,,"
    )

    person = people(tmp_path, hanako(), roster=roster)["佐藤 花子"]

    (item,) = [item for item in person.items if item.task is Task.STAFF]
    assert item.examples == ["青木 直子"]


def test_a_mover_has_until_the_end_of_the_grace(tmp_path: Path) -> None:
    roster = """\
社員番号,氏名,メールアドレス,部署,旧所属,異動日
1,林 美穂,miho@acme.example,経理部,営業部,2026-03-20
"""
    known = Knowledge(domains=["acme.example"], staff=staff(roster))
    account = user("m", "miho@acme.example", platform="gdrive")
    with joined(tmp_path, known, [account]) as snapshot:
        (person,) = moved(snapshot, "UTC", grace_days=30)

    assert (person.from_department, person.department) == ("営業部", "経理部")
    assert (person.moved_on, person.grace_ends) == (date(2026, 3, 20), date(2026, 4, 18))
    assert [item.state for item in person.items] == [ItemState.DONE, ItemState.DONE]
