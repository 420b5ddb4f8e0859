"""A rule's query in Spark's SQL: the same rows, value by value, as DuckDB gives.

What a rule may say is a closed list (`cloudscan.snapshot.sql`), so each part of it is spelled here, and nothing else
is. The kind of every expression is known on the way: what `a - b` or a cast does depends on it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

import duckdb
import sqlglot
from sqlglot import exp

from cloudscan.sentence import say
from cloudscan.snapshot.tables import LADDERS, TABLES
from cloudscan.spark import functions
from cloudscan.spark.functions import name, text


class Kind(StrEnum):
    """What an expression yields. The words are those of DuckDB's types, but for the last two."""

    TEXT = "VARCHAR"
    JSON = "JSON"
    BOOLEAN = "BOOLEAN"
    INTEGER = "BIGINT"
    HUGE = "HUGEINT"  # a sum, which never overflows
    DECIMAL = "DECIMAL"
    DOUBLE = "DOUBLE"
    TIMESTAMP = "TIMESTAMP"
    DATE = "DATE"
    INTERVAL = "INTERVAL"
    LADDER = "ladder"
    ANY = "any"  # NULL, or what is of no importance


class Untranslatable(Exception):
    """A query says something that Spark cannot be asked; `str` says what, and what to write instead."""


@dataclass(frozen=True)
class Spelled:
    """An expression in Spark's SQL."""

    sql: str
    kind: Kind = Kind.ANY


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Of a query in Spark's SQL: what stands in FROM, the condition (empty: none), and each column."""

    source: str = ""
    where: str = ""
    shown: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Translated:
    """A query in Spark's SQL, the kinds of its columns, and its parts."""

    sql: str
    columns: Mapping[str, Kind]
    parts: Parts = Parts()


Columns = Mapping[str, Kind]

_NUMBERS: Final = (Kind.INTEGER, Kind.HUGE, Kind.DECIMAL, Kind.DOUBLE)
_TIMES: Final = (Kind.DATE, Kind.TIMESTAMP)
_TEXTS: Final = (Kind.TEXT, Kind.JSON)
_COMPARISONS: Final[Mapping[type[exp.Expr], str]] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<=", exp.NullSafeEQ: "<=>",
}  # fmt: skip
_ORDERS: Final = (exp.GT, exp.GTE, exp.LT, exp.LTE)
_ARITHMETIC: Final[Mapping[type[exp.Expr], str]] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}
_TEXT_TESTS: Final[Mapping[type[exp.Expr], str]] = {
    exp.StartsWith: "startswith", exp.EndsWith: "endswith", exp.Contains: "contains",
}  # fmt: skip


def translate(query: str | exp.Select, bound: Mapping[str, object]) -> Translated:
    """A rule's query for Spark; `bound` are the values of its ``$names``, as `cloudscan.engine.judge.bindings` gives.

    It reads the views of `cloudscan.spark.tables`. Raises `Untranslatable`.
    """
    select = sqlglot.parse_one(query, read="duckdb") if isinstance(query, str) else query
    if not isinstance(select, exp.Select):
        raise Untranslatable(say("a rule is one SELECT"))
    return _Scope(bound=bound).query(select, is_rule=True)


