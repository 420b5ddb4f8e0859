"""Rules mean the same on DuckDB and on Spark: every example of every rule, on both.

Translating SQL is easy to get subtly wrong (ladders compared as text, dates, NULL), and only running it shows that.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlglot
from pyspark.sql import SparkSession
from sqlglot import exp

from cloudscan.engine import examples
from cloudscan.engine.judge import bindings
from cloudscan.engine.loader import load
from cloudscan.engine.rule_file import Example, Rule
from cloudscan.facts import Audience
from cloudscan.snapshot import in_memory
from cloudscan.snapshot.tables import TABLES
from cloudscan.spark import functions
from cloudscan.spark.dialect import translate
from tests.kit.facts import RULE, load_text, load_unproven

Rows = list[tuple[Any, ...]]

pytestmark = pytest.mark.long

RULES = Path(__file__).parents[2] / "rules"
ARROW_TYPES = {"BIGINT": pa.int64(), "BOOLEAN": pa.bool_(), "TIMESTAMP": pa.timestamp("us"), "DATE": pa.date32()}
TOGETHER = 12
"""Queries in one job: starting a job is dear, and so is the plan of a large one."""

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


@dataclass(frozen=True)
class Case:
    """One example of a rule, with what DuckDB says of it."""

    number: int
    rule: Rule
    example: Example
    rows: Rows

    @property
    def params(self) -> tuple[tuple[str, Any], ...]:
        return tuple((name, self.example.params.get(name, param.default)) for name, param in self.rule.params.items())


def on_duckdb(rules: Sequence[Rule]) -> tuple[list[Case], Mapping[str, Rows]]:
    """All examples judged on DuckDB, and the rows of all tables, each with its example's number."""
    cases: list[Case] = []
    tables: dict[str, Rows] = {table: [] for table in TABLES}
    with in_memory.open_empty() as db:
        for rule in rules:
            for example in rule.examples:
                db.execute("BEGIN")
                in_memory.fill(db, examples.estate_of(example))
                rows = db.execute(rule.sql, bindings(rule, examples.AS_OF, example.params) or None).fetchall()
                for table in rule.tables:
                    tables[table] += [(*row, len(cases)) for row in db.execute(f"SELECT * FROM {table}").fetchall()]
                db.execute("ROLLBACK")
                cases.append(Case(len(cases), rule, example, rows))
    return cases, tables


def on_spark(session: SparkSession, cases: Sequence[Case], tables: Mapping[str, Rows]) -> dict[int, list[list[str]]]:
    """The rows of each example on Spark, each value as text. All examples lie in the same tables, side by side."""
    for declaration in functions.declarations():
        session.sql(declaration)
    for table, columns in TABLES.items():
        schema = pa.schema(
            {**{name: ARROW_TYPES.get(kind, pa.string()) for name, kind in columns.items()}, "example": pa.int32()}
        )
        by_column = zip(*tables[table], strict=True) if tables[table] else [()] * len(schema)
        arrays = [pa.array(values, field.type) for values, field in zip(by_column, schema, strict=True)]
        # As Arrow the rows become part of the plan; for tuples each branch would start a Python worker.
        session.createDataFrame(pa.Table.from_arrays(arrays, schema=schema)).createOrReplaceTempView(table)
    queries = list(dict.fromkeys(query_of(case, cases) for case in cases))
    found: dict[int, list[list[str]]] = {case.number: [] for case in cases}
    for begin in range(0, len(queries), TOGETHER):
        for row in session.sql(" UNION ALL ".join(queries[begin : begin + TOGETHER])).toArrow().to_pylist():
            found[row["example"]].append(row["shown"])
    return found


def query_of(case: Case, cases: Sequence[Case]) -> str:
    """A rule's query over all its examples with the same parameters, each by itself, its values as texts."""
    alike = [other.number for other in cases if other.rule is case.rule and other.params == case.params]
    select = sqlglot.parse_one(case.rule.query, read="duckdb")
    assert isinstance(select, exp.Select)
    by_example(select, alike)
    query = translate(select, bindings(case.rule, examples.AS_OF, case.example.params))
    shown = ", ".join(f"coalesce(CAST({functions.name(column)} AS STRING), 'NULL')" for column in case.rule.columns)
    return f"SELECT array({shown}) AS shown, example FROM ({query.sql})"


