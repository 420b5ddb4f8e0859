"""Judging: folding, evidence, reach, subjects, parameters, and the questions that the ledger asks."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudscan.connector import Yielded
from cloudscan.engine.folding import EVIDENCE, Tally
from cloudscan.engine.judge import Verdicts, fold, judge, preview
from cloudscan.engine.loader import load
from cloudscan.engine.rule_file import Rule
from cloudscan.errors import ConfigurationError, RuleError
from cloudscan.facts import (
    MOST_ENTRY,
    Access,
    Affiliation,
    Audience,
    Grant,
    Membership,
    Principal,
    Resource,
    Setting,
    Via,
    unread_grants,
)
from cloudscan.finding import Judgement, Party, PartyKind, PolicyEntry, Verdict, message
from cloudscan.snapshot import in_memory, sql
from cloudscan.snapshot.collect import collect
from cloudscan.snapshot.snapshot import Snapshot
from tests.kit.facts import RULE, Listed, file, grant, load_text, load_unproven, yielding
from tests.kit.properties import examples

SHIPPED = load([Path(__file__).parents[2] / "rules"])
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


Scanned = Callable[..., Snapshot]


@pytest.fixture
def scanned(tmp_path: Path) -> Iterator[Scanned]:
    """Makes a snapshot of facts, which is open until the test ends."""
    with ExitStack() as opened:
        yield lambda *facts: opened.enter_context(collect([Listed({"a": yielding(*facts)})], tmp_path / "s"))


def judged(scanned: Scanned, rules: Sequence[Rule], *facts: Yielded) -> Verdicts:
    return judge(scanned(*facts), rules, as_of=NOON)


def only(verdicts: Verdicts) -> Verdict:
    (verdict,) = verdicts.verdicts
    return verdict


@pytest.mark.parametrize(
    ("zone", "moment", "is_flagged"),
    [
        ("Asia/Tokyo", datetime(2026, 3, 31, 14, 59, tzinfo=UTC), False),
        ("Asia/Tokyo", datetime(2026, 3, 31, 15, 0, tzinfo=UTC), True),
        ("Pacific/Honolulu", datetime(2026, 4, 1, 9, 59, tzinfo=UTC), False),
        ("Pacific/Honolulu", datetime(2026, 4, 1, 10, 0, tzinfo=UTC), True),
        ("UTC", datetime(2026, 3, 31, 12, 0, tzinfo=UTC), False),
    ],
)
def test_a_last_day_ends_where_the_organisation_is(
    scanned: Scanned, zone: str, moment: datetime, is_flagged: bool
) -> None:
    """A last day at work and a contract's last day are days of people, and end at their midnight."""
    leaver = Principal(
        uid="m365:user/1", platform="m365", account="acme", kind="user", affiliation=Affiliation.INTERNAL,
        status="active", detail={"leave_on": "2026-03-31"},
    )  # fmt: skip
    partner = Principal(
        uid="m365:user/2", platform="m365", account="acme", kind="guest", affiliation=Affiliation.PARTNER,
        domain="partner.example", status="active", detail={"partner": "Haulier", "contract_ends": "2026-03-31"},
    )  # fmt: skip
    rules = [
        one for one in SHIPPED if one.id in ("m365-former-employee-can-still-sign-in", "m365-partner-contract-ended")
    ]

    verdicts = judge(scanned(leaver, partner), rules, as_of=moment, timezone=zone)

    assert {rule: tally.flagged for rule, tally in verdicts.tallies.items()} == dict.fromkeys(
        (rule.id for rule in rules), int(is_flagged)
    )


def test_rows_become_verdicts(scanned: Scanned, rules: tuple[Rule, ...]) -> None:
    """Flagged and unknown are kept, passed is counted."""
    facts: list[Yielded] = [
        file("open"),
        grant("open"),
        file("odd"),
        grant("odd", None),
        file("shut"),
        file("named"),
        grant("named", Audience.NAMED),
    ]

    verdicts = judged(scanned, rules, *facts)

    assert verdicts.tallies == {"link-open-to-anyone": Tally(flagged=1, unknown=1, passed=2)}
    assert [verdict.identity for verdict in verdicts.flagged] == [("toy:open",)]
    assert [verdict.identity for verdict in verdicts.unknown] == [("toy:odd",)]
    assert verdicts.summaries()[0].passed == 2


