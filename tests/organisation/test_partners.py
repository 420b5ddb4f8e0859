"""Whose partner: by the strongest sign on every platform, what their contracts allow, and who is responsible here."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from cloudscan import plugins
from cloudscan.connector import Estate, Partner
from cloudscan.engine import loader
from cloudscan.engine.judge import judge
from cloudscan.facts import Access, Affiliation, AnyFact, Audience, Grant, Membership, Principal, Resource, Via
from cloudscan.finding import Judgement
from cloudscan.ledger.ledger import Ledger
from cloudscan.organisation.knowledge import Knowledge, Staff
from cloudscan.organisation.rank_lines import RankLine, Source
from cloudscan.organisation.register import PartnerTable
from cloudscan.reason import Reason
from cloudscan.recipient import recipient_of
from cloudscan.snapshot.snapshot import Snapshot
from tests.kit.organisation import joined, staff, user
from tests.kit.people import night

HAULIER = PartnerTable(name="Haulier", domains=["haulier.example"], owner="hanako@acme.example")
RULES = {rule.id: rule for rule in loader.load(plugins.rule_folders())}


def outside(name: str, email: str = "", **more: Any) -> Principal:
    """Somebody or something that a connector found to be a partner's."""
    return user(name, email, **{"affiliation": Affiliation.PARTNER, **more})


def place(path: str, *, platform: str = "toy", rank: int | None = None) -> Resource:
    """A folder without anything above it."""
    return Resource(uid=f"{platform}:{path}", platform=platform, account="acme", kind="folder", name=path, path=path,
                    rank=rank)  # fmt: skip


def given(principal: Principal, resource: Resource, access: Access = Access.READ) -> Grant:
    """Access that somebody has."""
    return Grant(uid=f"{resource.uid}#{principal.uid}", resource_uid=resource.uid, origin_uid=resource.uid,
                 principal_uid=principal.uid, audience=Audience.NAMED_EXTERNAL, access=access,
                 via=Via.DIRECT)  # fmt: skip


def contracts(snapshot: Snapshot) -> list[list[Any]]:
    """Whose each principal is, and by what."""
    rows = snapshot.query("SELECT principal_uid, partner_uid, joined_by FROM partner_accounts ORDER BY 1, 2").rows
    return [[one, str(of).removeprefix("organisation:partner/"), by] for one, of, by in rows]


def flagged(snapshot: Snapshot, rule: str, timezone: str = "UTC") -> list[Sequence[str]]:
    """The identities that a rule flags."""
    verdicts = judge(snapshot, [RULES[f"partner-{rule}"]], timezone=timezone).verdicts
    return [one.identity for one in verdicts if one.judgement is Judgement.FLAGGED]


@pytest.mark.parametrize(
    ("principal", "by"),
    [
        (outside("p", "taro@haulier.example"), "domain"),
        (outside("p", "freelance@gmail.com"), "address"),
        (outside("222222222222", kind="account"), "account"),
        (outside("o-haulier", kind="organisation"), "organisation"),
        (outside("p", kind="service", detail={"tenant": "o-haulier"}), "organisation"),
        (outside("p", kind="service", detail={"app_id": "1b2c"}), "application"),
        (outside("p", "team@lists.example", kind="group"), "group"),
        (outside("p", "x@driver.example"), "sub-contractor"),
        (outside("p", "TARO@HAULIER.example", affiliation=None), "domain"),
        (outside("p", "x@elsewhere.example", detail={"partner": "Haulier"}), "domain"),
    ],
)  # fmt: skip
def test_a_principal_is_a_partners_by_any_of_its_names(tmp_path: Path, principal: Principal, by: str) -> None:
    """Domain, account, organisation, group, application, or the one person at a provider of free mail."""
    register = PartnerTable(
        name="Haulier",
        domains=["Haulier.example"],
        accounts=["222222222222"],
        organisations=["o-haulier"],
        groups=["team@lists.example"],
        applications=["1B2C"],
        addresses=["freelance@gmail.com"],
        sub_contractors=["driver.example", "Another partner"],
    )
    with joined(tmp_path, Knowledge(partners=[register]), [principal]) as snapshot:
        assert contracts(snapshot) == [[principal.uid, "Haulier", by]]


