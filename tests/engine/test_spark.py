"""Rules mean the same on DuckDB and on Spark: every example of every rule, on both.

Translating SQL is easy to get subtly wrong (ladders compared as text, dates, NULL), and only running it shows that.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest
import sqlglot
from sqlglot import exp

from cloudscan.engine import examples
from cloudscan.engine.judge import bindings
from cloudscan.engine.loader import load
from cloudscan.engine.rule_file import Example, Rule
from cloudscan.facts import Audience
from cloudscan.snapshot import in_memory
from cloudscan.snapshot.sql import to_spark
from cloudscan.snapshot.tables import TABLES
from tests.kit.facts import RULE, load_text, load_unproven

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Rows = list[tuple[Any, ...]]

pytestmark = pytest.mark.long

RULES = Path(__file__).parents[2] / "rules"
ARROW_TYPES = {"BIGINT": pa.int64(), "BOOLEAN": pa.bool_(), "TIMESTAMP": pa.timestamp("us", "UTC"), "DATE": pa.date32()}

BROAD = """
  SELECT e.origin_uid, e.resource_name || '/' || e.blocked_by AS location, e.grant_detail ->> '$.sid' AS sid,
         e.audience, e.access, e.granted_on, count(m.member_uid) AS people,
         CASE WHEN e.access >= 'write' THEN 'much' WHEN e.access IN ('list', 'read') THEN 'some' END AS much,
         TRY_CAST(e.grant_detail ->> '$.n' AS BIGINT) AS amount, upper(trim(e.label)) AS label,
         e.audience BETWEEN 'named_external' AND 'any_account' AS outside, length(e.resource_name) AS long,
         (e.audience > 'owner' AND e.effective AND e.granted_on < $as_of - INTERVAL ($days) DAY
          AND NOT EXISTS (SELECT 1 FROM settings AS s WHERE s.scope_uid = e.resource_uid AND s.value = 'off'))
         AS flagged
  FROM exposures AS e LEFT JOIN members AS m ON m.group_uid = e.principal_uid
  WHERE e.resource_name LIKE 'P%' AND NOT starts_with(e.resource_name, 'X') AND e.via IS DISTINCT FROM 'acl'
  GROUP BY e.origin_uid, e.resource_uid, e.resource_name, e.blocked_by, e.grant_detail, e.audience, e.access,
           e.granted_on, e.label, e.effective
"""
BROAD_EXAMPLES = """examples:
  - it: flags an old grant to a group in a group
    given:
      grants: [{principal_uid: all, audience: named, access: manage, granted_on: 40 days ago, detail: {sid: a, n: 7}}]
      memberships: [{group_uid: all, member_uid: team}, {group_uid: team}]
    flags: [[res]]
  - it: passes what belongs to the owner, what is new, what is switched off
    given:
      grants:
        - {audience: owner, granted_on: 40 days ago}
        - {resource_uid: fresh, granted_on: 1 day ago, detail: {n: x}}
        - {resource_uid: off, granted_on: 40 days ago}
      settings: [{scope_uid: off, name: sharing, value: off}]
    passes: [[res], [fresh], [off]]
  - it: cannot tell without a date, an audience or the effect
    given:
      grants:
        - {audience: named_external}
        - {resource_uid: two, audience: null, granted_on: 31 days ago}
        - {resource_uid: three, effective: null, granted_on: 31 days ago}
    unknown: [[res], [two], [three]]
"""


@pytest.fixture(scope="module")
def spark() -> "Iterator[SparkSession]":
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        reason = "no Java; install a Java 17 runtime (Debian: default-jre-headless) to prove rules on Spark"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]").appName("cloudscan rules")
    for name, value in {
        # What is compiled for hours of work never pays off in a minute of planning.
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": "localhost",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.adaptive.enabled": "false",
        "spark.log.level": "ERROR",
    }.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield session
    session.stop()


def on_duckdb(db: duckdb.DuckDBPyConnection, rule: Rule, example: Example) -> tuple[Rows, dict[str, Rows]]:
    """The rule's rows, and the tables that it reads."""
    db.execute("BEGIN")
    in_memory.fill(db, examples.estate_of(example))
    rows = db.execute(rule.sql, bindings(rule, examples.AS_OF, example.params) or None).fetchall()
    tables = {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in rule.tables}
    db.execute("ROLLBACK")
    return rows, tables


def on_spark(session: "SparkSession", rule: Rule, estates: Sequence[Mapping[str, Rows]]) -> list[Rows]:
    """The rule's rows on each estate. One job for all of them: starting one is what costs."""
    for table in rule.tables:
        fields = {name: ARROW_TYPES.get(kind, pa.string()) for name, kind in TABLES[table].items()}
        schema = pa.schema({**fields, "example": pa.int32()})
        rows = [(*row, number) for number, estate in enumerate(estates) for row in estate[table]]
        columns = zip(*rows, strict=True) if rows else [()] * len(schema)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
        # As Arrow the rows become part of the plan; for tuples each branch would start a Python worker.
        session.createDataFrame(pa.Table.from_arrays(arrays, schema=schema)).createOrReplaceTempView(table)
    rows_by_example: list[Rows] = [[] for _ in rule.examples]
    given = [tuple({name: example.params.get(name, param.default) for name, param in rule.params.items()}.items())
             for example in rule.examples]  # fmt: skip
    for params in dict.fromkeys(given):
        wanted = {number for number, own in enumerate(given) if own == params}
        for *row, number in session.sql(on_every_estate(rule, params)).collect():
            if number in wanted:
                rows_by_example[number].append(tuple(row))
    return rows_by_example


