"""The rows behind a rule's verdicts on Spark: how far each verdict reaches, and its weightiest pieces of evidence.

Each function gives SQL over the views of `cloudscan.spark.tables`, over `evidence` (made from `evidence`), over
`counted` and over `leaves`. They say what the statements of `cloudscan.engine.local_folding` say to DuckDB.
"""

from typing import Final

from cloudscan.engine.folding import EVIDENCE, FLAGGED, evidence_columns, evidence_order, weight_of
from cloudscan.engine.rule_file import Rule
from cloudscan.facts import OBJECTS_INSIDE, OF_A_PART
from cloudscan.snapshot.tables import LADDERS
from cloudscan.spark import functions
from cloudscan.spark.dialect import Kind, Translated
from cloudscan.spark.functions import name, text

COUNTED: Final = (
    f"SELECT uid, objects FROM (SELECT uid, {functions.to_bigint(functions.json_text('detail', [OBJECTS_INSIDE]))} "
    f"AS objects FROM resources WHERE contains(detail, {text(OBJECTS_INSIDE)})) WHERE objects IS NOT NULL"
)
"""The containers whose contents are known as a number: few, but looking for them reads every resource's `detail`."""

LEAVES: Final = """SELECT group_uid, member_uid FROM members AS m
    WHERE member_uid IS NOT NULL AND NOT EXISTS (SELECT 1 FROM members AS g WHERE g.group_uid = m.member_uid)"""
"""The members of groups that are not groups themselves."""

EXTENT: Final = ("rows", "audience", "access", "since", "rank", "likelihood", "resources", "bytes", "people")
"""What `measured` gives of each verdict, beside its identity; ladders by rung, from 1."""


def evidence(rule: Rule, query: Translated) -> str:
    """The rows behind each verdict: the identity as `k0`, `k1` …, its `judgement`, and the rule's columns."""
    columns = ", ".join(f"q.{name(column)}" for column in rule.columns)
    keys = [f"q.{name(column)}" for column in rule.identity]
    named = ", ".join(f"{key} AS {_key(index)}" for index, key in enumerate(keys))
    weight = weight_of("q.flagged")
    return (
        f"SELECT * FROM (SELECT {named}, {columns}, {weight} AS weight, "
        f"max({weight}) OVER (PARTITION BY {', '.join(keys)}) AS judgement "
        f"FROM ({query.sql}) AS q WHERE q.flagged IS NOT FALSE) WHERE weight = judgement"
    )


def found(rule: Rule, query: Translated) -> str:
    """For each verdict its judgement, how far it reaches, and a row for each of its pieces of evidence."""
    joins = [f"JOIN ({_measured(rule, query)}) AS b ON {_same(rule, 'b')}"]
    has = set(rule.columns)
    if "resource_uid" in has:
        joins.append(f"LEFT JOIN ({_resources(rule)}) AS r ON {_same(rule, 'r')}")
    if "principal_uid" in has:
        joins.append(f"LEFT JOIN ({_people(rule)}) AS p ON {_same(rule, 'p')}")
    extent = {part: f"b.{part}" for part in EXTENT if part not in ("resources", "bytes", "people", "rank")}
    extent["rank"] = "greatest(b.rank, r.rank)" if "resource_uid" in has else "b.rank"
    extent["resources"] = "coalesce(r.resources, 1)" if "resource_uid" in has else "1"
    extent["bytes"] = "r.bytes" if "resource_uid" in has else "b.bytes"
    extent["people"] = "p.people" if "principal_uid" in has else "CAST(NULL AS BIGINT)"
    shown = ", ".join(f"{extent[part]} AS x_{part}" for part in EXTENT)
    values = ", ".join(f"e.{name(column)} AS e{index}" for index, column in enumerate(evidence_columns(rule)))
    keys = ", ".join(f"e.{key}" for key in _keys(rule))
    return (
        f"SELECT {keys}, b.judgement, {shown}, e.place, {values} FROM ({_pieces(rule, query)}) AS e {' '.join(joins)}"
    )


def _pieces(rule: Rule, query: Translated) -> str:
    order = ", ".join(
        f"{_ordered(column, query)} {'DESC' if descends else 'ASC'} NULLS LAST"
        for column, descends in evidence_order(evidence_columns(rule))
    )
    return (
        f"SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY {', '.join(_keys(rule))} ORDER BY {order}) "
        f"AS place FROM evidence) WHERE place <= {EVIDENCE}"
    )


