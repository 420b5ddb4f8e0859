"""Where a query gives a verdict on what is not known: constructs of SQL that turn NULL into TRUE or FALSE.

Whether a rule does so is found out by trying (`cloudscan.engine.forgetting`). This only looks for the likely reason, so
that the author gets a line and what to write instead.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import sqlglot
from sqlglot import exp

from cloudscan.snapshot.sql import Lines

_FLOW: Final = "let NULL reach `flagged`: compare the column directly, without a default"
_DEFAULT: Final = "{written} gives a known value to what is not known; write {plain}"
_KEEP: Final = (
    "{condition} drops the row when it is not known; write it into `flagged`, or keep such rows: "
    "({condition} OR {column} IS NULL)"
)
_NEVER: Final = (
    "{test} is never unknown; write what is to be decided without it, or CASE WHEN {test} THEN NULL ELSE … END"
)
_BRANCH: Final = (
    "CASE goes on to the next branch where a condition is unknown; begin with WHEN {column} IS NULL THEN NULL"
)
_EXISTS: Final = (
    "EXISTS is never unknown; write CASE WHEN EXISTS (… what is known …) THEN FALSE WHEN EXISTS (… the row of an "
    "unread list: its columns are NULL …) THEN NULL ELSE TRUE END, or 'value' IN (SELECT …), which stays unknown "
    "beside NULL"
)
_COUNTED: Final = (
    "{call} leaves out what is not known; count that as well, and write "
    "CASE WHEN known >= $n THEN TRUE WHEN known + unread < $n THEN FALSE END"
)
_JOIN: Final = "JOIN drops the row when there is nothing known to join; write LEFT JOIN {table} ON …"
_AGGREGATES: Final = (exp.Count, exp.Sum, exp.Min, exp.Max)


class _Sort(IntEnum):
    """The sorts of traps, the surest first."""

    DEFAULT = 0
    NULL_SAFE = 1
    IS = 2
    CASE = 3
    EXISTS = 4
    COUNT = 5
    JOIN = 6
    WHERE = 7

    @property
    def drops_rows(self) -> bool:
        return self >= _Sort.JOIN


@dataclass(frozen=True)
class Trap:
    """A place in a query, counted from its first line, and what to write instead."""

    line: int
    instead: str


def trap(sql: str, columns: Collection[str], tables: Collection[str] = (), *, disappears: bool) -> Trap:
    """The likeliest reason that a query does not stay unknown without some columns (``name`` or ``detail.key``).

    `tables` are those in which a list of rows is not known. `disappears`: there is no row any more, so that conditions
    on rows are likelier than defaults.
    """
    select = sqlglot.parse_one(sql, read="duckdb")
    lines = Lines(sql)
    named = [node for node in select.find_all(exp.Column) if node.name in columns or _with_key(node) in columns]
    lists = [table for table in select.find_all(exp.Table) if table.name in tables]
    found = [
        (sort.drops_rows is not disappears, sort, lines.of(node), instead)
        for nodes, traps in ((named, _around), (lists, _over))
        for node in nodes
        for sort, instead in traps(node)
    ]
    if found:
        return Trap(*min(found)[2:])
    return Trap(min(map(lines.of, named), default=1), _FLOW)


def _around(column: exp.Expr) -> Iterator[tuple[_Sort, str]]:
    """What around a column keeps NULL from being passed on."""
    node = column
    while node.parent is not None and not isinstance(node, exp.Select):
        node = node.parent
        match node:
            case exp.Coalesce() | exp.Nullif():
                yield _Sort.DEFAULT, _without_default(node)
            case exp.NullSafeNEQ() | exp.NullSafeEQ():
                sign = "<>" if isinstance(node, exp.NullSafeNEQ) else "="
                plain = f"{_short(node.this)} {sign} {_short(node.expression)}"
                yield _Sort.NULL_SAFE, _DEFAULT.format(written=_short(node), plain=plain)
            case exp.Is():
                yield _Sort.IS, _NEVER.format(test=_short(node))
            case exp.Case():
                yield _Sort.CASE, _BRANCH.format(column=_short(column))
            case exp.Where() | exp.Having():
                condition = column.find_ancestor(exp.Predicate) or column
                yield _Sort.WHERE, _KEEP.format(condition=_short(condition), column=_short(column))
            case exp.Join() if not node.side:
                yield _Sort.JOIN, _JOIN.format(table=_short(node.this))
            case exp.Count() | exp.Sum() | exp.Min() | exp.Max():
                yield _Sort.COUNT, _COUNTED.format(call=_short(node))
            case _:
                pass
    if column.find_ancestor(exp.Exists) is not None:
        yield _Sort.EXISTS, _EXISTS


def _over(table: exp.Expr) -> Iterator[tuple[_Sort, str]]:
    """What may overlook that the rows of a table are not all known."""
    if table.find_ancestor(exp.Exists) is not None:
        yield _Sort.EXISTS, _EXISTS
    if isinstance(table.parent, exp.Join) and not table.parent.side:
        yield _Sort.JOIN, _JOIN.format(table=_short(table))
    select = table.find_ancestor(exp.Select)
    for call in select.find_all(*_AGGREGATES) if select is not None else ():
        if call.find_ancestor(exp.Select) is select:
            yield _Sort.COUNT, _COUNTED.format(call=_short(call))


def _without_default(call: exp.Expr) -> str:
    """The comparison as it should be: the value itself in the place of the call."""
    written = _short(call.find_ancestor(exp.Predicate) or call)
    return _DEFAULT.format(written=written, plain=written.replace(_short(call), _short(call.this)))


def _short(node: exp.Expr) -> str:
    return node.sql(dialect="duckdb")


def _with_key(column: exp.Column) -> str:
    parent = column.parent
    if isinstance(parent, exp.JSONExtractScalar) and parent.this is column:
        return f"{column.name}.{'.'.join(str(part.this) for part in parent.expression.find_all(exp.JSONPathKey))}"
    return column.name