def test_an_unread_list_is_unknown(scanned: Scanned) -> None:
    """The rows that stand for unread permissions and members go through sealing, and no rule passes or flags them."""
    facts: list[Yielded] = [
        Resource(uid="gdrive:f", platform="gdrive", account="acme", kind="file", name="f"),
        unread_grants("gdrive:f"),
        Principal(uid="gdrive:team", platform="gdrive", account="acme", kind="group", name="team"),
        Membership(group_uid="gdrive:team", member_uid=None),
        Membership(group_uid="gdrive:all", member_uid="gdrive:team"),
    ]
    snapshot = scanned(*facts)

    verdicts = judge(snapshot, [rule for rule in SHIPPED if "exposures" in rule.tables], as_of=NOON)

    assert not verdicts.flagged
    for rule in verdicts.rules:
        asked = verdicts.tallies[rule.id]
        assert asked.passed == 0 or rule.id.startswith("m365") or not asked.unknown
    assert verdicts.tallies["drive-anyone-with-link-can-edit"] == Tally(unknown=1)
    assert verdicts.tallies["drive-external-domain"] == Tally(unknown=1)
    unread = "SELECT i.uid FROM members AS m JOIN ids AS i ON i.key = m.group_uid WHERE m.member_uid IS NULL ORDER BY 1"
    assert snapshot.db.execute(unread).fetchall() == [("gdrive:all",), ("gdrive:team",)]


@examples(40)
@given(st.lists(st.tuples(st.sampled_from(["x", "y", "z"]), st.sampled_from([True, False, None])), max_size=12))
def test_one_true_flags_one_null_leaves_open_else_it_passed(rows: list[tuple[str, bool | None]]) -> None:
    """The engine folds, whatever the order and number of rows."""
    rule = folding_rule()
    expected = {}
    for name in {name for name, _ in rows}:
        flags = [flag for other, flag in rows if other == name]
        expected[name,] = (
            Judgement.FLAGGED if True in flags else Judgement.UNKNOWN if None in flags else Judgement.PASSED
        )
    values = {True: "on", False: "off", None: None}
    settings = [
        {"scope_uid": name, "name": f"s{index}", "value": values[flag]} for index, (name, flag) in enumerate(rows)
    ]

    with in_memory.open_empty() as db:
        in_memory.fill(db, {"settings": settings})
        assert dict(fold(db, rule, {})) == expected


def folding_rule() -> Rule:
    import tempfile

    from tests.kit.facts import RULE

    text = RULE.format(id="link-open-to-anyone").lstrip()
    begin, end = text.index("  SELECT"), text.index("text:")
    query = "  SELECT s.scope_uid, s.value = 'on' AS flagged FROM settings AS s\n"
    text = text[:begin] + query + text[end:].replace("{resource_name}", "It")
    with tempfile.TemporaryDirectory() as folder:
        return load_unproven(Path(folder), text.replace("[origin_uid]", "[scope_uid]"))[0]


@pytest.mark.parametrize(
    ("detail", "resources"),
    [({"objects": 2_000_000}, 2_000_000), ({"objects": 0}, 1), ({"objects": "many"}, 1), ({"objects": -5}, 1), ({}, 1)],
)
def test_things_that_are_counted_and_not_listed_are_behind_a_finding(
    scanned: Scanned, rules: tuple[Rule, ...], detail: dict[str, object], resources: int
) -> None:
    verdict = only(judged(scanned, rules, file("bucket", detail=detail, size_bytes=9), grant("bucket")))

    assert verdict.resources == resources


@pytest.mark.parametrize(("detail", "resources"), [({"objects": 5}, 12), ({}, 2)])
def test_of_several_containers_all_count_with_their_contents_or_none(
    scanned: Scanned, tmp_path: Path, detail: dict[str, object], resources: int
) -> None:
    """One that is counted again after a night without an answer has not grown."""
    text = RULE.format(id="link-open-to-anyone").replace("identity: [origin_uid]", "identity: [account]")
    text = text.replace("SELECT e.origin_uid,", "SELECT e.account,").replace("flags: [[res]]", "flags: [[acme]]")
    rules = load_unproven(tmp_path / "rules", text)
    size = {"size_bytes": 50} if detail else {}
    buckets = file("a", detail={"objects": 7}, size_bytes=70), file("b", detail=detail, **size)

    verdict = only(judged(scanned, rules, *buckets, grant("a"), grant("b")))

    assert (verdict.resources, verdict.bytes) == (resources, 120 if detail else None)


