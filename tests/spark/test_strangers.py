"""Queries that strangers may write, on tables full of odd values: the same rows on both engines, or a plain refusal."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

import duckdb
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from cloudscan.snapshot.sql import check
from cloudscan.snapshot.tables import LADDERS, TABLES
from cloudscan.spark import functions
from cloudscan.spark.dialect import Untranslatable, translate
from tests.kit.spark import on_both_engines
from tests.spark.test_dialect import ARROW_TYPES, BOUND, DAYS, JSONS, MOMENTS, TEXTS

pytestmark = pytest.mark.long

ROWS = 24
TOGETHER = 12

Row = tuple[str, ...]

ROWS_ALIKE = r"""
SELECT upper(resource_name) AS resource_name, count(*) AS n FROM exposures GROUP BY resource_name;
SELECT upper(e.resource_name) AS up, count(*) AS n FROM exposures AS e GROUP BY upper(e.resource_name);
SELECT e.audience, e.access, count(*) AS n FROM exposures AS e GROUP BY 1, 2 HAVING e.audience > 'owner';
SELECT e.audience, count(*) AS n FROM exposures AS e GROUP BY ALL HAVING count(*) > 2;
SELECT count(*) AS n, sum(e.rank) AS s, min(e.resource_name) AS a, max(e.resource_name) AS z FROM exposures AS e;
SELECT count(*) AS n, sum(e.rank) AS s FROM exposures AS e WHERE FALSE;
SELECT count(*) AS n FROM exposures AS e HAVING count(*) > 1000;
SELECT e.owner_uid, count(*) FILTER (WHERE e.inherited) AS n, sum(e.rank) FILTER (WHERE e.audience > 'owner') AS
  s FROM exposures AS e GROUP BY e.owner_uid;
SELECT e.owner_uid, count(DISTINCT e.resource_name) AS n, count(DISTINCT (e.resource_name, e.rank)) AS m FROM
  exposures AS e GROUP BY e.owner_uid;
SELECT e.owner_uid, sum(DISTINCT e.rank) AS n, sum(e.inherited) AS b, sum(1) AS c, sum(0.1) AS d FROM exposures
  AS e GROUP BY e.owner_uid;
SELECT e.owner_uid, sum(e.size_bytes) * 2 AS n, sum(e.size_bytes) - sum(e.rank) AS d, abs(sum(e.rank)) AS a, -
  sum(e.rank) AS m FROM exposures AS e GROUP BY e.owner_uid;
SELECT e.owner_uid, sum(e.size_bytes) > 100 AS flagged, sum(e.size_bytes) || ' bytes' AS words FROM exposures AS
  e GROUP BY e.owner_uid;
SELECT e.owner_uid, coalesce(sum(e.size_bytes), 0) AS n, sum(e.rank) * 0.5 AS half FROM exposures AS e GROUP BY
  e.owner_uid;
SELECT e.owner_uid, sum(e.rank) * 100 > count(*) * 20 AS flagged FROM exposures AS e GROUP BY e.owner_uid;
SELECT e.owner_uid, min(e.inherited) AS a, max(e.inherited) AS b, min(e.granted_on) AS c, min(e.grant_detail) AS
  d FROM exposures AS e GROUP BY e.owner_uid;
SELECT DISTINCT e.resource_name, e.audience, e.audience >= 'owner' AS flagged FROM exposures AS e;
WITH big AS (SELECT e.resource_uid, e.audience, e.rank FROM exposures AS e WHERE e.rank > 10) SELECT
  resource_uid, audience >= 'named' AS flagged FROM big;
WITH resources AS (SELECT r.uid, r.name FROM resources AS r WHERE r.rank > 5) SELECT r.uid, r.name FROM
  resources AS r;
WITH a AS (SELECT uid FROM resources), b AS (SELECT a.uid FROM a) SELECT b.uid, TRUE AS flagged FROM b;
SELECT s.uid, s.n FROM (SELECT e.resource_uid AS uid, count(*) AS n FROM exposures AS e GROUP BY e.resource_uid)
  AS s WHERE s.n > 1;