@dataclass(frozen=True, kw_only=True)
class _Scope:
    """What is known where an expression stands: values, common table expressions, sources of FROM, the query around."""

    bound: Mapping[str, object]
    ctes: Mapping[str, Columns] = field(default_factory=dict)
    sources: Mapping[str, Columns] = field(default_factory=dict)
    outer: "_Scope | None" = None

    def query(self, select: exp.Select, *, is_rule: bool = False) -> Translated:
        """A whole SELECT; of a rule, `flagged` is a condition."""
        ctes, common = dict(self.ctes), []
        for cte in select.ctes:
            inner = _Scope(bound=self.bound, ctes=ctes, outer=self.outer).subquery(cte.this, cte.args.get("alias"))
            ctes[cte.alias] = inner.columns
            common.append(f"{name(cte.alias)} AS ({inner.sql})")
        base = _Scope(bound=self.bound, ctes=ctes, outer=self.outer)
        parts = [f"WITH {', '.join(common)}"] if common else []
        origin = select.args.get("from_")
        joins = select.args.get("joins") or []
        named = [base.source(one.this) for one in ([origin] if origin else []) + joins]
        scope = _Scope(
            bound=self.bound, ctes=ctes, outer=self.outer, sources={alias: columns for alias, _, columns in named}
        )
        columns: dict[str, Kind] = {}
        shown: dict[str, str] = {}
        for expression in select.expressions:
            spelled = scope.spell(expression.unalias())
            if is_rule and expression.alias_or_name == "flagged":
                spelled = Spelled(scope.truth(expression.unalias()), Kind.BOOLEAN)
            columns[expression.alias_or_name], shown[expression.alias_or_name] = spelled.kind, spelled.sql
        written = ", ".join(f"{sql} AS {name(column)}" for column, sql in shown.items())
        parts.append(f"SELECT {'DISTINCT ' if select.args.get('distinct') else ''}{written}")
        source = " ".join(
            [named[0][1], *(scope.join(join, sql) for join, (_, sql, _) in zip(joins, named[1:], strict=True))]
            if origin
            else []
        )
        if source:
            parts.append(f"FROM {source}")
        condition = ""
        if where := select.args.get("where"):
            condition = " AND ".join(scope.filter(part) for part in _conjuncts(where.this))
            parts.append(f"WHERE {condition}")
        if group := select.args.get("group"):
            everything = bool(group.args.get("all"))
            parts.append(
                "GROUP BY " + ("ALL" if everything else ", ".join(scope.spell(one).sql for one in group.expressions))
            )
        if having := select.args.get("having"):
            parts.append(f"HAVING {scope.truth(having.this)}")
        return Translated(" ".join(parts), columns, Parts(source=source, where=condition, shown=shown))

    def subquery(self, node: exp.Expr, alias: exp.Expr | None = None) -> Translated:
        """A query in FROM or WITH; its alias may name the columns anew."""
        select = node.unnest()
        if not isinstance(select, exp.Select):
            raise Untranslatable(say("a query in brackets has to be a SELECT"))
        inner = self.query(select)
        names = [column.name for column in alias.args.get("columns") or []] if alias else []
        if not names:
            return inner
        renamed = {
            **dict(zip(names, inner.columns.values(), strict=False)),
            **dict([*inner.columns.items()][len(names) :]),
        }
        shown = ", ".join(f"{name(old)} AS {name(new)}" for old, new in zip(inner.columns, renamed, strict=True))
        return Translated(f"SELECT {shown} FROM ({inner.sql})", renamed)

    def source(self, node: exp.Expr) -> tuple[str, str, Columns]:
        """Something in FROM: its alias, its SQL, its columns."""
        if isinstance(node, exp.Table) and not node.alias_column_names:
            alias = node.alias_or_name
            columns = self.ctes.get(node.name) or _columns_of(node.name)
            return alias, f"{name(node.name)} AS {name(alias)}", columns
        if isinstance(node, exp.Subquery):
            inner = self.subquery(node, node.args.get("alias"))
            return node.alias, f"({inner.sql}) AS {name(node.alias)}", inner.columns
        raise Untranslatable(_not_on_spark(node))

    def join(self, join: exp.Join, sql: str) -> str:
        """One JOIN; a comma is a cross join."""
        on = join.args.get("on")
        kind = f"{join.side} {join.kind}".strip() or ("" if on else "CROSS")
        return f"{kind} JOIN {sql}" + (f" ON {self.truth(on)}" if on else "")

    def filter(self, condition: exp.Expr) -> str:
        """A condition that every row has to meet. Here, and only here, Spark keeps NULL apart in IN (SELECT …)."""
        inner = condition.unnest()
        negated = isinstance(inner, exp.Not)
        tested = inner.this.unnest() if negated else inner
        if isinstance(tested, exp.In) and tested.args.get("query"):
            query = self.nested(tested.args["query"])
            return f"({self.spell(tested.this).sql} {'NOT ' if negated else ''}IN ({query.sql}))"
        return self.truth(condition)

    def truth(self, node: exp.Expr) -> str:
        """A condition. A number that is not 0 is true."""
        spelled = self.spell(node)
        if spelled.kind in _NUMBERS:
            return f"({spelled.sql} <> 0)"
        if spelled.kind is Kind.ANY:
            return f"CAST({spelled.sql} AS BOOLEAN)"
        if spelled.kind is not Kind.BOOLEAN:
            raise Untranslatable(
                say("{sql} is no condition; compare it with something", sql=node.sql(dialect="duckdb")[:80])
            )
        return spelled.sql

    def nested(self, node: exp.Expr) -> Translated:
        """A query within an expression, which may speak of the rows around it."""
        return _Scope(bound=self.bound, ctes=self.ctes, outer=self).subquery(node)

    def kind_of(self, column: exp.Column) -> Kind:
        """What a column contains."""
        scope: _Scope | None = self
        around = 0
        while scope:
            for alias, columns in scope.sources.items():
                if column.table in ("", alias) and column.name in columns:
                    if around > 1:
                        raise Untranslatable(
                            say(
                                "{sql} is two queries away; a query within a query can speak of the rows right around "
                                "it only, so join these tables in one query",
                                sql=column.sql(dialect="duckdb"),
                            )
                        )
                    return columns[column.name]
            scope, around = scope.outer, around + 1
        return Kind.LADDER if column.name in LADDERS else Kind.ANY

    def spell(self, node: exp.Expr) -> Spelled:  # noqa: PLR0912 - a case for each part of the grammar
        """An expression."""
        match node:
            case exp.Column():
                place = f"{name(node.table)}.{name(node.name)}" if node.table else name(node.name)
                return Spelled(place, self.kind_of(node))
            case exp.Literal():
                return _literal(node)
            case exp.Paren():
                inner = self.spell(node.this)
                return Spelled(f"({inner.sql})", inner.kind)
            case exp.And() | exp.Or():
                word = " AND " if isinstance(node, exp.And) else " OR "
                return Spelled(f"({word.join(self.truth(part) for part in node.flatten())})", Kind.BOOLEAN)
            case exp.Not():
                return Spelled(f"(NOT {self.truth(node.this)})", Kind.BOOLEAN)
            case exp.Is():
                word = "IS NOT" if node.args.get("negate") else "IS"
                return Spelled(f"({self.spell(node.this).sql} {word} {self.spell(node.expression).sql})", Kind.BOOLEAN)
            case exp.Null():
                return Spelled("NULL")
            case exp.Boolean():
                return Spelled("TRUE" if node.this else "FALSE", Kind.BOOLEAN)
            case exp.Placeholder():
                return _value(self.bound[str(node.this)])
            case exp.NullSafeNEQ():
                return Spelled(f"(NOT {self.compare(node.this, node.expression, '<=>')})", Kind.BOOLEAN)
            case exp.Between():
                low = self.compare(node.this, node.args["low"], ">=", ordered=True)
                high = self.compare(node.this, node.args["high"], "<=", ordered=True)
                return Spelled(f"({low} AND {high})", Kind.BOOLEAN)
            case exp.In():
                return Spelled(self.is_in(node), Kind.BOOLEAN)
            case exp.Exists():
                return Spelled(f"EXISTS ({self.nested(node.this).sql})", Kind.BOOLEAN)
            case exp.Subquery():
                query = self.nested(node)
                return Spelled(f"({query.sql})", next(iter(query.columns.values())))
            case exp.Like():
                like = functions.like(self.text(node.this), self.text(node.expression))
                return Spelled(f"(NOT {like})" if node.args.get("negate") else like, Kind.BOOLEAN)
            case exp.DPipe():
                return Spelled(f"concat({', '.join(self.text(part) for part in node.flatten())})", Kind.TEXT)
            case exp.Add() | exp.Sub() | exp.Mul():
                return self.arithmetic(node)
            case exp.Interval():
                return Spelled(_day_time(self.interval(node)), Kind.INTERVAL)
            case exp.Neg():
                inner = self.spell(node.this)
                return Spelled(f"(- {inner.sql})", inner.kind)
            case exp.Tuple():
                return Spelled(f"({', '.join(self.spell(one).sql for one in node.expressions)})")
            case exp.Case():
                return self.case(node)
            case exp.If():
                return self.branches([(self.truth(node.this), node.args["true"])], node.args.get("false"))
            case exp.Cast():
                return self.cast(node)
            case exp.Filter():
                aggregate = self.spell(node.this)
                return Spelled(f"{aggregate.sql} FILTER (WHERE {self.truth(node.expression.this)})", aggregate.kind)
            case exp.Func():
                return self.function(node)
        if type(node) in _COMPARISONS:
            ordered = isinstance(node, _ORDERS)
            return Spelled(
                self.compare(node.this, node.expression, _COMPARISONS[type(node)], ordered=ordered), Kind.BOOLEAN
            )
        raise Untranslatable(_not_on_spark(node))

    def text(self, node: exp.Expr) -> str:
        """An expression as text."""
        spelled = self.spell(node)
        return spelled.sql if spelled.kind in (Kind.TEXT, Kind.JSON) else _as_text(spelled)

    def compare(self, left: exp.Expr, right: exp.Expr, operator: str, *, ordered: bool = False) -> str:
        """A comparison of two expressions. Of rows, NULL is a value as any other."""
        if isinstance(left, exp.Tuple) and isinstance(right, exp.Tuple) and not ordered:
            same = " AND ".join(
                self.compare(one, other, "<=>") for one, other in zip(left.expressions, right.expressions, strict=True)
            )
            return f"(NOT ({same}))" if operator == "<>" else f"({same})"
        if isinstance(left, exp.Tuple) or isinstance(right, exp.Tuple):
            raise Untranslatable(say("several columns have no order on Spark; compare them one by one"))
        sides = [self.spell(left), self.spell(right)]
        ladder = next((LADDERS[side.name] for side in (left, right) if _is_ladder(side)), None)
        if ladder and ordered:
            rungs = [str(rung) for rung in ladder]
            for side in (left, right):
                self.check_rung(side, rungs)
            return f"({' '.join((_rung(sides[0], rungs), operator, _rung(sides[1], rungs)))})"
        kinds = {side.kind for side in sides}
        for index, (node, other) in enumerate(((left, sides[1]), (right, sides[0]))):
            if sides[index].kind is Kind.TEXT and other.kind in _TIMES:
                sides[index] = self.moment(node, other.kind)
            elif sides[index].kind is Kind.BOOLEAN and kinds & set(_NUMBERS):
                sides[index] = Spelled(f"CAST({sides[index].sql} AS INT)", Kind.INTEGER)
            elif sides[index].kind in _TEXTS and other.kind in (*_NUMBERS, Kind.BOOLEAN) and not _is_written(node):
                raise Untranslatable(
                    say(
                        "{sql} is a text, beside a number or a truth value; write TRY_CAST({sql} AS {kind})",
                        sql=node.sql(dialect="duckdb")[:80],
                        kind="BOOLEAN" if other.kind is Kind.BOOLEAN else "BIGINT",
                    )
                )
        return f"({sides[0].sql} {operator} {sides[1].sql})"

    def check_rung(self, side: exp.Expr, rungs: Sequence[str]) -> None:
        """Refuse a word that is not on the ladder that it is compared with."""
        written = side.unnest()
        if isinstance(written, exp.Column) and [str(rung) for rung in LADDERS.get(written.name, ())] == rungs:
            return
        word = self.bound.get(str(written.this)) if isinstance(written, exp.Placeholder) else written.name
        if not _is_written(side) or word not in rungs:
            raise Untranslatable(
                say(
                    "{sql} is not on this ladder; write one of {rungs}",
                    sql=side.sql(dialect="duckdb")[:80],
                    rungs=", ".join(rungs),
                )
            )

    def moment(self, node: exp.Expr, kind: Kind) -> Spelled:
        """A text beside a time, which is then a time itself, and read as DuckDB reads it."""
        written = node.unnest()
        value = self.bound.get(str(written.this)) if isinstance(written, exp.Placeholder) else written.name
        if not _is_written(node):
            raise Untranslatable(say("a text that is not written out cannot be compared with a time"))
        return _value(_on_duckdb(f"SELECT CAST($value AS {kind.value})", value=value)[0])

    def is_in(self, node: exp.In) -> str:
        """A test for membership that keeps NULL apart from FALSE."""
        if not node.args.get("query"):
            return f"({' OR '.join(self.compare(node.this, one, '=') for one in node.expressions)})"
        query = self.nested(node.args["query"])
        if len(query.columns) != 1:
            raise Untranslatable(say("several columns IN (SELECT …) can stand alone in WHERE only; write EXISTS (…)"))
        column, tested = name(next(iter(query.columns))), self.spell(node.this).sql
        found = f"SELECT max(CASE WHEN `in`.{column} IS NULL THEN 1 END) FROM ({query.sql}) AS `in`"
        inside = f"EXISTS (SELECT 1 FROM ({query.sql}) AS `in` WHERE `in`.{column} = {tested})"
        return (
            f"CASE WHEN {inside} THEN TRUE WHEN ({found}) = 1 THEN NULL "
            f"WHEN {tested} IS NULL AND EXISTS ({query.sql}) THEN NULL ELSE FALSE END"
        )

    def interval(self, node: exp.Expr) -> tuple[int, int, int]:
        """Months, days and microseconds of an interval in which no column is, as DuckDB reads them."""
        written = node.copy()
        for mark in list(written.find_all(exp.Placeholder)):
            mark.replace(exp.convert(self.bound[str(mark.this)]))
        parts = ", ".join(
            f"datepart('{part}', i)" for part in ("year", "month", "day", "hour", "minute", "microsecond")
        )
        years, months, days, hours, minutes, rest = _on_duckdb(
            f"SELECT {parts} FROM (SELECT {written.sql(dialect='duckdb')} AS i)"
        )
        return years * 12 + months, days, ((hours * 60 + minutes) * 60) * 1_000_000 + rest

    def arithmetic(self, node: exp.Add | exp.Sub | exp.Mul) -> Spelled:
        """Sums, differences and products, of numbers and of times."""
        operator = _ARITHMETIC[type(node)]
        left_node, right_node = node.this, node.expression
        if isinstance(left_node.unnest(), exp.Interval) and isinstance(node, exp.Add):
            left_node, right_node = right_node, left_node
        left, right = self.spell(left_node), self.spell(right_node)
        if left.kind is Kind.INTERVAL and right.kind in _TIMES and isinstance(node, exp.Add):
            left_node, right_node, left, right = right_node, left_node, right, left
        if left.kind in _TIMES and right.kind is Kind.INTERVAL:
            if right_node.find(exp.Interval) and not right_node.find(exp.Column):
                interval = self.interval(right_node.unnest())
                return Spelled(_shifted(_as_timestamp(left), operator, interval), Kind.TIMESTAMP)
            self.check_months(right_node)
            return Spelled(f"({_as_timestamp(left)} {operator} {right.sql})", Kind.TIMESTAMP)
        if left.kind is Kind.DATE and right.kind is Kind.DATE:
            return Spelled(f"CAST(datediff({left.sql}, {right.sql}) AS BIGINT)", Kind.INTEGER)
        if left.kind in _TIMES and right.kind in _TIMES:
            return Spelled(f"({_as_timestamp(left)} {operator} {_as_timestamp(right)})", Kind.INTERVAL)
        if right.kind is Kind.DATE and left.kind is Kind.INTEGER:
            left, right = right, left
        if left.kind is Kind.DATE and right.kind is Kind.INTEGER:
            moved = "date_add" if operator == "+" else "date_sub"
            return Spelled(f"{moved}({left.sql}, CAST({right.sql} AS INT))", Kind.DATE)
        return Spelled(f"({left.sql} {operator} {right.sql})", _wider(left.kind, right.kind))

    def check_months(self, node: exp.Expr) -> None:
        """Refuse to move a time by months whose number is not known before: Spark takes 30 days for one."""
        carried = any(self.kind_of(column) is Kind.INTERVAL for column in node.find_all(exp.Column))
        if carried or any(self.interval(part)[0] for part in node.find_all(exp.Interval)):
            raise Untranslatable(
                say("the length of a month depends on the day; write the interval itself beside the time, or days")
            )

    def case(self, node: exp.Case) -> Spelled:
        """CASE, with a subject or without."""
        subject = node.args.get("this")
        cases = [
            (self.compare(subject, one.this, "=") if subject else self.truth(one.this), one.args["true"])
            for one in node.args["ifs"]
        ]
        return self.branches(cases, node.args.get("default"))

    def branches(self, cases: Sequence[tuple[str, exp.Expr]], default: exp.Expr | None) -> Spelled:
        """CASE WHEN … THEN …, with the values made one kind."""
        aligned = self.aligned([value for _, value in cases] + ([default] if default else []))
        whens = " ".join(f"WHEN {test} THEN {value.sql}" for (test, _), value in zip(cases, aligned, strict=False))
        other = f" ELSE {aligned[-1].sql}" if default else ""
        return Spelled(f"CASE {whens}{other} END", _common(aligned))

    def aligned(self, nodes: Sequence[exp.Expr]) -> list[Spelled]:
        """Values of one expression, made the same kind where Spark would not do it the same way."""
        values = [self.spell(node) for node in nodes]
        times = [value for value in values if value.kind in _TIMES]
        if times:
            kind = _common(times)
            values = [
                self.moment(node, kind) if value.kind is Kind.TEXT else value
                for node, value in zip(nodes, values, strict=True)
            ]
        if _common(values) is Kind.TIMESTAMP:
            return [Spelled(_as_timestamp(value), Kind.TIMESTAMP) for value in values]
        return values

    def cast(self, node: exp.Cast) -> Spelled:
        """CAST and TRY_CAST to a text, a number or a truth value."""
        inner = self.spell(node.this)
        match node.to.this:
            case exp.DataType.Type.BIGINT if inner.kind in (Kind.TEXT, Kind.JSON):
                return Spelled(functions.to_bigint(inner.sql), Kind.INTEGER)
            case exp.DataType.Type.BIGINT if inner.kind is Kind.DECIMAL:
                return Spelled(f"try_cast(round({inner.sql}, 0) AS BIGINT)", Kind.INTEGER)
            case exp.DataType.Type.BIGINT if inner.kind is Kind.DOUBLE:
                return Spelled(f"try_cast(bround({inner.sql}, 0) AS BIGINT)", Kind.INTEGER)
            case exp.DataType.Type.BIGINT if inner.kind not in _TIMES:
                return Spelled(f"try_cast({inner.sql} AS BIGINT)", Kind.INTEGER)
            case exp.DataType.Type.BOOLEAN if inner.kind in (Kind.TEXT, Kind.JSON):
                return Spelled(functions.to_boolean(inner.sql), Kind.BOOLEAN)
            case exp.DataType.Type.BOOLEAN if inner.kind not in _TIMES:
                return Spelled(f"try_cast({inner.sql} AS BOOLEAN)", Kind.BOOLEAN)
            case exp.DataType.Type.TEXT | exp.DataType.Type.VARCHAR:
                return Spelled(_as_text(inner), Kind.TEXT)
        raise Untranslatable(say("{sql} cannot be cast", sql=node.sql(dialect="duckdb")))

    def function(self, node: exp.Func) -> Spelled:  # noqa: PLR0912 - a case for each function
        """A call of a function."""
        match node:
            case exp.Count():
                return Spelled(f"count({self.counted(node.this)})", Kind.INTEGER)
            case exp.Coalesce():
                values = self.aligned([node.this, *node.expressions])
                return Spelled(f"coalesce({', '.join(one.sql for one in values)})", _common(values))
            case exp.JSONExtractScalar():
                inner = self.spell(node.this)
                of = functions.checked_json(inner.sql) if inner.kind is Kind.TEXT else self.text(node.this)
                return Spelled(functions.json_text(of, _steps(node.expression)), Kind.TEXT)
            case exp.Lower():
                return Spelled(functions.lower(self.text(node.this)), Kind.TEXT)
            case exp.Upper():
                return Spelled(functions.upper(self.text(node.this)), Kind.TEXT)
            case exp.Trim():
                characters = self.text(node.expression) if node.expression else None
                position = str(node.args.get("position") or "")
                return Spelled(functions.trim(self.text(node.this), characters, position), Kind.TEXT)
            case exp.Length():
                return Spelled(f"CAST(length({self.text(node.this)}) AS BIGINT)", Kind.INTEGER)
            case exp.Replace():
                parts = (node.this, node.expression, node.args["replacement"])
                return Spelled(f"replace({', '.join(map(self.text, parts))})", Kind.TEXT)
            case exp.StartsWith() | exp.EndsWith() | exp.Contains():
                called = f"{_TEXT_TESTS[type(node)]}({self.text(node.this)}, {self.text(node.expression)})"
                return Spelled(called, Kind.BOOLEAN)
            case exp.Nullif():
                inner = self.spell(node.this)
                same = self.compare(node.this, node.expression, "=")
                return Spelled(f"CASE WHEN {same} THEN NULL ELSE {inner.sql} END", inner.kind)
            case exp.Abs():
                inner = self.spell(node.this)
                return Spelled(f"abs({inner.sql})", inner.kind)
            case exp.Sum():
                return self.sum(node)
            case exp.Min() | exp.Max() if not node.expressions:
                inner = self.spell(node.this)
                return Spelled(f"{'min' if isinstance(node, exp.Min) else 'max'}({inner.sql})", inner.kind)
        raise Untranslatable(_not_on_spark(node))

    def counted(self, node: exp.Expr | None) -> str:
        """What stands in the brackets of COUNT."""
        if node is None or isinstance(node, exp.Star):
            return "*"
        return self.distinct(node) if isinstance(node, exp.Distinct) else self.spell(node).sql

    def distinct(self, node: exp.Distinct) -> str:
        """DISTINCT within an aggregate."""
        return f"DISTINCT {', '.join(self.spell(one).sql for one in node.expressions)}"

    def sum(self, node: exp.Sum) -> Spelled:
        """A sum, which does not overflow on DuckDB."""
        distinct = isinstance(node.this, exp.Distinct)
        inner = self.spell(node.this.expressions[0] if distinct else node.this)
        if inner.kind in (Kind.DOUBLE, Kind.DECIMAL):
            return Spelled(f"sum({'DISTINCT ' if distinct else ''}{inner.sql})", inner.kind)
        number = f"CAST({inner.sql} AS INT)" if inner.kind is Kind.BOOLEAN else inner.sql
        return Spelled(f"sum({'DISTINCT ' if distinct else ''}CAST({number} AS DECIMAL(28, 0)))", Kind.HUGE)