@pytest.mark.parametrize(
    "principal",
    [
        outside("p", "x@sub.haulier.example", affiliation=Affiliation.EXTERNAL),
        outside("p", "taro@haulier.example", affiliation=Affiliation.EXTERNAL),  # signs in elsewhere
        user("p", "x@haulier.example"),  # one of ours, whatever the address
    ],
)
def test_who_is_not_a_partners_is_not_made_one(tmp_path: Path, principal: Principal) -> None:
    """A subdomain only if it is written; what a connector knows to be ours or external stays that."""
    with joined(tmp_path, Knowledge(partners=[HAULIER]), [principal]) as snapshot:
        assert contracts(snapshot) == []


def test_the_strongest_sign_decides(tmp_path: Path) -> None:
    """One person at a partner's domain works for another partner."""
    other = PartnerTable(name="Broker", addresses=["taro@haulier.example"])
    with joined(tmp_path, Knowledge(partners=[HAULIER, other]), [outside("p", "taro@haulier.example")]) as snapshot:
        assert contracts(snapshot) == [["toy:p", "Broker", "address"]]


def test_two_contracts_allow_what_one_of_them_allows(tmp_path: Path) -> None:
    """The first has ended, the second goes on, and names another place."""
    first = PartnerTable(name="Haulier", id="a", domains=["haulier.example"], places=["old"], ends=date(2026, 3, 1),
                         most_access=Access.WRITE)  # fmt: skip
    second = PartnerTable(name="Haulier", id="b", domains=["haulier.example"], places=["new"], ends=date(2027, 3, 1),
                          most_access=Access.READ)  # fmt: skip
    taro = outside("p", "taro@haulier.example")
    old, new, other = place("old"), place("new"), place("other")
    facts: list[AnyFact] = [taro, old, new, other, given(taro, old, Access.WRITE), given(taro, new), given(taro, other)]

    with joined(tmp_path, Knowledge(partners=[first, second]), facts) as snapshot:
        assert flagged(snapshot, "contract-ended") == []
        assert flagged(snapshot, "beyond-its-access") == []
        beyond = {identity[0] for identity in flagged(snapshot, "beyond-its-places")}

    assert beyond == {"toy:other"}


def test_a_partner_is_held_to_its_contract_on_every_platform(tmp_path: Path) -> None:
    """Place, strength and rank, wherever the partner's people are."""
    contract = PartnerTable(name="Haulier", domains=["haulier.example"], accounts=["222222222222"],
                            places=["s3:plans", "gdrive:Haulier"], most_access=Access.READ,
                            most_rank="working")  # fmt: skip
    taro = outside("t", "taro@haulier.example", platform="gdrive")
    account = outside("222222222222", kind="account", platform="s3")
    plans, payroll = place("plans", platform="s3"), place("payroll", platform="s3")
    theirs, ours = place("Haulier", platform="gdrive"), place("Board", platform="gdrive")
    lines = [
        RankLine(rank=5 if one is payroll else 1, source=Source.EXPLICIT, value=one.uid)
        for one in (plans, payroll, theirs, ours)
    ]
    facts: list[AnyFact] = [
        taro, account, plans, payroll, theirs, ours,
        given(account, plans, Access.WRITE), given(account, payroll), given(taro, theirs), given(taro, ours),
    ]  # fmt: skip

    with joined(tmp_path, Knowledge(partners=[contract], ranks=lines), facts) as snapshot:
        found = {
            rule: {identity[0] for identity in flagged(snapshot, f"beyond-its-{rule}")}
            for rule in ("places", "access", "rank")
        }

    assert found == {"places": {"s3:payroll", "gdrive:Board"}, "access": {"s3:plans"}, "rank": {"s3:payroll"}}


