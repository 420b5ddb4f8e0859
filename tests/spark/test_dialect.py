"""All that a rule may say means the same to Spark as to DuckDB, on values that are odd in every way."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import sqlglot
from pyspark.sql import SparkSession
from sqlglot import exp

from cloudscan.snapshot.sql import by_rung
from cloudscan.spark.dialect import Untranslatable, translate
from tests.kit.spark import on_both_engines

pytestmark = pytest.mark.long


TEXTS = (
    "", "a", " a ", "\u00a0x\u3000", "\ta\n", "Ab%_\\c", "İΣς", "ßẞ", "😀é", "e\u0301",
    "7", " 7 ", "7.5", "-7.5", "1e3",
    "15e-1", "0x1F", "-0x1f", "0b11", "1_000", "1__0", "+7", "7.", ".5", ".", "-", "9223372036854775807",
    "9223372036854775808", "9223372036854775807.5", "-9223372036854775808", "1e19", "1e400", "1e-400", "７",
    "7\u2028", "7\x0b", "5e-1", "-5e-1", "1.5_0", "true", "TRUE", "t", " yes", "Y", "no", "off", "N", "null", "\x01",
    "it's", '"q"', "${spark.app.name}", "a\\_b", "a_b", "\\", "%", "a\nb", "ﬁ", "ŉ", "ǅ", "ÿ", "\u212a", "ı", "i",
)  # fmt: skip
JSONS = (
    '{"a":1000.0}', '{"a":1.5}', '{"a":12345678.5}', '{"a":1e20}', '{"a":1e21}', '{"a":-1.5e-7}', '{"a":0.00001}',
    '{"a":12345678901234567890123}', '{"a":1,"a":2}', '{"a":{"b":12345678.5,"c":[1,2]},"b":1}', '{"a":true}',
    '{"a":"xé😀"}', '{"a":-0.0}', '{"a":""}', '{"a":{}}', "[1]", '{"a":{"k":"\\u001F/"}}',
    '{"a":"1.5","b":[1.25,"x",null,{"c":"d"}]}', '{"a":null}', "{}", '{"a":["x","y"]}', '{"a":[[1],[2,3]]}',
    '{"a.b":1,"a b":"2","x\'y":"q"}', '{"a":"{\\"b\\":1}"}', '{"a":"null"}', '{"A":5}', '"s"', "5", '{"a":"1.0E5"}',
    '{"a":{"b":[-1.5e-7,1e20,"1.5E7",3],"c":1234567.125e3,"d":{"e":1e300}}}', '{"a":["x😀😀y","é",{"k😀":1}]}',
    '{"a":{"b":null}}', '{"a":[]}', '{"":1}', '{"a":"line\\nbreak"}',
)  # fmt: skip
NUMBERS = (0, 1, -1, 2**31, -(2**63), 2**63 - 1, None)
MOMENTS = (
    *map(datetime.fromisoformat, ("2026-01-01T12:00", "9999-12-31", "2024-02-29T23:59:59.123456", "1970-01-01")), None,
)  # fmt: skip
DAYS = (date(2026, 1, 31), date(9999, 12, 1), date(2024, 2, 29), None)
ARROW_TYPES = {"BIGINT": pa.int64(), "BOOLEAN": pa.bool_(), "TIMESTAMP": pa.timestamp("us"), "DATE": pa.date32()}
RUNGS = ("nobody", "owner", "anyone_with_link", None)

COLUMNS = {
    "resource_uid": "BIGINT", "resource_name": "VARCHAR", "resource_path": "VARCHAR", "resource_detail": "JSON",
    "inherited": "BOOLEAN", "size_bytes": "BIGINT", "created_on": "TIMESTAMP", "audience": "audience_ladder",
}  # fmt: skip
"""The columns of `exposures` that have odd values; those of `people` are `uid` and `last_day`."""

SHORT = {
    "uid": "resource_uid", "name": "resource_name", "path": "resource_path", "detail": "resource_detail",
    "moment": "created_on",
}  # fmt: skip

BOUND: dict[str, Any] = {
    "as_of": datetime.fromisoformat("2026-01-01T12:00:00.123456"), "today": date(2026, 1, 1), "days": 30, "part": 0.1,
    "word": "a\\_${x}'b", "back": -3, "big": 2**40, "yes": True,
}  # fmt: skip

EXPRESSIONS = r"""
lower(name) ; upper(name) ; upper(lower(name)) = upper(name) ; length(name) ; length(detail) ; length('😀')
trim(name) ; trim(name, 'a ') ; ltrim(name) ; rtrim(name, 'c\') ; name || path ; name || size_bytes
name || inherited ; name || moment ; name || last_day ; name || detail ; 'a' || NULL ; name || $days || $word || $yes
$word ; name = $word ; '\' ; 'a"b`c' ; name = '${spark.app.name}' ; name = 'it''s' ; name LIKE 'a\_b'
name LIKE 'a_b' ; name LIKE '%\%' ; name LIKE '_' ; name LIKE '%' || path || '%' ; name NOT LIKE '%e%' ; name < path
name >= 'Z' ; name BETWEEN '7' AND 'a' ; name > '' ; name IS DISTINCT FROM path ; name IS NOT DISTINCT FROM NULL
starts_with(name, path) ; ends_with(name, '5') ; contains(name, '') ; contains(name, path) ; replace(name, '', 'x')
replace(name, 'a', path) ; replace(name, '\', '/') ; nullif(name, path) ; nullif(name, '') ; coalesce(name, path, 'x')
IF(inherited, name, path) ; try_cast(name AS BIGINT) ; try_cast(name AS BOOLEAN) ; try_cast(size_bytes AS BOOLEAN)
try_cast(inherited AS BIGINT) ; CAST(size_bytes AS VARCHAR) ; CAST(inherited AS VARCHAR) ; CAST(moment AS VARCHAR)
CAST(last_day AS VARCHAR) ; CAST(detail AS VARCHAR) ; try_cast(detail ->> '$.a' AS BIGINT)
try_cast(detail ->> '$.a' AS BOOLEAN) ; detail ->> '$.a' ; detail ->> '$'
detail ->> '$.b' ; detail ->> '$.a.b' ; detail ->> '$.a.c'
detail ->> '$.a.c[1]' ; detail ->> '$.a[0]' ; detail ->> '$.a[-1]' ; detail ->> '$.a[1][0]' ; detail ->> '$."a b"'
detail ->> '$."a.b"' ; detail ->> '$."x''y"' ; detail ->> '$.b[3].c' ; detail ->> '$.b[0]' ; detail ->> '/a/b'
detail ->> '$.A' ; detail ->> '$[0]' ; json_extract_string(detail, '$.a') = 'true' ; moment > $as_of
moment > $as_of - INTERVAL ($days) DAY ; $as_of - INTERVAL ($days) DAY ; $as_of - INTERVAL ($back) DAY
$as_of - INTERVAL 13 MONTH ; last_day - INTERVAL 1 MONTH ; last_day - INTERVAL 1 DAY
last_day > $today + INTERVAL 1 DAY ; INTERVAL 2 WEEKS + $as_of
$as_of - INTERVAL '1 month 2 days 3 hours 4.5 seconds' ; $as_of - INTERVAL 3 QUARTER ; $today - INTERVAL 1 YEAR
last_day - $today ; last_day + 3 ; last_day - 3 ; last_day < '2026-01-31' ; moment >= '2025-12-31T00:00:00Z'
moment = '9999-12-31' ; moment - $as_of > INTERVAL 1 MONTH ; $as_of - last_day ; last_day > moment
coalesce(last_day, moment) ; CASE WHEN inherited THEN last_day ELSE moment END ; $as_of ; $today
CASE WHEN size_bytes > 0 THEN 'much' WHEN size_bytes = 0 THEN 'none' END
CASE name WHEN 'a' THEN 1 WHEN '' THEN 2 ELSE 3 END ; CASE WHEN inherited THEN 1 ELSE size_bytes END
CASE WHEN inherited THEN 0.5 ELSE 1 END ; size_bytes * 0.5 ; uid * 100 > 20 ; uid + 1 ; uid - $big ; uid * $part
- uid ; abs(uid - 5) ; size_bytes > $big ; size_bytes IN (0, 1, NULL) ; name IN ('a', 'x') ; name NOT IN ('a', NULL)
(name, uid) = ('a', 1) ; (name, uid) <> ('a', 1) ; (name, uid) IN ((NULL, 99), ('a', 1)) ; inherited = TRUE
inherited IS TRUE ; inherited IS NOT FALSE ; NOT inherited ; inherited OR name = 'a' ; inherited AND name = 'a'
inherited = 'true' ; inherited > FALSE ; size_bytes = '1' ; audience >= 'owner'
audience BETWEEN 'owner' AND 'any_account' ; audience ; audience = 'owner' ; audience <> 'owner' ; $part ; 1.50
5000000000 ; 1e3
"""

SUBQUERIES = """
o.resource_name IN (SELECT p.resource_path FROM exposures AS p WHERE p.resource_uid > 10)
o.resource_name NOT IN (SELECT p.resource_path FROM exposures AS p)
o.resource_name NOT IN (SELECT p.resource_path FROM exposures AS p WHERE p.resource_uid = 12345)
EXISTS (SELECT 1 FROM exposures AS p WHERE p.resource_path = o.resource_name AND p.inherited)
NOT EXISTS (SELECT 1 FROM exposures AS p WHERE p.resource_path = o.resource_name AND p.resource_uid > o.resource_uid)
(SELECT count(*) FROM exposures AS p WHERE p.resource_path = o.resource_name)
(SELECT sum(p.resource_uid) FROM exposures AS p WHERE p.audience = o.audience)
(SELECT count(DISTINCT p.audience) FROM exposures AS p WHERE p.inherited IS NOT DISTINCT FROM o.inherited)
(SELECT max(p.resource_path) FROM exposures AS p WHERE p.audience = o.audience)
"""


@pytest.fixture(scope="module")
def odd(spark: SparkSession) -> Iterator[duckdb.DuckDBPyConnection]:
    """The odd values, on both engines."""
    rows: list[tuple[Any, ...]] = [
        (
            number, name, TEXTS[(number * 7 + 3) % len(TEXTS)], JSONS[number % len(JSONS)],
            number % 3 == 0 if number % 5 else None, NUMBERS[number % len(NUMBERS)], MOMENTS[number % len(MOMENTS)],
            RUNGS[number % len(RUNGS)],
        )
        for number, name in enumerate(TEXTS)
    ]  # fmt: skip
    rows.append((99, *[None] * (len(COLUMNS) - 1)))
    days = [(key, DAYS[key % len(DAYS)]) for key, *_ in rows]
    tables = {}
    for name, columns, given in (
        ("exposures", COLUMNS, rows),
        ("people", {"uid": "BIGINT", "last_day": "DATE"}, days),
    ):
        arrays = [
            pa.array(values, ARROW_TYPES.get(kind, pa.string()))
            for values, kind in zip(zip(*given, strict=True), columns.values(), strict=True)
        ]
        tables[name] = (columns, pa.Table.from_arrays(arrays, names=list(columns)))
    with on_both_engines(spark, tables) as db:
        yield db


def expressions() -> list[str]:
    return [part.strip() for line in EXPRESSIONS.strip().splitlines() for part in line.split(" ; ")]


def query_of(parts: list[str]) -> exp.Select:
    """A query with one column an expression."""
    shown = ", ".join(f"{part} AS c{number}" for number, part in enumerate(parts))
    query = sqlglot.parse_one(
        f"SELECT o.resource_uid AS k, {shown} FROM exposures AS o JOIN people AS d ON d.uid = o.resource_uid",
        read="duckdb",
    )
    assert isinstance(query, exp.Select)
    for column in query.find_all(exp.Column):
        if not column.table:
            column.set("table", exp.to_identifier("d" if column.name == "last_day" else "o"))
            column.set("this", exp.to_identifier(SHORT.get(column.name, column.name)))
    return query


def on_both(
    spark: SparkSession, db: duckdb.DuckDBPyConnection, query: exp.Select
) -> tuple[dict[Any, list[str]], dict[Any, list[str]]]:
    """The values by row on DuckDB and on Spark, each with its type."""
    bound = {str(mark.this): BOUND[str(mark.this)] for mark in query.find_all(exp.Placeholder)}
    ours = db.execute(by_rung(query.sql(dialect="duckdb")), bound or None).fetchall()
    theirs = spark.sql(translate(query, BOUND).sql).toArrow().to_pydict()
    columns = list(theirs.values())
    return (
        {key: [shown(value) for value in values] for key, *values in ours},
        {key: [shown(value) for value in values] for key, *values in zip(*columns, strict=True)},
    )


def shown(value: object) -> str:
    if isinstance(value, Decimal) and value.as_tuple().exponent == 0:
        value = int(value)
    return f"{type(value).__name__} {value}"


def different(parts: list[str], ours: dict[Any, list[str]], theirs: dict[Any, list[str]]) -> list[str]:
    assert ours.keys() == theirs.keys()
    return [
        f"{part} in row {key}: DuckDB says {one}, Spark says {other}"
        for key in ours
        for part, one, other in zip(parts, ours[key], theirs[key], strict=True)
        if one != other
    ]


def test_every_function_and_operator_gives_the_same(
    spark: SparkSession,
    odd: duckdb.DuckDBPyConnection,
) -> None:
    """Texts of all scripts, numbers as people write them, JSON of any shape, the ends of time, NULL."""
    parts = expressions()

    assert different(parts, *on_both(spark, odd, query_of(parts))) == []


def test_queries_within_a_query_keep_null_apart(spark: SparkSession, odd: duckdb.DuckDBPyConnection) -> None:
    """IN (SELECT …) beside a NULL is not known, which Spark takes for FALSE unless it stands alone in WHERE."""
    parts = SUBQUERIES.strip().splitlines()

    assert different(parts, *on_both(spark, odd, query_of(parts))) == []


def test_what_spark_cannot_say_alike_is_refused() -> None:
    """Better no verdict than another one."""
    with pytest.raises(Untranslatable, match="do not make it a text"):
        translate("SELECT e.resource_uid, $part || 'x' AS flagged FROM exposures AS e", {"part": 0.5})