def _columns_of(table: str) -> Columns:
    return {
        column: Kind.LADDER if kind.endswith("_ladder") else Kind(kind)
        for column, kind in TABLES.get(table, {}).items()
    }


def _conjuncts(condition: exp.Expr) -> list[exp.Expr]:
    inner = condition.unnest()
    if isinstance(inner, exp.And):
        return [part for one in inner.flatten() for part in _conjuncts(one)]
    return [condition]


def _is_written(node: exp.Expr) -> bool:
    """Whether a value is known before the query runs."""
    return isinstance(node.unnest(), exp.Literal | exp.Placeholder)


def _is_ladder(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column) and node.name in LADDERS


def _rung(side: Spelled, rungs: Sequence[str]) -> str:
    """The place of a word on its ladder."""
    return f"array_position(array({', '.join(map(text, rungs))}), {side.sql})"


def _literal(node: exp.Literal) -> Spelled:
    if node.is_string:
        return Spelled(text(node.name), Kind.TEXT)
    if node.is_int:
        return Spelled(node.name, Kind.INTEGER)
    return Spelled(node.name, Kind.DOUBLE if "e" in node.name.lower() else Kind.DECIMAL)


def _value(value: object) -> Spelled:
    """The value of a ``$name``."""
    match value:
        case bool():
            return Spelled("TRUE" if value else "FALSE", Kind.BOOLEAN)
        case int():
            return Spelled(f"({value})", Kind.INTEGER)
        case float():
            return Spelled(f"CAST({text(repr(value))} AS DOUBLE)", Kind.DOUBLE)
        case datetime():
            return Spelled(f"TIMESTAMP_NTZ '{value.isoformat(sep=' ')}'", Kind.TIMESTAMP)
        case date():
            return Spelled(f"DATE '{value.isoformat()}'", Kind.DATE)
        case None:
            return Spelled("NULL")
    return Spelled(text(str(value)), Kind.TEXT)