SELECT e.resource_uid, p.email FROM exposures AS e LEFT JOIN principals AS p ON p.uid = e.principal_uid AND
  p.kind = 'a';
SELECT e.resource_uid, p.email FROM exposures AS e, principals AS p WHERE p.uid = e.principal_uid;
SELECT e.resource_uid, p.email FROM exposures AS e CROSS JOIN principals AS p WHERE p.uid IS NOT DISTINCT FROM
  e.principal_uid;
SELECT e.resource_uid, p.email FROM exposures AS e INNER JOIN principals AS p ON p.uid = e.principal_uid OR
  p.email = e.owner_email;
SELECT e.resource_uid FROM exposures AS e SEMI JOIN principals AS p ON p.uid = e.principal_uid;
SELECT e.resource_uid FROM exposures AS e ANTI JOIN principals AS p ON p.uid = e.principal_uid;
SELECT e.resource_uid AS "weird ""name`", e.resource_name AS "ключ", TRUE AS flagged FROM exposures AS e;
SELECT "In".resource_uid, EXISTS (SELECT 1 FROM members AS "in" WHERE "in".group_uid = "In".principal_uid) AS
  flagged FROM exposures AS "In";
SELECT e.resource_uid, EXISTS (SELECT count(*) FROM members AS m WHERE m.group_uid = e.principal_uid) AS flagged
  FROM exposures AS e;
SELECT e.resource_uid, e.rank IN (SELECT max(r.rank) FROM resources AS r) AS flagged FROM exposures AS e;
SELECT e.resource_uid FROM exposures AS e WHERE e.rank NOT IN (SELECT r.rank FROM resources AS r WHERE r.uid =
  e.resource_uid);
SELECT e.resource_uid FROM exposures AS e WHERE NOT (e.rank IN (SELECT r.rank FROM resources AS r) OR
  e.inherited);
SELECT e.resource_uid FROM exposures AS e WHERE (e.rank, e.resource_name) NOT IN (SELECT r.rank, r.name FROM
  resources AS r);
SELECT e.resource_uid, (SELECT max(r.name) FROM resources AS r WHERE r.uid = e.resource_uid AND r.rank > e.rank)
  AS n FROM exposures AS e;
SELECT e.resource_uid, (SELECT count(*) FROM resources AS r WHERE r.rank > e.rank) AS n FROM exposures AS e;
SELECT e.resource_uid, CASE WHEN EXISTS (SELECT 1 FROM members AS m WHERE m.group_uid = e.principal_uid) THEN
  'g' ELSE 'p' END AS k FROM exposures AS e;
SELECT e.grant_detail ->> '$.a' AS a, count(*) AS n FROM exposures AS e GROUP BY e.grant_detail ->> '$.a';
SELECT e.resource_uid, 'x' AS a, count(*) AS n FROM exposures AS e GROUP BY e.resource_uid, 'x';
SELECT e.resource_uid, ((SELECT max(o.rank) FROM exposures AS o WHERE o.owner_uid = e.owner_uid) > 7) IS TRUE AS
  flagged FROM exposures AS e;
SELECT e.resource_uid, e.owner_email LIKE '%@' || e.label AS flagged FROM exposures AS e;
SELECT s.scope_uid, TRY_CAST(s.value AS BIGINT) > 3 AS flagged, TRY_CAST(s.value AS BOOLEAN) AS b FROM settings
  AS s;
SELECT e.resource_uid FROM exposures AS e WHERE e.rank;
SELECT e.resource_uid FROM exposures AS e WHERE NULL
"""

VALUES_ALIKE = """
e.granted_on - (INTERVAL 1 DAY + INTERVAL 1 MONTH) ; e.granted_on + INTERVAL 1 MONTH * 2 > $as_of
e.granted_on + 2 * INTERVAL 1 MONTH < '1970-03-02' ; (INTERVAL 1 DAY * 2) + e.granted_on > $as_of
 e.granted_on - INTERVAL ($days) DAY * 2 ; e.granted_on - INTERVAL ($days) MONTH
