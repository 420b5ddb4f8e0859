"""Judging on Spark gives the verdicts of judging here, byte by byte, whatever the estate and the rules."""

import tempfile
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from cloudscan.cli.spark import Engine, folding
from cloudscan.connector import Yielded
from cloudscan.engine.judge import Verdicts, judge
from cloudscan.engine.loader import load_archived
from cloudscan.engine.rule_file import Rule
from cloudscan.errors import RuleError
from cloudscan.facts import Access, Affiliation, Audience, Grant, Membership, Principal, Resource, Setting, Via
from cloudscan.snapshot.collect import collect
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan.spark.judging import SparkFolding
from cloudscan.spark.tables import files_of
from tests.kit.facts import RULE, Listed, write_rule, yielding
from tests.kit.properties import examples
from tests.kit.spark import MASTER

pytestmark = pytest.mark.long

NOON = datetime(2026, 1, 1, 12, 0, 0, 5, tzinfo=UTC)

QUERIES = {
    # identity: what follows SELECT; the first two share a pass
    "shared": ("origin_uid", """e.origin_uid, e.resource_uid, e.grant_uid, e.principal_uid, e.resource_name, e.audience,
        e.access, e.granted_on, e.size_bytes, e.rank, e.audience >= 'anyone_with_link' AND e.effective AS flagged
        FROM exposures AS e WHERE e.resource_kind <> 'account'"""),
    "old": ("origin_uid", """e.origin_uid, e.resource_name, e.expires_on - INTERVAL 1 MONTH AS soon,
        CASE WHEN e.access >= 'write' THEN 2 END AS likelihood, e.granted_on < $as_of - INTERVAL 30 DAY AS flagged
        FROM exposures AS e WHERE e.grant_uid IS NOT NULL"""),
    "account": ("account", """e.account, e.resource_uid, e.grant_uid, e.effective AS flagged FROM exposures AS e"""),
    "joined": ("principal_uid, resource_name", """e.principal_uid, upper(e.resource_name) AS resource_name, e.access,
        p.affiliation <> 'internal' AS flagged FROM exposures AS e JOIN principals AS p ON p.uid = e.principal_uid"""),
    "counted": ("resource_uid", """e.resource_uid, e.audience, sum(e.size_bytes) AS bytes,
        e.resource_detail ->> '$.x' AS x, count(m.member_uid) > 1 AND e.audience > 'owner' AS flagged
        FROM exposures AS e LEFT JOIN members AS m ON m.group_uid = e.principal_uid
        GROUP BY e.resource_uid, e.audience, e.resource_detail"""),
    "switched": ("scope_uid", """s.scope_uid, s.value,
        s.value NOT IN (SELECT o.value FROM settings AS o WHERE o.name = 'allowed') AS flagged
        FROM settings AS s WHERE s.name = 'mode'"""),
}  # fmt: skip

NAMES = st.sampled_from(["Plan.xlsx", "Ärger ß", "plan", "計画", ""])


@st.composite
def estates(draw: st.DrawFn) -> list[Yielded]:
    """A few folders in each other, people, groups in groups, grants of every kind, things that could not be read."""
    unread = st.none()
    facts: list[Yielded] = []
    details: list[dict[str, object]] = [
        {},
        {"objects": 7},
        {"objects": "x"},
        {"x": 1e20},
        {"x": None},
        {"x": {"y": [1]}},
    ]
    people = [f"toy:p{number}" for number in range(4)]
    resources = [f"toy:r{number}" for number in range(draw(st.integers(1, 4)))]
    for number, uid in enumerate(people):
        affiliation = draw(st.sampled_from(list(Affiliation)) | unread)
        sponsor = draw(st.sampled_from(people) | unread)
        facts.append(
            Principal(uid=uid, platform="toy", account="acme", kind="user" if number < 2 else "group",
                      email=f"{number}@x", affiliation=affiliation, sponsor_uid=sponsor)
        )  # fmt: skip
    for number, uid in enumerate(resources):
        facts.append(
            Resource(uid=uid, platform="toy", account=draw(st.sampled_from(["acme", "b"])), kind="folder",
                     name=draw(NAMES),
                     parent_uid=resources[number - 1] if number else None, container_uid=resources[0],
                     owner_uid=draw(st.sampled_from(people) | unread), detail=draw(st.sampled_from(details)),
                     size_bytes=draw(st.sampled_from([0, 5, 2**62]) | unread))
        )  # fmt: skip
    moments = st.sampled_from([NOON, NOON - timedelta(days=30), NOON - timedelta(days=31)])
    audiences, accesses = st.sampled_from(list(Audience)), st.sampled_from(list(Access))
    facts += [
        Grant(uid=f"toy:g{number}", resource_uid=draw(st.sampled_from(resources)), via=Via.LINK,
              audience=draw(audiences | unread), access=draw(accesses | unread), effective=draw(st.booleans() | unread),
              principal_uid=draw(st.sampled_from(people) | unread), granted_on=draw(moments | unread),
              detail={"of_a_part": True} if draw(st.booleans()) else {})
        for number in range(draw(st.integers(0, 6)))
    ]  # fmt: skip
    for group, member in draw(st.lists(st.tuples(st.sampled_from(people[2:]), st.sampled_from(people)), max_size=4)):
        facts.append(Membership(group_uid=group, member_uid=member))
    for number, (name, value) in enumerate(
        draw(
            st.lists(
                st.tuples(st.sampled_from(["mode", "allowed"]), st.sampled_from(["on", "off"]) | unread), max_size=4
            )
        )
    ):
        facts.append(Setting(scope_uid=f"{resources[0]}{number}", name=name, value=value))
    return facts