def _as_text(of: Spelled) -> str:
    if of.kind is Kind.DOUBLE:
        raise Untranslatable(say("a number with a point is written differently by each engine; do not make it a text"))
    return f"CAST({of.sql} AS STRING)"


def _as_timestamp(of: Spelled) -> str:
    return f"CAST({of.sql} AS TIMESTAMP_NTZ)" if of.kind is Kind.DATE else of.sql


def _shifted(moment: str, operator: str, interval: tuple[int, int, int]) -> str:
    months, days, rest = interval
    if months:
        moment = f"({moment} {operator} make_ym_interval(0, {months}))"
    if days:
        moment = f"({moment} {operator} make_dt_interval({days}))"
    return f"({moment} {operator} {_day_time((0, 0, rest))})" if rest else moment


def _day_time(interval: tuple[int, int, int]) -> str:
    """An interval in days; a month counts as 30 of them where intervals are compared."""
    months, days, rest = interval
    seconds = f"{'-' if rest < 0 else ''}{abs(rest) // 1_000_000}.{abs(rest) % 1_000_000:06}"
    return f"make_dt_interval({months * 30 + days}, 0, 0, {seconds})"


def _wider(left: Kind, right: Kind) -> Kind:
    for kind in (Kind.DOUBLE, Kind.DECIMAL, Kind.HUGE, Kind.INTERVAL):
        if kind in (left, right):
            return kind
    return left if right is Kind.ANY else right