def test_a_group_of_ours_with_a_partners_people_is_held_to_the_contract(tmp_path: Path) -> None:
    """They get in through a group in a group."""
    taro = outside("t", "taro@haulier.example")
    inner, outer = user("inner", kind="group"), user("outer", kind="group")
    board = place("Board")
    facts: list[AnyFact] = [
        taro, inner, outer, board, given(outer, board),
        Membership(group_uid=inner.uid, member_uid=taro.uid), Membership(group_uid=outer.uid, member_uid=inner.uid),
        Membership(group_uid=inner.uid, member_uid=outer.uid),
    ]  # fmt: skip
    contract = PartnerTable(name="Haulier", domains=["haulier.example"], places=["Haulier"], ends=date(2026, 3, 31))

    with joined(tmp_path, Knowledge(partners=[contract]), facts) as snapshot:
        assert flagged(snapshot, "beyond-its-places") == [("toy:Board", "organisation:partner/Haulier")]
        assert flagged(snapshot, "contract-ended") == [("organisation:partner/Haulier",)]


@pytest.mark.parametrize(
    ("timezone", "now", "is_over"),
    [
        ("Asia/Tokyo", datetime(2026, 3, 31, 14, 59, tzinfo=UTC), False),
        ("Asia/Tokyo", datetime(2026, 3, 31, 15, 0, tzinfo=UTC), True),
        ("Pacific/Honolulu", datetime(2026, 4, 1, 9, 59, tzinfo=UTC), False),
        ("Pacific/Honolulu", datetime(2026, 4, 1, 10, 0, tzinfo=UTC), True),
    ],
)
def test_a_contract_ends_with_its_last_day_where_the_organisation_is(
    tmp_path: Path, timezone: str, now: datetime, is_over: bool
) -> None:
    """31 March is the last day, for the contract, for what has to be shown, and for the one that begins after it."""
    last = date(2026, 3, 31)
    ended = PartnerTable(name="Haulier", addresses=["x@gmail.com"], ends=last, at_end=["return"])
    running = PartnerTable(name="Broker", training_due=last)
    upcoming = PartnerTable(name="Next", addresses=["y@gmail.com"], starts=date(2026, 4, 1))
    one, two, board = outside("x", "x@gmail.com"), outside("y", "y@gmail.com"), place("Board")
    facts: list[AnyFact] = [one, two, board, given(one, board), given(two, board)]
    knowledge = Knowledge(partners=[ended, running, upcoming], timezone=timezone)

    with joined(tmp_path, knowledge, facts, now=now) as snapshot:
        found = {
            rule: bool(flagged(snapshot, rule, timezone))
            for rule in ("contract-ended", "end-unfinished", "evidence-overdue", "before-start", "contract-ends-soon")
        }

    assert found == {
        "contract-ended": is_over,
        "end-unfinished": is_over,
        "evidence-overdue": is_over,
        "before-start": not is_over,
        "contract-ends-soon": not is_over,
    }


ROSTER = """\
社員番号,氏名,メールアドレス,部署,退職日
1,佐藤 花子,hanako@acme.example,営業部,
2,鈴木 一郎,ichiro@acme.example,営業部,2026-03-30
3,田中 次郎,jiro@acme.example,旧営業部,2026-03-30
"""


@pytest.mark.parametrize(
    ("owner", "deputy", "is_here"),
    [
        ("hanako@acme.example", "", True),
        ("ichiro@acme.example", "Hanako@acme.example", True),
        ("ichiro@acme.example", "", False),  # left
        ("nobody@acme.example", "", False),  # unknown to the roster
        ("", "", False),
        ("営業部", "", True),  # a department with people in it
        ("sales@acme.example", "", True),  # a mailbox of ours
        ("佐藤 花子", "", None),  # a name alone joins nobody
        ("旧営業部", "", None),
    ],
)
def test_somebody_here_is_responsible(tmp_path: Path, owner: str, deputy: str, is_here: bool | None) -> None:
    """Owner or deputy, by address or department, known to the roster and still here."""
    register = [PartnerTable(name="Haulier", owner=owner, deputy=deputy)]
    facts = [user("g", "sales@acme.example", kind="group")]

    with joined(tmp_path, Knowledge(partners=register, staff=staff(ROSTER)), facts) as snapshot:
        assert snapshot.query("SELECT owner_is_here FROM partners").rows == [[is_here]]


