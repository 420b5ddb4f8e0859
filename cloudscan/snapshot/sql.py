"""What a rule's SQL may say: one SELECT over known tables, in the part that DuckDB and Spark share.

Rules may come from anyone, and the same rule has to mean the same on both engines and every night. So this is a list of
what is allowed, not of what is forbidden: anything else is refused, with what to write instead.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from cloudscan.sentence import say
from cloudscan.snapshot.tables import LADDERS, TABLES, VOCABULARIES, ladder_type
from cloudscan.text import nearest, suggestion

CLOCK: Final = ("as_of", "today")
"""What a query may know of the time: the moment of the scan in UTC, and the organisation's day then."""

_STRUCTURE: Final = (
    exp.Select, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Ordered, exp.With, exp.CTE, exp.Subquery,
    exp.Table, exp.TableAlias, exp.Alias, exp.Column, exp.Identifier, exp.Literal, exp.Null, exp.Boolean, exp.Paren,
    exp.Tuple, exp.Placeholder, exp.Interval, exp.Var, exp.DataType, exp.DataTypeParam, exp.Distinct, exp.Star,
    exp.Filter, exp.JSONPath, exp.JSONPathRoot, exp.JSONPathKey, exp.JSONPathSubscript,
)  # fmt: skip
_OPERATORS: Final = (
    exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In, exp.Between,
    exp.Exists, exp.Like, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.DPipe,
)  # fmt: skip
_FUNCTIONS: Final = (
    exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.Lower, exp.Upper, exp.Trim, exp.Length, exp.StartsWith,
    exp.EndsWith, exp.Contains, exp.Replace, exp.Abs, exp.Count, exp.Sum, exp.Min, exp.Max, exp.JSONExtractScalar,
    exp.Cast, exp.TryCast,
)  # fmt: skip
_ALLOWED: Final = frozenset((*_STRUCTURE, *_OPERATORS, *_FUNCTIONS))
_FUNCTION_NAMES: Final = (
    "CASE, COALESCE, NULLIF, LOWER, UPPER, TRIM, LENGTH, STARTS_WITH, ENDS_WITH, CONTAINS, REPLACE, ABS, COUNT, SUM, "
    "MIN, MAX, JSON_EXTRACT_STRING (or ->>), TRY_CAST"
)
_ORDERS: Final = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)
_LADDER_PARENTS: Final = (
    exp.Select, exp.Alias, exp.Group, exp.EQ, exp.NEQ, exp.In, exp.Is, exp.Count, exp.NullSafeEQ, exp.NullSafeNEQ,
    *_ORDERS,
)  # fmt: skip
_CAST_TYPES: Final = frozenset(
    {exp.DataType.Type.TEXT, exp.DataType.Type.VARCHAR, exp.DataType.Type.BIGINT, exp.DataType.Type.BOOLEAN}
)

_CLOCKS: Final = frozenset({
    "now", "today", "current_date", "current_time", "current_timestamp", "getdate", "get_current_time",
    "get_current_timestamp", "localtime", "localtimestamp", "transaction_timestamp", "currentdate", "currenttime",
    "currenttimestamp", "currentdatetime",
})  # fmt: skip
_CHANCE: Final = frozenset({"random", "rand", "uuid", "gen_random_uuid", "setseed", "uuidv4", "uuidv7", "randn"})
_INSTEAD: Final[Mapping[type[exp.Expr], str]] = {
    exp.Div: "division by zero differs between engines; write a * 100 > b * 20 instead of a / b > 0.2",
    exp.IntDiv: "integer division differs between engines; multiply the other side instead",
    exp.Mod: "the remainder's sign differs between engines; compare without it",
    exp.Concat: "CONCAT treats NULL differently on each engine; write a || b",
    exp.Union: "a rule is one SELECT; write the branches as conditions, or as rules of their own",
    exp.Except: "a rule is one SELECT; write NOT EXISTS (…)",
    exp.Intersect: "a rule is one SELECT; write EXISTS (…)",
    exp.Order: "the engine orders findings itself; drop ORDER BY",
    exp.Limit: "a limit hides findings; drop LIMIT",
    exp.Offset: "an offset hides findings; drop OFFSET",
    exp.Qualify: "QUALIFY is not shared by both engines; drop it",
    exp.Window: "window functions are not for rules; the engine folds rows by the rule's identity",
    exp.ILike: "ILIKE is not shared by both engines; write LOWER(a) LIKE 'b%'",
    exp.JSONExtract: "-> leaves quotes in the value; write ->> or JSON_EXTRACT_STRING",
    exp.LogicalOr: "aggregates drop NULL, so unknown would pass; yield plain rows, the engine folds them",
    exp.LogicalAnd: "aggregates drop NULL, so unknown would pass; yield plain rows, the engine folds them",
    exp.DateDiff: "date differences mean different things on each engine; compare with $as_of - INTERVAL ($days) DAY",
    exp.RegexpLike: "regular expressions differ between engines; write LIKE, STARTS_WITH or CONTAINS",
}