@pytest.mark.parametrize(("second", "reach"), [({"of_a_part": True}, (1, None)), ({}, (2_000_000, 500))])
def test_a_grant_on_a_part_does_not_count_the_whole(
    scanned: Scanned, rules: tuple[Rule, ...], second: dict[str, object], reach: tuple[int, int | None]
) -> None:
    verdict = only(
        judged(
            scanned,
            rules,
            file("bucket", detail={"objects": 2_000_000}, size_bytes=500),
            grant("bucket", detail={"of_a_part": True}),
            grant("bucket", detail=second, uid="toy:second"),
        )
    )

    assert (verdict.resources, verdict.bytes) == reach


def test_a_shared_folder_is_one_finding_with_all_that_lies_behind(scanned: Scanned, rules: tuple[Rule, ...]) -> None:
    """One origin, many resources: counted all, shown some, the folder first."""
    facts: list[Yielded] = [file("folder", size_bytes=0), grant("folder", granted_on=NOON)]
    for number in range(30):
        facts += [
            file(f"f{number}", parent_uid="toy:folder", size_bytes=10, rank=number % 5 + 1),
            grant(f"f{number}", inherited=True, access=Access.WRITE),
        ]
    facts += [grant("folder", access=Access.WRITE, uid="toy:writers")]

    verdict = only(judged(scanned, rules, *facts))

    assert verdict.identity == ("toy:folder",)
    assert (verdict.rows, verdict.resources, verdict.bytes, verdict.rank) == (32, 31, 300, 5)
    assert (verdict.audience, verdict.access) == (Audience.ANYONE_WITH_LINK, Access.WRITE)
    assert verdict.since == NOON
    assert len(verdict.evidence) == EVIDENCE
    assert verdict.evidence[0].row["resource_name"] == "folder"
    assert message(rules[0].text["en"], verdict, "en") == "folder is open to anyone"


def test_the_subject_is_looked_up(scanned: Scanned, rules: tuple[Rule, ...]) -> None:
    """The rule need not yield name, path and owner; the chain comes with its grant."""
    chain = {"en": ["Statement 2 allows *.", "No block applies."], "ja": ["…", "…"]}
    ann = Principal(uid="toy:ann", platform="toy", account="acme", kind="user", email="ann@acme.example")
    plan = file("Plan", path="/a/Plan", url="https://x.example", owner_uid="toy:ann", detail={"region": "eu"})

    verdict = only(judged(scanned, rules, ann, plan, grant("Plan", detail={"chain": chain})))

    subject = verdict.subject
    assert (subject.uid, subject.platform, subject.account, subject.kind) == ("toy:Plan", "toy", "acme", "file")
    assert (subject.name, subject.path, subject.owner, subject.detail) == (
        "Plan",
        "/a/Plan",
        "ann@acme.example",
        {"region": "eu"},
    )
    assert verdict.evidence[0].chain == chain
    assert verdict.evidence[0].row["grant_uid"] == "toy:way/Plan"


def test_evidence_quotes_the_policy_entry_behind_its_grant(scanned: Scanned, rules: tuple[Rule, ...]) -> None:
    """As the connector gives it, with a bound; what is no such entry is left out."""
    entry = {"kind": "policy", "number": 2, "name": "Web", "text": "x" * (MOST_ENTRY + 1)}
    facts: list[Yielded] = [
        file("a"),
        grant("a", detail={"entry": entry}),
        file("b"),
        grant("b", detail={"entry": "all of it"}),
    ]

    quoted, not_quoted = judged(scanned, rules, *facts).verdicts

    assert quoted.evidence[0].entry == PolicyEntry(
        kind="policy", number=2, name="Web", text="x" * MOST_ENTRY, whole=False
    )
    assert not_quoted.evidence[0].entry is None