e.granted_on - CASE WHEN e.inherited THEN INTERVAL 3 DAY ELSE INTERVAL 1 DAY END
$as_of - e.granted_on BETWEEN INTERVAL 1 DAY AND INTERVAL 1 YEAR ; e.granted_on IN ('2026-01-01 12:00:00', '1970-01-01')
CASE e.granted_on WHEN '1970-01-01' THEN 1 ELSE 2 END ; nullif(e.granted_on, '1970-01-01')
coalesce(e.created_on, '2026-01-01') < $as_of ; CASE WHEN e.inherited THEN e.created_on ELSE '2026-01-01' END
e.inherited AND e.rank ; NOT e.rank ; CASE WHEN e.rank THEN 1 ELSE 0 END ; e.size_bytes = '7' ; e.inherited = 'true'
e.grant_detail = '{}' ; e.grant_detail LIKE '%a%' ; contains(e.grant_detail, 'a') ; lower(e.grant_detail)
e.grant_detail ->> 'a' ; e.grant_detail ->> 'a.b' ; e.grant_detail ->> 0 ; (e.grant_detail ->> '$.b[0]') IS NULL
(e.resource_uid, e.rank) = (e.owner_uid, e.rank) ; (e.resource_uid, e.resource_name) NOT IN ((1, 'a'), (2, NULL))
CASE WHEN e.resource_name LIKE '{%' THEN e.resource_name ->> '$.a' END ; e.resource_name ^@ 'a' ; NULL IN (1, NULL)
"""

REFUSED = {
    "several columns have no order": """
        SELECT e.resource_uid, (e.resource_uid, e.rank) > (3, 5) AS flagged FROM exposures AS e""",
    "length of a month": """
        SELECT e.resource_uid, e.granted_on - CASE WHEN e.inherited THEN INTERVAL 1 MONTH ELSE INTERVAL 1 DAY END AS
        x FROM exposures AS e""",
    "a key or a place in a list": "SELECT e.resource_uid, e.grant_detail ->> '/a/0' AS x FROM exposures AS e",
    r"\$word is not on this ladder": "SELECT e.resource_uid, e.audience >= $word AS flagged FROM exposures AS e",
    "access is not on this ladder": "SELECT e.resource_uid, e.audience > e.access AS flagged FROM exposures AS e",
    r"write TRY_CAST\(s.value AS BIGINT\)": "SELECT s.scope_uid, s.value > 3 AS flagged FROM settings AS s",
    "is no condition": "SELECT e.resource_uid, e.resource_name AND TRUE AS flagged FROM exposures AS e",
    "two queries away": """
        SELECT e.resource_uid, EXISTS (SELECT 1 FROM members AS m WHERE m.group_uid = e.principal_uid AND EXISTS
        (SELECT 1 FROM principals AS p WHERE p.uid = m.member_uid AND p.kind = e.resource_kind)) AS flagged FROM
        exposures AS e""",
    "cannot be asked of Spark": "SELECT m.group_uid, TRUE AS flagged FROM members AS m(member_uid, group_uid)",
}  # fmt: skip


def value(table: str, column: str, kind: str, row: int) -> object:
    """Something odd; keys are few, so that joins find something."""
    draw = int.from_bytes(hashlib.md5(f"{table} {column} {row}".encode(), usedforsecurity=False).digest()[:4])
    if draw % 6 == 0:
        return None
    if kind == "BIGINT":
        return draw % 9 if column.endswith("uid") else draw % 50
    if kind in ("BOOLEAN", "TIMESTAMP", "DATE", "JSON"):
        odd: dict[str, tuple[object, ...]] = {
            "BOOLEAN": (True, False), "TIMESTAMP": MOMENTS, "DATE": DAYS, "JSON": JSONS,
        }  # fmt: skip
        return odd[kind][draw % len(odd[kind])]
    if kind.endswith("_ladder"):
        return str(list(LADDERS[column])[draw % len(LADDERS[column])])
    return TEXTS[draw % len(TEXTS)] if draw % 3 else ("a", "b", "7")[draw // 7 % 3]


@pytest.fixture(scope="module")
def full(spark: SparkSession) -> Iterator[duckdb.DuckDBPyConnection]:
    """Every table with odd values, on both engines."""
    tables = {
        name: (
            columns,
            pa.table(
                {
                    column: pa.array(
                        [value(name, column, kind, row) for row in range(ROWS)], ARROW_TYPES.get(kind, pa.string())
                    )
                    for column, kind in columns.items()
                }
            ),
        )
        for name, columns in TABLES.items()
    }
    with on_both_engines(spark, tables) as db:
        yield db


def on_duckdb(db: duckdb.DuckDBPyConnection, query: str) -> Counter[Row]:
    checked = check(query)
    assert not checked.faults, checked.faults
    bound = {name: BOUND[name] for name in checked.bound}
    return Counter(tuple(map(shown, row)) for row in db.execute(checked.sql, bound or None).fetchall())


def on_spark(spark: SparkSession, queries: Sequence[str]) -> list[Counter[Row]]:
    """The rows of several queries, in one job: that is what costs."""
    parts = []
    for number, query in enumerate(queries):
        translated = translate(query, BOUND)
        values = ", ".join(f"coalesce(CAST({functions.name(one)} AS STRING), 'NULL')" for one in translated.columns)
        parts.append(f"SELECT {number} AS query, array({values}) AS shown FROM ({translated.sql})")
    found: list[Counter[Row]] = [Counter() for _ in queries]
    for row in spark.sql(" UNION ALL ".join(parts)).toArrow().to_pylist():
        found[row["query"]][tuple(row["shown"])] += 1
    return found


def test_the_rows_of_a_query_are_the_same(spark: SparkSession, full: duckdb.DuckDBPyConnection) -> None:
    """Joins, groups, queries within queries, names that need quotes, NULL in all places."""
    queries = ROWS_ALIKE.split(";\n")
    different = []
    for begin in range(0, len(queries), TOGETHER):
        together = queries[begin : begin + TOGETHER]
        for query, theirs in zip(together, on_spark(spark, together), strict=True):
            ours = on_duckdb(full, query)
            if ours != theirs:
                different.append(f"{query}: DuckDB alone {ours - theirs}, Spark alone {theirs - ours}")

    assert different == []


def test_the_values_of_an_expression_are_the_same(spark: SparkSession, full: duckdb.DuckDBPyConnection) -> None:
    parts = [part.strip() for line in VALUES_ALIKE.strip().splitlines() for part in line.split(" ; ")]
    columns = ", ".join(f"{part} AS c{number}" for number, part in enumerate(parts))
    query = f"SELECT e.resource_uid, {columns} FROM exposures AS e"

    ours, theirs = on_duckdb(full, query), on_spark(spark, [query])[0]

    differ = {
        part: (values, others)
        for number, part in enumerate(["resource_uid", *parts])
        if (values := column(ours, number)) != (others := column(theirs, number))
    }
    assert differ == {}
    assert ours == theirs


def column(rows: Counter[Row], number: int) -> Counter[str]:
    return Counter(row[number] for row in rows.elements())


def shown(value: object) -> str:
    """A value as Spark writes it."""
    if value is None:
        return "NULL"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ").rstrip("0") if value.microsecond else value.isoformat(sep=" ")
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("reason", REFUSED)
def test_what_would_be_another_verdict_is_refused(reason: str) -> None:
    """In a sentence that says what to write."""
    with pytest.raises(Untranslatable, match=reason):
        translate(REFUSED[reason], BOUND)