def on_every_estate(rule: Rule, params: tuple[tuple[str, Any], ...]) -> str:
    """The rule's query for Spark over the rows of all examples, each example by itself; its number comes last."""
    query = for_spark(rule.query, params).copy()
    assert isinstance(query, exp.Select)
    by_example(query)
    return query.sql(dialect="spark")


def by_example(select: exp.Select, outer: str = "") -> None:
    """Let a query see only rows of one example together, within itself and with the query that contains it."""
    first: exp.Expr = select.args["from_"]
    joins: list[exp.Expr] = select.args.get("joins") or []
    anchor = exp.column("example", table=first.this.alias_or_name)
    for inner in own_selects(select):
        as_a_table = inner.find_ancestor(exp.CTE, exp.From, exp.Join, exp.Where, exp.Select)
        by_example(inner, "" if isinstance(as_a_table, exp.CTE | exp.From | exp.Join) else first.this.alias_or_name)
    for join in joins:
        same = exp.column("example", table=join.this.alias_or_name).eq(anchor)
        join.set("on", exp.and_(join.args["on"], same) if join.args.get("on") else same)
    if outer:
        select.where(anchor.eq(exp.column("example", table=outer)), copy=False)
        return
    select.select(anchor.copy(), copy=False)
    if select.args.get("group"):
        select.group_by(anchor.copy(), copy=False)
    else:
        assert not any(column.find(exp.AggFunc) for column in select.expressions), "an aggregate over all examples"


def own_selects(select: exp.Select) -> list[exp.Select]:
    """The queries that stand in a query, but not in one of these."""
    inside = [inner for inner in select.find_all(exp.Select) if inner is not select]
    return [inner for inner in inside if inner.parent_select is select]


@lru_cache(maxsize=8)
def for_spark(query: str, params: tuple[tuple[str, Any], ...]) -> exp.Expr:
    """Most examples of a rule have the same parameters."""
    sql = to_spark(query, dict(params), examples.AS_OF)
    return sqlglot.parse_one(sql, read="spark")


def differences(session: "SparkSession", rules: Sequence[Rule]) -> list[str]:
    differences = []
    with in_memory.open_empty() as db:
        for rule in rules:
            ours = [on_duckdb(db, rule, example) for example in rule.examples]
            theirs = on_spark(session, rule, [tables for _, tables in ours])
            for example, (rows, _), others in zip(rule.examples, ours, theirs, strict=True):
                if sorted(map(repr, rows)) != sorted(map(repr, others)):
                    differences.append(f"{rule.id}: it {example.it}: DuckDB says {rows}, Spark says {others}")
    return differences


def test_what_a_rule_may_say_means_the_same_on_both(spark: "SparkSession", tmp_path: Path) -> None:
    """Functions, operators, ladders, NULL, intervals, JSON: one rule that uses them all."""
    text = RULE.format(id="link-open-to-anyone").lstrip()
    begin, middle, end = text.index("  SELECT"), text.index("text:"), text.index("examples:")
    message = text[middle:end].replace("{resource_name}", "{location}")
    text = text[:begin] + BROAD.lstrip("\n") + message + BROAD_EXAMPLES
    text = text.replace("effort: low", "effort: low\nparams: {days: {default: 30, min: 1, meaning: days}}")
    rules = load_unproven(tmp_path, text)

    assert differences(spark, rules) == []


def test_ladders_are_compared_by_rung_on_both(spark: "SparkSession", tmp_path: Path, rule_text: str) -> None:
    """'owner' comes after 'anyone_with_link' in the alphabet and before it on the ladder."""
    grants = ", ".join(f"{{resource_uid: {rung}, audience: {rung}}}" for rung in Audience)
    flags = "[[anyone_with_link], [anyone_discoverable]]"
    more = f"  - {{it: knows the order, given: {{grants: [{grants}]}}, flags: {flags}}}\n"

    rules = load_text(tmp_path, rule_text + more)

    with in_memory.open_empty() as db:
        rows, _ = on_duckdb(db, rules[0], rules[0].examples[3])
    assert sorted(row[3] for row in rows if row[-1]) == ["Plan.xlsx"] * 2
    assert sorted(row[4] for row in rows if row[-1]) == ["anyone_discoverable", "anyone_with_link"]
    assert differences(spark, rules) == []


def test_every_example_of_our_rules_comes_out_the_same(spark: "SparkSession") -> None:
    """The rules that we ship may be run on Spark as they are."""
    rules = load([RULES])

    assert rules
    assert differences(spark, rules) == []
