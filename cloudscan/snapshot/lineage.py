"""What a rule's verdict rests on: the tables and columns that decide, as far as its SQL says.

A column that is only shown (a name, a link for the message) does not count. What counts is everything that `flagged`
and the identity are made from, and everything that decides which rows there are: WHERE, GROUP BY, HAVING, the
conditions of joins, EXISTS and IN. A LEFT JOIN counts only if a column of its table does, or if rows are counted: it
takes no row away, and the same row twice changes no verdict. The key of a setting's value is the setting's name.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import sqlglot
from sqlglot import exp

from cloudscan.snapshot.tables import TABLES, Dependency, base_columns, key_columns

_COUNTING: Final = (exp.Count, exp.Sum)
_KEYED: Final = ("detail", "value")  # of the columns of all tables, those that have keys
_NESTED: Final = (exp.Select, exp.Subquery)


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """Where a query's verdicts come from."""

    rests_on: tuple[Dependency, ...] = ()
    subjects: tuple[Dependency | None, ...] = ()  # what each identity column shows; None: it is computed
    compared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # the texts beside each column, by its name


@lru_cache(maxsize=1_000)
def lineage(sql: str, identity: tuple[str, ...]) -> Lineage:
    """What the verdicts of a query that passed every check rest on."""
    select = sqlglot.parse_one(sql, read="duckdb")
    if not isinstance(select, exp.Select):
        return Lineage()
    reading = _Reading()
    reading.of(select, {"flagged", *identity}, None)
    order = sorted(reading.found, key=lambda one: (one.table, one.column, one.key))
    return Lineage(
        rests_on=tuple(order),
        subjects=tuple(_shown(select, column) for column in identity),
        compared=_compared(select),
    )


def _shown(select: exp.Select, column: str) -> Dependency | None:
    shown = next((one.unalias() for one in select.expressions if one.alias_or_name == column), None)
    tables = {source.alias_or_name: source.name for source in _sources(select) if isinstance(source, exp.Table)}
    if not isinstance(shown, exp.Column) or tables.get(shown.table) not in TABLES:
        return None
    return base_columns(tables[shown.table], shown.name)[0]


def _compared(select: exp.Select) -> dict[str, tuple[str, ...]]:
    """The texts and numbers in the same comparison as a column, in whatever functions: by the column's name and key."""
    compared: dict[str, dict[str, None]] = {}
    for column in select.find_all(exp.Column):
        comparison = column.find_ancestor(exp.Predicate, exp.Case, exp.Select)
        if isinstance(comparison, exp.Predicate | exp.Case):
            texts = compared.setdefault(_with_key(column), {})
            texts |= {literal.name: None for literal in comparison.find_all(exp.Literal)}
    return {name: tuple(texts) for name, texts in compared.items()}


def _sources(select: exp.Select) -> Iterator[exp.Expr]:
    if select.args.get("from_") is not None:
        yield select.args["from_"].this
    for join in select.args.get("joins") or ():
        yield join.this


@dataclass
class _Names:
    """The sources of one SELECT by alias, and what of them counts so far."""

    sources: dict[str, exp.Expr]
    queries: Mapping[str, exp.Select]  # those that WITH names
    outer: "_Names | None"
    wanted: dict[str, set[str]] = field(default_factory=dict)  # by alias, in the order in which they began to count

    def owner_of(self, column: exp.Column) -> "tuple[_Names, str] | None":
        """The SELECT and the alias that a column belongs to."""
        names: _Names | None = self
        while names is not None:
            for alias in names.sources:
                if alias == column.table or (not column.table and column.name in names.columns_of(alias)):
                    return names, alias
            names = names.outer
        return None

    def query_of(self, alias: str) -> exp.Select | None:
        """The SELECT behind an alias; None for a table."""
        source = self.sources[alias]
        if isinstance(source, exp.Subquery):
            inner = source.unnest()
            return inner if isinstance(inner, exp.Select) else None
        names: _Names | None = self
        while names is not None:
            if source.name in names.queries:
                return names.queries[source.name]
            names = names.outer
        return None

    def columns_of(self, alias: str) -> Sequence[str]:
        """The columns that an alias has."""
        query = self.query_of(alias)
        return query.named_selects if query is not None else tuple(TABLES.get(self.sources[alias].name, ()))


