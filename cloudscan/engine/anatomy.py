"""The parts of a rule's query, as far as folding needs to know them: what several rules can have in common.

A query has parts if it is a plain SELECT: no WITH, no groups, no subquery among its conditions, every column named with
its table. Any other query is run as it is written.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import sqlglot
from sqlglot import exp

_NESTED: Final = (exp.Select, exp.Subquery)
_WHOLE: Final = ("with_", "with", "group", "having", "distinct", "limit", "qualify")
_UNIQUE: Final = frozenset({"resources", "principals"})
"""The tables in which sealing lets a uid stand once."""

_PLACEHOLDER: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(\w+)")


@dataclass(frozen=True)
class Join:
    """A joined table, as SQL."""

    alias: str
    sql: str
    needs: frozenset[str]  # the tables that its condition names, by alias
    adds_columns: bool  # LEFT JOIN: no row is taken away
    keeps_rows: bool  # and none comes twice, because a uid stands for one row


@dataclass(frozen=True)
class Anatomy:
    """The parts, as SQL."""

    source: str  # the table after FROM
    alias: str
    joins: tuple[Join, ...]
    within: tuple[str, ...]  # conditions that a platform is of a given name
    where: str  # all other conditions
    flagged: str
    identity: tuple[str, ...]
    columns: Mapping[str, str]  # what the query yields, by name
    looking: frozenset[str]  # the tables that WHERE and the identity name, by alias
    judging: frozenset[str]  # and those that `flagged` names

    def needed(self, aliases: frozenset[str]) -> tuple[Join, ...]:
        """The joins without which these tables cannot be named, or that take rows away; in order.

        Any other adds columns that nobody asks for, and the same row twice changes no verdict.
        """
        wanted = set(aliases)
        for join in reversed(self.joins):
            if join.alias in wanted or not join.adds_columns:
                wanted |= {join.alias, *join.needs}
        return tuple(join for join in self.joins if join.alias in wanted)

    def renamed(self, names: Mapping[str, str]) -> "Anatomy":
        """The same with other names after the ``$``."""
        return replace(
            self,
            joins=tuple(replace(join, sql=_renamed(join.sql, names)) for join in self.joins),
            where=_renamed(self.where, names),
            flagged=_renamed(self.flagged, names),
            identity=tuple(_renamed(sql, names) for sql in self.identity),
            columns={column: _renamed(sql, names) for column, sql in self.columns.items()},
        )


def placeholders(sql: str) -> set[str]:
    """The ``$names`` in a text of SQL that was written by `anatomy`."""
    return {match[1] for match in _PLACEHOLDER.finditer(sql) if match[1]}


@lru_cache(maxsize=1_000)
def anatomy(sql: str, identity: tuple[str, ...]) -> Anatomy | None:
    """The parts of a query that passed every check; None if it has to be run as it is written."""
    select = sqlglot.parse_one(sql, read="duckdb")
    if not isinstance(select, exp.Select) or any(select.args.get(part) for part in _WHOLE):
        return None
    table = select.args["from_"].this if select.args.get("from_") else None
    if not isinstance(table, exp.Table):
        return None
    joins = [*select.args.get("joins", ())]
    aliases = frozenset({table.alias_or_name, *(join.this.alias_or_name for join in joins)})
    where = [*_conditions(select)]
    columns = {column.alias_or_name: column.unalias() for column in select.expressions}
    if len(aliases) <= len(joins) or not all(_is_plain(part, aliases) for part in (*where, *columns.values())):
        return None
    if any(join.side not in ("", "LEFT") or join.args.get("on") is None for join in joins):
        return None
    parts = [_join(join, aliases) for join in joins]
    if any(not _is_plain(join.args["on"], aliases) for join in joins):
        return None
    looking = {alias for part in (*where, *(columns[column] for column in identity)) for alias in _named(part)}
    within = [condition for condition in where if _is_platform(condition)]
    rest = [condition for condition in where if not _is_platform(condition)]
    return Anatomy(
        source=_sql(table),
        alias=table.alias_or_name,
        joins=tuple(parts),
        within=tuple(sorted(map(_sql, within))),
        where=" AND ".join(f"({_sql(condition)})" for condition in rest) or "TRUE",
        flagged=_sql(columns["flagged"]),
        identity=tuple(_sql(columns[column]) for column in identity),
        columns={name: _sql(column) for name, column in columns.items()},
        looking=frozenset(looking),
        judging=frozenset(looking | _named(columns["flagged"])),
    )


def _conditions(select: exp.Select) -> Iterator[exp.Expr]:
    where = select.args.get("where")
    if where is not None:
        yield from where.this.flatten() if isinstance(where.this, exp.And) else [where.this]


def _is_plain(part: exp.Expr, aliases: frozenset[str]) -> bool:
    """Whether a part is made of columns of the query's own tables, row by row."""
    return not any(
        isinstance(node, (exp.AggFunc, *_NESTED)) or (isinstance(node, exp.Column) and node.table not in aliases)
        for node in part.walk()
    )


def _join(join: exp.Join, aliases: frozenset[str]) -> Join:
    alias, on, left = join.this.alias_or_name, join.args["on"], join.side == "LEFT"
    return Join(
        alias=alias,
        sql=_sql(join),
        needs=frozenset(_named(on)) & aliases - {alias},
        adds_columns=left,
        keeps_rows=left and isinstance(join.this, exp.Table) and join.this.name in _UNIQUE and _finds_one(on, alias),
    )


def _finds_one(on: exp.Expr, alias: str) -> bool:
    """Whether a condition, or a part of it, says that the joined table's uid equals something of another table."""
    return any(
        isinstance(condition, exp.EQ)
        and any(
            isinstance(one, exp.Column) and one.table == alias and one.name == "uid" and alias not in _named(other)
            for one, other in ((condition.this, condition.expression), (condition.expression, condition.this))
        )
        for condition in (on.flatten() if isinstance(on, exp.And) else [on])
    )


def _is_platform(condition: exp.Expr) -> bool:
    return (
        isinstance(condition, exp.EQ)
        and isinstance(condition.this, exp.Column)
        and condition.this.name == "platform"
        and isinstance(condition.expression, exp.Literal)
    )


def _named(part: exp.Expr) -> set[str]:
    return {column.table for column in part.find_all(exp.Column)}


def _sql(part: exp.Expr) -> str:
    return part.sql(dialect="duckdb", comments=False)


def _renamed(sql: str, names: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: f"${names[match[1]]}" if match[1] else match[0], sql)