def _common(values: Sequence[Spelled]) -> Kind:
    """The kind of a value that is one of these."""
    kinds = [value.kind for value in values if value.kind is not Kind.ANY]
    if not kinds:
        return Kind.ANY
    if set(kinds) == set(_TIMES):
        return Kind.TIMESTAMP
    numbers = [kind for kind in kinds if kind in _NUMBERS]
    if len(numbers) == len(kinds):
        return max(numbers, key=_NUMBERS.index)
    return Kind.TEXT if Kind.TEXT in kinds else kinds[0]


def _steps(path: exp.Expr) -> list[functions.Step]:
    """The way into a JSON text."""
    if isinstance(path, exp.Literal) and path.name.startswith("/"):
        keys = path.name[1:].split("/")
        if any(key.isdecimal() for key in keys):
            raise Untranslatable(say("{path} is a key or a place in a list; write it as in '$.key[0]'", path=path.name))
        return [key.replace("~1", "/").replace("~0", "~") for key in keys]
    if not isinstance(path, exp.JSONPath):
        raise Untranslatable(say("a place in JSON has to be written out, as in ->> '$.key'"))
    return [part.this for part in path.expressions if not isinstance(part, exp.JSONPathRoot)]


def _not_on_spark(node: exp.Expr) -> str:
    return say("{sql} cannot be asked of Spark", sql=node.sql(dialect="duckdb")[:80])


def _on_duckdb(sql: str, **values: Any) -> tuple[Any, ...]:
    """What DuckDB makes of a constant."""
    with duckdb.connect(":memory:") as db:
        row = db.execute(sql, values or None).fetchone()
    return row or ()