@pytest.mark.parametrize(
    ("known", "party"),
    [
        ({"affiliation": Affiliation.INTERNAL}, None),
        (
            {"affiliation": Affiliation.PARTNER, "detail": {"partner": "Haulier"}},
            Party(name="Haulier", kind=PartyKind.PARTNER),
        ),
        ({"affiliation": Affiliation.EXTERNAL}, Party(name="rival.example", kind=PartyKind.UNLISTED)),
        (
            {"affiliation": Affiliation.EXTERNAL, "detail": {"consumer": "true"}},
            Party(name="x@rival.example", kind=PartyKind.PRIVATE),
        ),
        ({"affiliation": None}, Party(name="rival.example", kind=PartyKind.UNKNOWN)),
    ],
    ids=["ours", "partner", "unlisted", "private address", "not known"],
)
def test_evidence_says_who_is_outside(
    scanned: Scanned, rule_text: str, tmp_path: Path, known: dict[str, Any], party: Party | None
) -> None:
    """A partner is a partner by name; anybody else goes by a domain, or by a private address."""
    rules = load_text(tmp_path, rule_text.replace("e.grant_uid,", "e.grant_uid, e.principal_uid,"))
    who = Principal(
        uid="toy:x",
        platform="toy",
        account="acme",
        kind="user",
        email="x@rival.example",
        domain="rival.example",
        **known,
    )

    verdict = only(judged(scanned, rules, who, file("Plan"), grant("Plan", principal_uid="toy:x")))

    assert verdict.evidence[0].party == party


def test_what_is_known_of_the_owner_and_of_the_manager_is_looked_up(scanned: Scanned, rules: tuple[Rule, ...]) -> None:
    """By which it is decided who may be told."""
    boss = Principal(uid="toy:boss", platform="toy", account="acme", kind="user", email="boss@acme.example",
                     affiliation=Affiliation.INTERNAL, status="active")  # fmt: skip
    left = Principal(uid="toy:left", platform="toy", account="acme", kind="user", email="left@acme.example",
                     affiliation=Affiliation.INTERNAL, status="suspended", sponsor_uid="toy:boss")  # fmt: skip

    verdict = only(judged(scanned, rules, boss, left, file("Plan", owner_uid="toy:left"), grant("Plan")))

    owner = verdict.subject.responsible
    assert owner
    assert (owner.uid, owner.address, owner.kind, owner.status) == (
        "toy:left",
        "left@acme.example",
        "user",
        "suspended",
    )
    assert owner.manager
    assert (owner.manager.address, owner.manager.affiliation) == ("boss@acme.example", Affiliation.INTERNAL)


def test_people_are_counted_through_groups(tmp_path: Path, scanned: Scanned, rule_text: str) -> None:
    """A grant to a group admits its members, and those of the groups in it."""
    text = rule_text.replace("e.grant_uid,", "e.grant_uid, e.principal_uid,")
    nested = [Membership(group_uid="toy:all", member_uid=f"toy:{name}") for name in ("team", "ann")]
    nested += [Membership(group_uid="toy:team", member_uid=f"toy:{name}") for name in ("bob", "cy", "ann")]

    verdict = only(
        judged(scanned, load_text(tmp_path / "r", text), file("1"), grant("1", principal_uid="toy:all"), *nested)
    )

    assert verdict.people == 3


@pytest.mark.parametrize(
    ("said", "likelihood"), [("2", 2), ("NULL", 4), ("9", 4), ("0", 1), ("CASE r WHEN 'a' THEN 2 END", 4)]
)
def test_a_row_may_lower_the_likelihood(
    tmp_path: Path, scanned: Scanned, rule_text: str, said: str, likelihood: int
) -> None:
    """Never below 1, never above the rule's own; the likeliest row counts, and one that says nothing has the rule's."""
    column = said.replace(" r ", " e.resource_name ")
    lowering = rule_text.replace("e.granted_on,", f"e.granted_on, {column} AS likelihood,")
    facts: list[Yielded] = [file("f"), file("a", parent_uid="toy:f"), file("b", parent_uid="toy:f"), grant("f")]
    inherited: list[Yielded] = [
        grant(name, uid=f"toy:way/{name}", origin_uid="toy:f", inherited=True) for name in ("a", "b")
    ]

    verdict = only(judged(scanned, load_text(tmp_path / "rules", lowering), *facts, *inherited))

    assert verdict.likelihood == likelihood


def test_the_ledger_learns_what_became_of_identities(scanned: Scanned, rules: tuple[Rule, ...]) -> None:
    """Flagged, unknown, passed; what is gone is left out."""
    facts: list[Yielded] = [file("open"), grant("open"), file("odd"), grant("odd", None), file("shut")]
    asked = [("toy:open",), ("toy:odd",), ("toy:shut",), ("toy:gone",), ("too", "many")]

    verdicts = judged(scanned, rules, *facts)

    assert verdicts.judgements_of("link-open-to-anyone", asked) == {
        ("toy:open",): Judgement.FLAGGED,
        ("toy:odd",): Judgement.UNKNOWN,
        ("toy:shut",): Judgement.PASSED,
    }
    assert verdicts.judgements_of("rule-of-yesterday", asked) == {}