def _ordered(column: str, query: Translated) -> str:
    if not column:
        return "(resource_uid = origin_uid)"
    return _rung(column) if query.columns[column] is Kind.LADDER else name(column)


def _rung(column: str) -> str:
    rungs = ", ".join(text(str(rung)) for rung in LADDERS[column])
    return f"array_position(array({rungs}), {name(column)})"


def _measured(rule: Rule, query: Translated) -> str:
    has, own = set(rule.columns), rule.likelihood
    since = next((column for column in ("since", "granted_on") if column in has), "")
    timed = bool(since) and query.columns[since] is Kind.TIMESTAMP
    nothing = "CAST(NULL AS BIGINT)"
    parts = {
        "rows": "count(*)",
        "audience": f"max(IF(judgement = {FLAGGED}, {_rung('audience')}, NULL))" if "audience" in has else nothing,
        "access": f"max(IF(judgement = {FLAGGED}, {_rung('access')}, NULL))" if "access" in has else nothing,
        "since": f"min({name(since)})" if timed else "CAST(NULL AS TIMESTAMP_NTZ)",
        "rank": "max(rank)" if "rank" in has else nothing,
        # A row that says nothing has the rule's own; a row may lower that, never raise it.
        "likelihood": f"max(greatest(1, least(coalesce(likelihood, {own}), {own})))"
        if "likelihood" in has
        else nothing,
        "bytes": "sum(CAST(size_bytes AS DECIMAL(28, 0)))" if "size_bytes" in has else nothing,
    }
    shown = ", ".join(f"{sql} AS {part}" for part, sql in parts.items())
    keys = ", ".join(_keys(rule))
    return f"SELECT {keys}, judgement, {shown} FROM evidence GROUP BY {keys}, judgement"


def _resources(rule: Rule) -> str:
    """Resources with what is counted inside them, unless every grant on one opens an uncounted part of it only.

    Of several containers all count with their contents or none: the sum would rise whenever one is counted at last.
    """
    keys = ", ".join(_keys(rule))
    own = ", ".join(f"e.{key}" for key in _keys(rule))
    in_part = f"SELECT {keys}, resource_uid FROM evidence WHERE FALSE"
    if "grant_uid" in rule.columns:
        of_a_part = functions.json_text("g.detail", [OF_A_PART])
        in_part = (
            f"SELECT {own}, e.resource_uid FROM evidence AS e JOIN counted AS c ON c.uid = e.resource_uid "
            f"LEFT JOIN grants AS g ON g.uid = e.grant_uid GROUP BY {own}, e.resource_uid "
            f"HAVING bool_and(coalesce({of_a_part}, 'false') = 'true')"
        )
    return (
        f"SELECT {keys}, IF(uncounted, resources, inside) AS resources, IF(uncounted, NULL, size) AS bytes, rank FROM ("
        f"SELECT {own}, count(*) AS resources, sum(greatest(1, coalesce(c.objects, 1))) AS inside, "
        "sum(CAST(r.size_bytes AS DECIMAL(28, 0))) AS size, max(r.rank) AS rank, "
        f"bool_or(c.uid IS NOT NULL) AND bool_or(r.size_bytes IS NULL OR q.resource_uid IS NOT NULL) AS uncounted "
        f"FROM (SELECT DISTINCT {keys}, resource_uid FROM evidence WHERE resource_uid IS NOT NULL) AS e "
        "LEFT JOIN resources AS r ON r.uid = e.resource_uid LEFT JOIN counted AS c ON c.uid = e.resource_uid "
        f"LEFT JOIN ({in_part}) AS q ON {_same(rule, 'q')} AND q.resource_uid = e.resource_uid GROUP BY {own})"
    )


def _people(rule: Rule) -> str:
    keys, own = ", ".join(_keys(rule)), ", ".join(f"e.{key}" for key in _keys(rule))
    return (
        f"SELECT {own}, count(DISTINCT coalesce(m.member_uid, e.principal_uid)) AS people "
        f"FROM (SELECT DISTINCT {keys}, principal_uid FROM evidence WHERE principal_uid IS NOT NULL) AS e "
        f"LEFT JOIN leaves AS m ON m.group_uid = e.principal_uid GROUP BY {own}"
    )


def _key(index: int) -> str:
    return f"k{index}"


def _keys(rule: Rule) -> list[str]:
    return [_key(index) for index, _ in enumerate(rule.identity)]


def _same(rule: Rule, other: str) -> str:
    return " AND ".join(f"{other}.{key} <=> e.{key}" for key in _keys(rule))