def rules_in(folder: Path, queries: dict[str, tuple[str, str]]) -> Sequence[Rule]:
    for rule_id, (identity, query) in queries.items():
        text = RULE.format(id=rule_id).lstrip()
        begin, end = text.index("  SELECT"), text.index("text:")
        text = f"{text[:begin]}  SELECT {query}\n{text[end:]}".replace("{resource_name}", "It")
        one = ", ".join(["res"] * (identity.count(",") + 1))
        write_rule(folder, text.replace("[origin_uid]", f"[{identity}]").replace("[[res]]", f"[[{one}]]"), rule_id)
    return load_archived(folder)


def on_spark(spark: SparkSession, snapshot: Snapshot, rules: Sequence[Rule]) -> Verdicts:
    with closing(SparkFolding(spark, files_of(snapshot.path))) as folding:
        return judge(snapshot, rules, as_of=NOON, folding=folding)


@given(estate=estates())
@examples(2)
def test_verdicts_are_the_same_on_random_estates(spark: SparkSession, estate: list[Yielded]) -> None:
    """Counts, order, evidence, extent, subjects and what they lie in."""
    with tempfile.TemporaryDirectory() as folder:
        rules = rules_in(Path(folder) / "rules", QUERIES)
        with collect([Listed({"a": yielding(*estate)})], Path(folder) / "s") as snapshot:
            here = judge(snapshot, rules, as_of=NOON)
            there = on_spark(spark, snapshot, rules)

    assert there.tallies == here.tallies
    assert [msgspec.json.encode(verdict) for verdict in there.verdicts] == [
        msgspec.json.encode(verdict) for verdict in here.verdicts
    ]


def test_a_rule_that_cannot_be_computed_is_named(spark: SparkSession, tmp_path: Path) -> None:
    """One stranger's rule among others."""
    query = "e.resource_uid, e.size_bytes * 9223372036854775807 > 5 AS flagged FROM exposures AS e"
    rules = rules_in(tmp_path / "rules", {"shared": QUERIES["shared"], "huge": ("resource_uid", query)})
    file = Resource(uid="toy:f", platform="toy", account="acme", kind="file", name="Plan", size_bytes=2)

    with (
        collect([Listed({"a": yielding(file)})], tmp_path / "s") as snapshot,
        pytest.raises(RuleError, match=r"the query of huge cannot run on Spark: .*overflow"),
    ):
        on_spark(spark, snapshot, rules)


def test_the_engine_of_the_command_is_the_cluster_that_it_names(spark: SparkSession, tmp_path: Path) -> None:
    """Beside the shipped rules a test of the command would take minutes."""
    engine = Engine(name="spark", master=MASTER, remote="", store="")
    rules = rules_in(tmp_path / "rules", {"shared": QUERIES["shared"]})
    file = Resource(uid="toy:f", platform="toy", account="acme", kind="file", name="Plan")

    with collect([Listed({"a": yielding(file)})], tmp_path / "s") as snapshot, folding(engine, snapshot) as folded:
        verdicts = judge(snapshot, rules, as_of=NOON, folding=folded)

    assert isinstance(folded, SparkFolding)
    assert verdicts.tallies["shared"].passed == 1
    assert spark.sql("SELECT 1").collect()  # a session that was there is left open