@dataclass(frozen=True)
class Fault:
    """Something in the query that is refused; `line` counts from the query's first."""

    line: int
    message: str


class Confinement(NamedTuple):
    """A query yields no rows unless a table has rows of one of these platforms."""

    table: str
    platforms: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SettingUse:
    """What one mention of the table `settings` in a query is compared with; lines count from the query's first."""

    names: tuple[tuple[int, str], ...]
    values: tuple[tuple[int, str], ...]


@dataclass(frozen=True, kw_only=True)
class Query:
    """What a query yields and reads, and what is wrong with it."""

    sql: str = ""  # for DuckDB: ladders compared by rung
    columns: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    bound: tuple[str, ...] = ()
    confined: tuple[Confinement, ...] = ()
    settings: tuple[SettingUse, ...] = ()
    faults: tuple[Fault, ...] = ()


@lru_cache(maxsize=1_000)
def check(sql: str) -> Query:
    """Check a rule's query. A query with no faults runs on DuckDB and on Spark with the same result."""
    try:
        return _checked(sql)
    except SqlglotError as error:
        return Query(faults=(_syntax(sql, error),))
    except RecursionError:
        return Query(faults=(Fault(1, say("brackets or conditions are nested too deeply; nest them less")),))


def _checked(sql: str) -> Query:
    statements = sqlglot.parse(sql, read="duckdb")
    if len(statements) != 1 or not isinstance(statements[0], exp.Select):
        content = "nothing" if not statements or statements[0] is None else f"{len(statements)} statement(s)"
        alternative = next((_INSTEAD.get(type(only), "") for only in statements if only and len(statements) == 1), "")
        message = alternative or f"a rule is exactly one SELECT, not {content}; write SELECT … AS flagged FROM …"
        return Query(faults=(Fault(1, message),))
    select = statements[0]
    lines = Lines(sql)
    faults = [*_grammar(select, lines), *_ladders(select, lines)]
    if not faults:
        faults += _names(select, lines)
    return Query(
        sql=_by_rung(select).sql(dialect="duckdb", copy=False),
        columns=tuple(select.named_selects),
        tables=tuple(sorted({table.name for table in select.find_all(exp.Table) if table.name in TABLES})),
        bound=tuple(sorted({str(mark.this) for mark in select.find_all(exp.Placeholder) if mark.this})),
        confined=tuple(_confinements(select)),
        settings=() if faults else tuple(_setting_uses(select, lines)),
        faults=tuple(sorted(set(faults), key=lambda fault: (fault.line, fault.message))),
    )


def _confinements(select: exp.Select) -> Iterator[Confinement]:
    """The platforms that the outermost WHERE demands, whatever else it says."""
    where, group = select.args.get("where"), select.args.get("group")
    if where is None or (group is None and any(column.find(exp.AggFunc) for column in select.expressions)):
        return  # an aggregate without groups yields a row even from an empty table
    own = {cte.alias for cte in select.ctes}
    sources = [select.args["from_"], *select.args.get("joins", ())] if select.args.get("from_") else []
    tables = {
        source.this.alias_or_name: source.this.name
        for source in sources
        if isinstance(source.this, exp.Table) and source.this.name not in own
    }
    for condition in where.this.flatten() if isinstance(where.this, exp.And) else [where.this]:
        if not isinstance(condition, exp.EQ | exp.In):
            continue
        column = condition.this
        values = [condition.expression] if isinstance(condition, exp.EQ) else condition.expressions
        if (
            isinstance(column, exp.Column)
            and column.name == "platform"
            and column.table in tables
            and values
            and all(isinstance(value, exp.Literal) for value in values)
        ):
            yield Confinement(tables[column.table], tuple(value.name for value in values))


def _setting_uses(select: exp.Select, lines: "Lines") -> Iterator[SettingUse]:
    for scope in traverse_scope(select):
        for alias, source in scope.sources.items():
            if not isinstance(source, exp.Table) or source.name != "settings":
                continue
            names: list[tuple[int, str]] = []
            values: list[tuple[int, str]] = []
            for column in scope.columns:
                if column.table == alias or (not column.table and len(scope.sources) == 1):
                    texts = [(lines.of(column), literal.name) for literal in _compared_with(column)]
                    if column.name == "name":
                        names += texts
                    elif column.name == "value":
                        values += texts
            yield SettingUse(names=tuple(names), values=tuple(values))


def _compared_with(column: exp.Column) -> Iterator[exp.Literal]:
    """The texts that a column is compared with."""
    comparison = column.parent
    if isinstance(comparison, exp.In):
        sides: list[exp.Expr] = list(comparison.expressions)
    elif isinstance(comparison, exp.Predicate):
        sides = _sides(comparison)
    else:
        sides = []
    for side in sides:
        literal = side.unnest()
        if isinstance(literal, exp.Literal):
            yield literal