def test_a_roster_in_doubt_leaves_the_owner_unknown(tmp_path: Path) -> None:
    """A broken export does not say that somebody left."""
    doubt = Staff(is_configured=True, doubt=Reason(code="roster-unreadable", values={"why": "?"}))

    with joined(tmp_path, Knowledge(partners=[HAULIER], staff=doubt), []) as snapshot:
        assert snapshot.query("SELECT owner_is_here FROM partners").rows == [[None]]


def test_what_the_register_lacks_is_named_and_not_guessed(tmp_path: Path) -> None:
    """More is asked for where personal data is entrusted."""
    entries = [
        PartnerTable(name="bare"),
        PartnerTable(name="entrusted", purpose="Payroll", starts=date(2026, 1, 1), ends=date(2027, 1, 1),
                     personal_data=True, reviewed=date(2026, 2, 1), abroad=False),
    ]  # fmt: skip

    with joined(tmp_path, Knowledge(partners=entries), []) as snapshot:
        rows = snapshot.query("SELECT name, lacks, CAST(review_due AS VARCHAR) FROM partners ORDER BY name").rows

    assert rows == [
        ["bare", "purpose, starts, ends, personal_data", "9999-12-31"],
        ["entrusted", "training_due, logs_due, at_end, incident_contact", "2027-02-01"],
    ]


def test_the_contract_that_ends_last_counts_for_all_who_share_a_domain() -> None:
    """A connector is told one of two contracts; one person may have another one."""
    estate = Estate(
        partners=(
            Partner(name="a", domains=frozenset({"haulier.example"}), contract_ends=date(2026, 3, 31)),
            Partner(name="b", domains=frozenset({"haulier.example"}), contract_ends=date(2027, 3, 31)),
            Partner(name="c", addresses=frozenset({"x@haulier.example"}), contract_ends=date(2026, 3, 31)),
        )
    )

    assert estate.partner_detail("y@haulier.example", "Haulier.example") == {
        "partner": "b",
        "contract_ends": "2027-03-31",
    }
    assert estate.partner_detail("X@haulier.example", "haulier.example") == {
        "partner": "c",
        "contract_ends": "false",
        "partner_by": "address",
    }
    assert estate.partner_detail("z@other.example", "other.example") == {}


@pytest.mark.parametrize(("refusing", "stays"), [("", False), ("gdrive", True)])
def test_a_platform_that_is_not_read_tonight_closes_nothing_about_a_partner(
    tmp_path: Path, refusing: str, stays: bool
) -> None:
    """The access on one platform is gone by now; what the other has is known only if it was read."""
    contract = PartnerTable(name="Haulier", addresses=["x@gmail.com"], ends=date(2026, 3, 31))
    known = Knowledge(partners=[contract])
    person, board = outside("x", "x@gmail.com", platform="gdrive"), place("Board", platform="gdrive")
    other = user("h", "h@acme.example", platform="m365")
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    rules = [RULES["partner-contract-ended"], RULES["partner-beyond-its-places"]]
    with night(tmp_path / "first", known, [person, board, given(person, board), other]) as snapshot:
        first = ledger.record(snapshot, judge(snapshot, rules))
    left: list[AnyFact] = [person, board, other]
    later = datetime(2026, 4, 2, 3, tzinfo=UTC)
    with night(tmp_path / "second", known, left, now=later, refusing=refusing) as snapshot:
        second = ledger.record(snapshot, judge(snapshot, rules))

    assert [one.verdict.identity for one in first.findings] == [("organisation:partner/Haulier",)]
    assert [one.verified for one in second.findings] == ([False] if stays else [])


def test_a_finding_about_a_partner_goes_to_who_is_responsible_and_here(tmp_path: Path) -> None:
    """The owner left, so that it is the deputy's."""
    entry = PartnerTable(name="Haulier", owner="ichiro@acme.example", deputy="hanako@acme.example")
    with joined(tmp_path, Knowledge(partners=[entry], staff=staff(ROSTER)), []) as snapshot:
        (verdict,) = judge(snapshot, [RULES["partner-contract-facts-missing"]]).verdicts

    told = recipient_of(verdict.subject, ["acme.example"])
    assert (verdict.subject.name, told.address) == ("Haulier", "hanako@acme.example")