def by_example(select: exp.Select, alike: Sequence[int], outer: str = "") -> None:
    """Let a query see only rows of one example together, within itself and with the query that contains it."""
    first: exp.Expr = select.args["from_"]
    joins: list[exp.Expr] = select.args.get("joins") or []
    anchor = exp.column("example", table=first.this.alias_or_name)
    for inner in own_selects(select):
        as_a_table = inner.find_ancestor(exp.CTE, exp.From, exp.Join, exp.Where, exp.Select)
        within = "" if isinstance(as_a_table, exp.CTE | exp.From | exp.Join) else first.this.alias_or_name
        by_example(inner, alike, within)
    for join in joins:
        same = exp.column("example", table=join.this.alias_or_name).eq(anchor)
        join.set("on", exp.and_(join.args["on"], same) if join.args.get("on") else same)
    if outer:
        select.where(anchor.eq(exp.column("example", table=outer)), copy=False)
        return
    select.where(anchor.isin(*alike), copy=False)
    select.select(anchor.copy(), copy=False)
    if select.args.get("group"):
        select.group_by(anchor.copy(), copy=False)
    else:
        assert not any(column.find(exp.AggFunc) for column in select.expressions), "an aggregate over all examples"


def own_selects(select: exp.Select) -> list[exp.Select]:
    """The queries that stand in a query, but not in one of these."""
    inside = [inner for inner in select.find_all(exp.Select) if inner is not select]
    return [inner for inner in inside if inner.parent_select is select]


def differences(session: SparkSession, rules: Sequence[Rule]) -> Iterator[str]:
    cases, tables = on_duckdb(rules)
    found = on_spark(session, cases, tables)
    for case in cases:
        ours = sorted([shown(value) for value in row] for row in case.rows)
        if ours != sorted(found[case.number]):
            yield f"{case.rule.id}: it {case.example.it}: DuckDB says {ours}, Spark says {found[case.number]}"


def shown(value: object) -> str:
    if value is None:
        return "NULL"
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_what_a_rule_may_say_means_the_same_on_both(spark: SparkSession, tmp_path: Path) -> None:
    """Functions, operators, ladders, NULL, intervals, JSON: one rule that uses them all."""
    text = RULE.format(id="link-open-to-anyone").lstrip()
    begin, middle, end = text.index("  SELECT"), text.index("text:"), text.index("examples:")
    message = text[middle:end].replace("{resource_name}", "{location}")
    text = text[:begin] + BROAD.lstrip("\n") + message + BROAD_EXAMPLES
    text = text.replace("effort: low", "effort: low\nparams: {days: {default: 30, min: 1, meaning: days}}")
    rules = load_unproven(tmp_path, text)

    assert list(differences(spark, rules)) == []


def test_ladders_are_compared_by_rung_on_both(spark: SparkSession, tmp_path: Path) -> None:
    """'owner' comes after 'anyone_with_link' in the alphabet and before it on the ladder."""
    grants = ", ".join(f"{{resource_uid: {rung}, audience: {rung}}}" for rung in Audience)
    flags = "[[anyone_with_link], [anyone_discoverable]]"
    more = f"  - {{it: knows the order, given: {{grants: [{grants}]}}, flags: {flags}}}\n"

    rules = load_text(tmp_path, RULE.format(id="link-open-to-anyone").lstrip() + more)

    cases, _ = on_duckdb(rules)
    assert sorted(row[4] for row in cases[3].rows if row[-1]) == ["anyone_discoverable", "anyone_with_link"]
    assert list(differences(spark, rules)) == []


def test_every_example_of_our_rules_comes_out_the_same(spark: SparkSession) -> None:
    """The rules that we ship may be run on Spark as they are."""
    rules = load([RULES])

    assert rules
    assert list(differences(spark, rules)) == []