@dataclass
class _Reading:
    """One walk through a query."""

    found: set[Dependency] = field(default_factory=set)

    def of(self, select: exp.Select, columns: set[str] | None, outer: _Names | None) -> None:
        """Note what some columns of a SELECT rest on (None: all), and which rows it has."""
        names = _Names(
            sources={source.alias_or_name: source for source in _sources(select)},
            queries={cte.alias: cte.this for cte in select.ctes},
            outer=outer,
        )
        joins = {join.this.alias_or_name: join for join in select.args.get("joins") or ()}
        counting = any(
            not isinstance(call.this, exp.Distinct)
            for call in select.find_all(*_COUNTING)
            if call.parent_select is select
        )
        optional = {alias for alias, join in joins.items() if join.side == "LEFT" and not counting}
        decisive: list[exp.Expr] = [
            expression
            for expression in select.expressions
            if columns is None or expression.alias_or_name in columns or select.args.get("distinct")
        ]
        decisive += [select.args[part] for part in ("where", "group", "having") if select.args.get(part) is not None]
        for alias in names.sources:
            if alias not in optional:
                names.wanted.setdefault(alias, set())
        read: set[str] = set()
        while decisive or set(names.wanted) - read:
            while decisive:
                self._expression(decisive.pop(), names)
            for alias in [alias for alias in names.wanted if alias not in read]:
                read.add(alias)
                condition = joins[alias].args.get("on") if alias in joins else None
                if condition is not None:
                    decisive.append(condition)
        for alias, wanted in names.wanted.items():
            values = names.sources[alias].name == "settings" and "value" in wanted
            confined = {f"value.{name}" for name in _settings(select, alias)} if values else set()
            self._source(names, alias, wanted - {"value"} | confined if confined else wanted)

    def _expression(self, expression: exp.Expr, names: _Names) -> None:
        for node in expression.walk(prune=lambda node: isinstance(node, _NESTED)):
            if isinstance(node, exp.Column):
                owner = names.owner_of(node)
                if owner is not None:
                    owner[0].wanted.setdefault(owner[1], set()).add(_with_key(node))
            elif isinstance(node, _NESTED):
                inner = node.unnest() if isinstance(node, exp.Subquery) else node
                if isinstance(inner, exp.Select):
                    self.of(inner, None, names)

    def _source(self, names: _Names, alias: str, wanted: set[str]) -> None:
        query = names.query_of(alias)
        if query is not None:
            self.of(query, {column.partition(".")[0] for column in wanted}, names)
            return
        table = names.sources[alias].name
        for column in (*key_columns(table), *wanted):
            name, _, key = column.partition(".")
            for one in base_columns(table, name):
                self.found.add(Dependency(one.table, one.column, key if one.column in _KEYED else ""))


def _settings(select: exp.Select, alias: str) -> list[str]:
    """The names that a source of settings is confined to; empty where it is not."""
    compared = (
        node
        for node in select.find_all(exp.EQ, exp.In)
        if isinstance(node.this, exp.Column) and node.this.name == "name" and node.this.table == alias
    )
    sides = (side for node in compared for side in (node.expressions or [node.expression]))
    return sorted({side.name for side in sides if isinstance(side, exp.Literal)})


def _with_key(column: exp.Column) -> str:
    """A column's name, with the key of a JSON column that is read: ``detail.trashed``."""
    parent = column.parent
    if isinstance(parent, exp.JSONExtractScalar) and parent.this is column:
        keys = [str(part.this) for part in parent.expression.find_all(exp.JSONPathKey)]
        if keys:
            return f"{column.name}.{'.'.join(keys)}"
    return column.name