def by_rung(sql: str) -> str:
    """An ad-hoc query with its ladders compared by rung; one that cannot be parsed is left as it is."""
    try:
        return _by_rung(sqlglot.parse_one(sql, read="duckdb")).sql(dialect="duckdb")
    except (SqlglotError, RecursionError):
        return sql


def _by_rung(query: exp.Expr) -> exp.Expr:
    """Cast every word that a ladder is compared with to a rung.

    DuckDB compares an ENUM with a plain word as text, so that 'owner' would be more than 'anyone_with_link'.
    """
    query = query.copy()
    for comparison in query.find_all(*_ORDERS):
        ladder = next((side.name for side in _sides(comparison) if _is_ladder(side)), "")
        for side in _sides(comparison):
            if ladder and isinstance(side, exp.Literal | exp.Placeholder):
                side.replace(exp.cast(side.copy(), exp.DataType.build(ladder_type(ladder), udt=True)))
    return query


class Lines:
    """The line of each part of the query. sqlglot's own line numbers are wrong after a ``$name``, its offsets right."""

    def __init__(self, sql: str) -> None:
        self._sql = sql

    def of(self, node: exp.Expr) -> int:
        """The line of a node, from the query's first."""
        inside = [part.meta["start"] for part in node.walk() if "start" in part.meta]
        if inside:
            return self._sql.count("\n", 0, min(inside)) + 1
        return self.of(node.parent) if node.parent is not None else 1


def _syntax(sql: str, error: SqlglotError) -> Fault:
    details = getattr(error, "errors", None) or [{}]
    before, near = details[0].get("start_context") or "", details[0].get("highlight") or ""
    start = sql.find(before + near)
    line = sql.count("\n", 0, start + len(before)) + 1 if start >= 0 else 1
    where = f" near {near!r}" if near else ""
    return Fault(line, say("this SQL cannot be parsed{where}; check commas, brackets and quotes here", where=where))


def _grammar(select: exp.Select, lines: Lines) -> Iterator[Fault]:
    for node in select.walk():
        if message := _refusal(node):
            yield Fault(lines.of(node), message)


def _refusal(node: exp.Expr) -> str:
    """Why one node of the tree is not allowed; empty if it is."""
    kind = type(node)
    if isinstance(node, exp.Func):
        name = (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).lower()
        if name in _CLOCKS or name.replace("_", "") in _CLOCKS:
            return say(
                "{name}() reads the clock, so that yesterday's snapshot would be judged differently; write $as_of "
                "or $today",
                name=name,
            )
        if name in _CHANCE:
            return say("{name}() is random; a rule must give the same result every time, drop it", name=name)
    if kind in _INSTEAD:
        return _INSTEAD[kind]
    if kind not in _ALLOWED:
        if isinstance(node, exp.Func):
            spelled = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
            return say(
                "the function {spelled} is not allowed here; write with {functions}",
                spelled=spelled,
                functions=_FUNCTION_NAMES,
            )
        return say(
            "{kind} is not part of the SQL that both engines share; write it with plain SELECT, JOIN, WHERE",
            kind=kind.__name__,
        )
    return _detail_refusal(node)


def _detail_refusal(node: exp.Expr) -> str:
    if isinstance(node, exp.Table) and not isinstance(node.this, exp.Identifier):
        return "a rule reads tables, not functions or files; write one of the tables: " + ", ".join(TABLES)
    if isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count):
        return say("* yields whatever columns the table has; name the columns")
    if isinstance(node, exp.Placeholder) and not node.this:
        return say("? has no name; write $name and declare it under params")
    if isinstance(node, exp.Cast | exp.TryCast):
        if type(node) is exp.Cast and node.to.this not in (exp.DataType.Type.TEXT, exp.DataType.Type.VARCHAR):
            return say("CAST stops the scan at the first odd value; write TRY_CAST(… AS BIGINT)")
        if node.to.this not in _CAST_TYPES:
            return say(
                "{sql} is cast differently by each engine; cast to VARCHAR, BIGINT or BOOLEAN", sql=node.to.sql()
            )
    if isinstance(node, exp.Interval) and not isinstance(node.this.unnest(), exp.Placeholder | exp.Literal):
        return say("an interval takes a number or a param; write INTERVAL ($days) DAY")
    if isinstance(node, exp.Join) and (
        node.args.get("method") or node.side in ("RIGHT", "FULL") or node.args.get("using")
    ):
        return say("write JOIN … ON or LEFT JOIN … ON")
    if isinstance(node, exp.With) and node.recursive:
        return say("recursion is not allowed; use the table members, or grants.origin_uid")
    if isinstance(node, exp.Distinct) and node.args.get("on"):
        return say("DISTINCT ON is not shared by both engines; drop it, rows are folded by the rule's identity")
    return ""