def test_identities_may_be_texts_and_may_be_empty(tmp_path: Path, scanned: Scanned, rule_text: str) -> None:
    """An account by its name; no principal at all is the empty word."""
    text = rule_text.replace("[origin_uid]", "[account, principal_uid]").replace(
        "SELECT e.origin_uid,", "SELECT e.account, e.principal_uid, e.origin_uid,"
    )
    text = text.replace("[[res]]", "[[acme, null]]")

    verdicts = judged(scanned, load_text(tmp_path / "r", text), file("1"), grant("1"))

    assert only(verdicts).identity == ("acme", "")
    assert verdicts.judgements_of("link-open-to-anyone", [("acme", "")]) == {("acme", ""): Judgement.FLAGGED}


def test_a_subject_that_was_only_mentioned_still_has_its_id(scanned: Scanned) -> None:
    """A setting of an account that is not among the facts."""
    rule = folding_rule()

    verdict = only(judged(scanned, [rule], Setting(scope_uid="toy:account/1", name="web", value="on")))

    assert verdict.identity == ("toy:account/1",)
    assert (verdict.subject.uid, verdict.subject.platform) == ("toy:account/1", "toy")


def test_params_are_held_to_their_bounds(tmp_path: Path, scanned: Scanned, rule_text: str) -> None:
    """A value from the configuration replaces the default, or is refused with the reason."""
    text = rule_text.replace(
        "effort: low", "effort: low\nparams: {bytes: {default: 5, min: 1, max: 100, meaning: size}}"
    )
    text = text.replace("<> 'account'", "<> 'account' AND coalesce(e.size_bytes, 9) > $bytes")
    rules = load_unproven(tmp_path / "r", text)
    snapshot = scanned(file("1", size_bytes=7), grant("1"))

    assert judge(snapshot, rules).tallies["link-open-to-anyone"].flagged == 1
    assert (
        judge(snapshot, rules, params={"link-open-to-anyone": {"bytes": 8}}).tallies["link-open-to-anyone"].flagged == 0
    )
    for params, refusal in (
        ({"link-open-to-anyone": {"bytes": 1000}}, "above the largest"),
        ({"link-open-to-anyone": {"bytes": "many"}}, "not of the same type as the default"),
        ({"link-open-to-anyone": {"byte": 1}}, "write bytes"),
        ({"link-open-to-anyon": {"bytes": 1}}, "write link-open-to-anyone"),
    ):
        with pytest.raises(ConfigurationError, match=refusal):
            judge(snapshot, rules, params=params)


def test_a_query_that_the_database_refuses_names_its_rule(tmp_path: Path, scanned: Scanned, rule_text: str) -> None:
    """Errors that only running shows are reported with file and line as well."""
    text = rule_text.replace("<> 'account'", "<> 'account' AND e.size_bytes * 9223372036854775807 > 1")
    rules = load_unproven(tmp_path / "r", text)

    with pytest.raises(RuleError, match=r"link-open-to-anyone.yaml:9: the query of link-open-to-anyone cannot run"):
        judged(scanned, rules, file("1", size_bytes=9), grant("1"))


def test_the_same_snapshot_is_judged_the_same(scanned: Scanned, rules: tuple[Rule, ...]) -> None:
    """`as_of` is when the scan began, not today."""
    facts: list[Yielded] = [fact for number in range(50) for fact in (file(f"f{number}"), grant(f"f{number}"))]
    snapshot = scanned(*facts)

    first, second = judge(snapshot, rules), judge(snapshot, rules)

    assert first.as_of == snapshot.scan.started_on
    assert first.verdicts == second.verdicts


