"""The parts of a rule's query, as far as folding needs to know them: what several rules can have in common.

A query has parts if it is a plain SELECT: no WITH, no groups, no subquery among its conditions that reads a column,
every column named with its table. Any other query is run as it is written. Tables get aliases that say how they are
joined, so that what several rules join alike is the same text.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import sqlglot
from sqlglot import exp

ALIAS: Final = "judged_row"
"""The alias of the table after FROM."""

_JOINED: Final = "joined_"

_WHOLE: Final = ("with_", "with", "group", "having", "distinct", "limit", "qualify")
_UNIQUE: Final = frozenset({"resources", "principals"})
"""The tables in which sealing lets a uid stand once."""

_FEW: Final[Mapping[str, str]] = {
    "accounts": "principal_uid",
    "people": "uid",
    "partners": "uid",
    "partner_accounts": "principal_uid",
    "ranks": "resource_uid",
}
"""Tables that have few rows for one value of this column."""

_PLACEHOLDER: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(\w+)")


@dataclass(frozen=True)
class Join:
    """A joined table, as SQL."""

    alias: str
    sql: str
    needs: frozenset[str]  # the tables that its condition names, by alias
    adds_columns: bool  # LEFT JOIN: no row is taken away
    keeps_rows: bool  # and none comes twice, because a uid stands for one row
    few: bool  # and, if any comes twice, then not often


@dataclass(frozen=True)
class Anatomy:
    """The parts, as SQL."""

    table: str  # after FROM
    joins: tuple[Join, ...]
    within: tuple[str, ...]  # conditions that a platform is of a given name
    where: str  # all other conditions
    flagged: str
    caught: str  # that `flagged` is not FALSE, asked of its parts
    identity: tuple[str, ...]
    columns: Mapping[str, str]  # what the query yields, by name
    looking: frozenset[str]  # the tables that WHERE and the identity name, by alias
    judging: frozenset[str]  # and those that `flagged` names

    @property
    def source(self) -> str:
        """The table with its alias."""
        return f"{self.table} AS {ALIAS}"

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
            caught=_renamed(self.caught, names),
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
    table = select.args["from_"].this if select.args.get("from_") else None
    joins = [*select.args.get("joins", ())]
    if not isinstance(table, exp.Table) or not _is_plain(select, table, joins):
        return None
    parts = _joins(select, table, joins)
    where = [*_conditions(select)]
    columns = {column.alias_or_name: column.unalias() for column in select.expressions}
    looking = {alias for part in (*where, *(columns[column] for column in identity)) for alias in _named(part)}
    return Anatomy(
        table=table.name,
        joins=parts,
        within=tuple(sorted(_sql(condition) for condition in where if _is_platform(condition))),
        where=" AND ".join(f"({_sql(condition)})" for condition in where if not _is_platform(condition)) or "TRUE",
        flagged=_sql(columns["flagged"]),
        caught=_not_false(columns["flagged"]),
        identity=tuple(_sql(columns[column]) for column in identity),
        columns={name: _sql(column) for name, column in columns.items()},
        looking=frozenset(looking),
        judging=frozenset(looking | _named(columns["flagged"])),
    )


def _is_plain(select: exp.Expr, table: exp.Table, joins: Sequence[exp.Join]) -> bool:
    """Whether a query judges row by row, by columns of its own tables."""
    aliases = {table.alias_or_name, *(join.this.alias_or_name for join in joins)}
    if any(select.args.get(part) for part in _WHOLE) or len(aliases) <= len(joins):
        return False
    if any(alias.startswith((ALIAS, _JOINED)) for alias in aliases):
        return False
    if any(join.side not in ("", "LEFT") or join.args.get("on") is None for join in joins):
        return False
    parts = (*_conditions(select), *select.expressions, *(join.args["on"] for join in joins))
    return all(
        not isinstance(node, exp.AggFunc)
        and not (isinstance(node, exp.Column) and node.table not in aliases)
        and not (isinstance(node, exp.Select) and any(node.find_all(exp.Column)))
        for part in parts
        for node in part.walk()
    )


def _joins(select: exp.Expr, table: exp.Table, joins: Sequence[exp.Join]) -> tuple[Join, ...]:
    """The joined tables; all aliases in the query are changed."""
    _call(select, table, ALIAS)
    parts = []
    for join in joins:
        _call(select, join.this, _JOINED)
        alias = _JOINED + hashlib.sha256(_sql(join).encode()).hexdigest()[:12]
        _call(select, join.this, alias)
        parts.append(_join(join, alias))
    return tuple(parts)


def _call(select: exp.Expr, table: exp.Expr, alias: str) -> None:
    """Give a table of a query another alias."""
    old = table.alias_or_name
    parts = (*_conditions(select), *select.expressions, *(join.args["on"] for join in select.args.get("joins", ())))
    for part in parts:
        for column in part.find_all(exp.Column):
            if column.table == old:
                column.set("table", exp.to_identifier(alias))
    table.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))


def _conditions(select: exp.Expr) -> Iterator[exp.Expr]:
    where = select.args.get("where")
    if where is not None:
        yield from where.this.flatten() if isinstance(where.this, exp.And) else [where.this]


def _join(join: exp.Join, alias: str) -> Join:
    on, left = join.args["on"], join.side == "LEFT"
    name = join.this.name if isinstance(join.this, exp.Table) else ""
    keeps = left and name in _UNIQUE and _finds(on, alias, "uid")
    return Join(
        alias=alias,
        sql=_sql(join),
        needs=frozenset(_named(on) - {alias, ALIAS}),
        adds_columns=left,
        keeps_rows=keeps,
        few=keeps or (left and name in _FEW and _finds(on, alias, _FEW[name])),
    )


def _not_false(condition: exp.Expr) -> str:
    """That a condition is TRUE or NULL. Of parts that stand for themselves, most rows are asked the first alone."""
    if isinstance(condition, exp.Paren):
        return _not_false(condition.this)
    if isinstance(condition, exp.And | exp.Or):
        word = " AND " if isinstance(condition, exp.And) else " OR "
        return f"({word.join(map(_not_false, condition.flatten()))})"
    return f"({_sql(condition)})::BOOLEAN IS DISTINCT FROM FALSE"


def _finds(on: exp.Expr, alias: str, column: str) -> bool:
    """Whether a condition, or a part of it, says that a column of the joined table equals something of another one."""
    return any(
        isinstance(condition, exp.EQ)
        and any(
            isinstance(one, exp.Column) and one.table == alias and one.name == column and alias not in _named(other)
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
    return part.sql(dialect="duckdb", comments=False, copy=False)


def _renamed(sql: str, names: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: f"${names[match[1]]}" if match[1] else match[0], sql)