def _sides(comparison: exp.Expr) -> list[exp.Expr]:
    if isinstance(comparison, exp.Between):
        return [comparison.this, comparison.args["low"], comparison.args["high"]]
    return [comparison.this, *([comparison.expression] if comparison.args.get("expression") else [])]


def _is_ladder(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column) and node.name in LADDERS


def _ladders(select: exp.Select, lines: Lines) -> Iterator[Fault]:
    """A ladder may be compared, selected and grouped, nothing else: only that means the same on both engines."""
    for column in select.find_all(exp.Column):
        if column.name in VOCABULARIES:
            yield from _vocabulary_faults(column, lines)
        if not _is_ladder(column):
            continue
        parent = column.parent
        if isinstance(parent, exp.Alias) and parent.alias != column.name:
            yield Fault(
                lines.of(column),
                say("a ladder keeps its name, so that it is compared by rung; write {sql}", sql=column.sql()),
            )
        if not isinstance(parent, _LADDER_PARENTS) or not _comparable(parent):
            yield Fault(
                lines.of(column),
                say(
                    "`{name}` is a ladder: it can be selected, and compared with its words, nothing else; "
                    "write {sql} >= '{list}'",
                    name=column.name,
                    sql=column.sql(),
                    list=list(LADDERS[column.name])[1],
                ),
            )
    for alias in select.find_all(exp.Alias):
        if alias.alias in LADDERS and not _is_ladder(alias.this):
            message = f"`{alias.alias}` is the name of a ladder; write another name, or select the column itself"
            yield Fault(lines.of(alias), message)


def _comparable(parent: exp.Expr) -> bool:
    """Whether an order comparison is between ladders, words and params only."""
    if not isinstance(parent, _ORDERS):
        return True
    return all(_is_ladder(side) or isinstance(side, exp.Literal | exp.Placeholder) for side in _sides(parent))


def _vocabulary_faults(column: exp.Column, lines: Lines) -> Iterator[Fault]:
    known = VOCABULARIES[column.name]
    for literal in _compared_with(column):
        if literal.name not in known:
            yield Fault(
                lines.of(column),
                say(
                    "`{name}` is never {name_other}; {hint}",
                    name=column.name,
                    name_other=repr(literal.name),
                    hint=suggestion(literal.name, known),
                ),
            )


def _names(select: exp.Select, lines: Lines) -> Iterator[Fault]:
    """Tables and columns that do not exist, with the nearest that does."""
    for scope in traverse_scope(select):
        tables: dict[str, tuple[str, ...]] = {}
        for alias, source in scope.sources.items():
            if isinstance(source, Scope):
                tables[alias] = _yields(source.expression)
            elif source.name not in TABLES or source.db:
                yield Fault(
                    lines.of(source),
                    say("there is no table `{name}`; {hint}", name=source.name, hint=suggestion(source.name, TABLES)),
                )
                tables[alias] = ()
            else:
                tables[alias] = tuple(TABLES[source.name])
        outer = {(column.table, column.name) for column in scope.external_columns}
        for column in scope.columns:
            if (column.table, column.name) not in outer or column.table in tables:
                yield from _column_faults(column, tables, scope, lines)


def _yields(query: exp.Expr) -> tuple[str, ...]:
    return tuple(query.named_selects) if isinstance(query, exp.Query) else ()


def _column_faults(
    column: exp.Column, tables: Mapping[str, tuple[str, ...]], scope: Scope, lines: Lines
) -> Iterator[Fault]:
    name, table = column.name, column.table
    if table:
        if table not in tables:
            known = suggestion(table, tables)
            yield Fault(
                lines.of(column),
                say("`{table}` is not a table or alias of this query; {known}", table=table, known=known),
            )
        elif tables[table] and name not in tables[table]:
            source = scope.sources[table]
            title = source.name if isinstance(source, exp.Table) else table
            yield Fault(
                lines.of(column),
                say(
                    "`{title}` has no column `{name}`; {hint}",
                    title=title,
                    name=name,
                    hint=suggestion(name, tables[table]),
                ),
            )
        return
    aliases = [alias for alias, columns in tables.items() if name in columns]
    if len(aliases) > 1:
        yield Fault(
            lines.of(column),
            say(
                "`{name}` is in {aliases}; write {aliases_other}.{name}",
                name=name,
                aliases=" and ".join(aliases),
                aliases_other=aliases[0],
            ),
        )
    elif not aliases and all(tables.values()):
        match = nearest(name, [known for columns in tables.values() for known in columns])
        yield Fault(
            lines.of(column),
            f"no table here has a column `{name}`; " + (f"write {match}" if match else "check its spelling"),
        )