@pytest.mark.parametrize("platform", ["s3", "gdrive", "m365"])
def test_rules_about_platforms_that_are_not_there_say_nothing_anyway(scanned: Scanned, platform: str) -> None:
    """They are not run. Run all the same, they come to the same."""
    resources = [
        Resource(uid=f"{platform}:{kind}/{name}", platform=platform, account="acme", kind=kind, name=name)
        for kind in ("account", "tenant", "bucket", "file", "folder", "site", "item", "user", "group")
        for name in ("one", "two")
    ]
    grants = [
        Grant(
            uid=f"{resource.uid}#{audience}",
            resource_uid=resource.uid,
            audience=audience,
            access=Access.WRITE,
            via=Via.LINK,
        )
        for resource in resources
        for audience in (None, Audience.ANYONE_WITH_LINK, Audience.NAMED_EXTERNAL)
    ]
    people = [
        Principal(uid=f"{platform}:user/{name}", platform=platform, account="acme", kind="user", name=name)
        for name in ("mika", "tom")
    ]
    snapshot = scanned(*resources, *grants, *people)

    skipping = judge(snapshot, SHIPPED)
    running = judge(snapshot, [msgspec.structs.replace(rule, confined=()) for rule in SHIPPED])

    assert skipping.tallies == running.tallies
    assert skipping.verdicts == running.verdicts
    assert any(tally != Tally() for tally in skipping.tallies.values())
    assert sum(tally == Tally() for tally in skipping.tallies.values()) > len(SHIPPED) / 3


@pytest.mark.parametrize(
    ("query", "confined"),
    [
        ("FROM exposures AS e WHERE e.platform = 's3' AND e.effective", [("exposures", ("s3",))]),
        ("FROM exposures AS e LEFT JOIN resources AS r ON r.uid = e.resource_uid WHERE r.platform IN ('s3', 'm365')",
         [("resources", ("s3", "m365"))]),
        ("FROM exposures AS e WHERE e.platform = 's3' OR e.effective", []),
        ("FROM exposures AS e WHERE NOT (e.platform = 's3')", []),
        ("FROM exposures AS e LEFT JOIN resources AS r ON r.uid = e.resource_uid AND r.platform = 's3'", []),
        ("FROM exposures AS e WHERE e.platform = $name", []),
        ("FROM (SELECT o.uid AS origin_uid, o.effective, 's3' AS platform FROM exposures AS o) AS e "
         "WHERE e.platform = 's3'", []),
        ("FROM exposures AS e WHERE EXISTS (SELECT 1 FROM resources AS r WHERE r.platform = 's3')", []),
    ],
)  # fmt: skip
def test_what_the_outermost_condition_demands_confines_a_rule(query: str, confined: list[tuple[str, object]]) -> None:
    """Only what every row has to satisfy."""
    assert list(sql.check(f"SELECT e.origin_uid, e.effective AS flagged {query}").confined) == confined


def test_an_aggregate_of_nothing_is_a_row() -> None:
    """So such a rule is run whatever the snapshot holds; in groups there is none."""
    counting = "SELECT count(*) > 3 AS flagged{} FROM exposures AS e WHERE e.platform = 's3'{}"

    assert sql.check(counting.format("", "")).confined == ()
    assert sql.check(counting.format(", e.origin_uid", " GROUP BY e.origin_uid")).confined


def test_first_findings_come_before_the_scan_ends(rules: tuple[Rule, ...]) -> None:
    """The facts of a few finished scopes are enough for a preview."""
    account = Resource(uid="toy:acme", platform="toy", account="acme", kind="account", name="acme")

    (verdict,) = preview([account, file("1"), grant("1"), file("2"), file("1")], rules, as_of=NOON)

    assert verdict.identity == ("toy:1",)
    assert verdict.subject.name == "1"


def test_a_finding_knows_what_it_lies_in(tmp_path: Path) -> None:
    """Folders and the drive, the nearest first; parents that go round in a circle end somewhere."""
    toy = Listed(
        {
            "a": yielding(
                file("drive"),
                file("folder", parent_uid="toy:drive", container_uid="toy:drive"),
                file("plan", parent_uid="toy:folder", container_uid="toy:drive"),
                file("egg", parent_uid="toy:hen"),
                file("hen", parent_uid="toy:egg"),
                grant("plan"),
                grant("egg"),
            )
        }
    )

    with collect([toy], tmp_path / "s") as snapshot:
        verdicts = judge(snapshot, load_text(tmp_path, RULE.format(id="link-open-to-anyone")))

    inside = {verdict.subject.name: list(verdict.subject.inside) for verdict in verdicts.flagged}
    assert sorted(inside["plan"]) == ["toy:drive", "toy:folder"]
    assert inside["egg"] == ["toy:hen"]
