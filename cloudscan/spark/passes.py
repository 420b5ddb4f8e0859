"""Rules that share a pass over a table on Spark, and what one pass counts.

Most rules are a condition over one table, folded by one of a few identities. They are counted together: for each
identity three numbers say, a bit a rule, whether the rule saw it, flagged it, could not decide it. What goes over the
network is these three, however many rules there are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import sqlglot
from sqlglot import exp

from cloudscan.engine.folding import FLAGGED, UNKNOWN, BoundRule, Tally, weight_of
from cloudscan.spark.dialect import Translated, translate
from cloudscan.spark.functions import name

_BITS: Final = 60
"""Rules in one pass: a number has 63 bits to spare."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A rule as Spark is asked."""

    rule: BoundRule
    query: Translated
    source: str  # what stands in its FROM; empty if it cannot share a pass
    reads_one: bool  # one table is all there
    where: str  # its condition; empty: none
    shown: Mapping[str, str]  # the SQL of each of its columns

    @property
    def identity(self) -> str:
        """The SQL of its identity, which rules of one pass share."""
        return ", ".join(self.shown[column] for column in self.rule.rule.identity)

    def over(self, view: str) -> Translated:
        """Its query over a view with rows of its table."""
        shown = ", ".join(f"{sql} AS {name(column)}" for column, sql in self.shown.items())
        alias = self.source.partition(" AS ")[2]
        where = f" WHERE {self.where}" if self.where else ""
        return Translated(f"SELECT {shown} FROM {name(view)} AS {alias}{where}", self.query.columns)

    @property
    def not_passed(self) -> str:
        """The SQL of a condition for the rows of the table that can flag something or leave it undecided."""
        undecided = f"({self.shown['flagged']}) IS NOT FALSE"
        return f"(({self.where}) AND {undecided})" if self.where else f"({undecided})"


@dataclass(frozen=True, kw_only=True)
class Pass:
    """Rules over the same tables, joined the same way, with the same identity."""

    rules: Sequence[Asked]

    @property
    def sql(self) -> str:
        """A query that gives one row: for each rule, how many identities it flagged, could not decide, and saw."""
        if not self.rules[0].source:
            return alone(self.rules[0])
        # Each condition stands in the text once: Spark takes as long to read a query as to run it on a small estate.
        weights = ", ".join(f"{_weight_if_asked(asked)} AS w{bit}" for bit, asked in enumerate(self.rules))
        first = self.rules[0]
        identity = [first.shown[column] for column in first.rule.rule.identity]
        named = ", ".join(f"{sql} AS k{index}" for index, sql in enumerate(identity))
        keys = ", ".join(f"k{index}" for index in range(len(identity)))
        bits = ", ".join(
            f"bit_or({' | '.join(f'IF(w{bit} {test}, {1 << bit}L, 0L)' for bit in range(len(self.rules)))}) AS {label}"
            for label, test in (("seen", "IS NOT NULL"), ("flagged", f"= {FLAGGED}"), ("unknown", f"= {UNKNOWN}"))
        )
        counts = ", ".join(
            f"count_if(flagged & {1 << bit}L <> 0), count_if((unknown & ~flagged) & {1 << bit}L <> 0), "
            f"count_if(seen & {1 << bit}L <> 0)"
            for bit in range(len(self.rules))
        )
        rows = f"SELECT {named}, {weights} FROM {first.source}"
        return f"SELECT array({counts}) AS counts FROM (SELECT {bits} FROM ({rows}) GROUP BY {keys})"

    def tallies(self, counts: Sequence[int]) -> Iterator[tuple[str, Tally]]:
        """What the row means, by rule id."""
        for index, asked in enumerate(self.rules):
            flagged, unknown, seen = counts[3 * index : 3 * index + 3]
            yield asked.rule.rule.id, Tally(flagged=flagged, unknown=unknown, passed=seen - flagged - unknown)


def asked(rule: BoundRule) -> Asked:
    """A rule as Spark is asked. Raises `Untranslatable`."""
    select = sqlglot.parse_one(rule.rule.query, read="duckdb")
    if not isinstance(select, exp.Select):
        raise TypeError(rule.rule.id)  # the loader has refused it
    query = translate(select, rule.values)
    parts = query.parts
    simple = _is_simple(select)
    return Asked(
        rule=rule,
        query=query,
        source=parts.source if simple else "",
        reads_one=simple and not select.args.get("joins"),
        where=parts.where,
        shown=parts.shown,
    )


def passes(rules: Sequence[Asked]) -> list[Pass]:
    """Rules in as few passes as they need; a rule with subqueries or aggregates has one to itself."""
    groups: dict[tuple[str, str], list[Asked]] = {}
    for one in rules:
        groups.setdefault((one.source, one.identity) if one.source else ("", one.rule.rule.id), []).append(one)
    return [
        Pass(rules=group[begin : begin + _BITS]) for group in groups.values() for begin in range(0, len(group), _BITS)
    ]


def alone(one: Asked) -> str:
    """A query that gives what `Pass.sql` gives, for one rule of any form."""
    return (
        f"SELECT array(count_if(weight = {FLAGGED}), count_if(weight = {UNKNOWN}), count(*)) AS counts "
        f"FROM ({weight_by_identity(one)})"
    )


def weight_by_identity(one: Asked) -> str:
    """A query that gives one row an identity, with the index of its judgement in `JUDGEMENTS`."""
    keys = ", ".join(map(name, one.rule.rule.identity))
    return f"SELECT {keys}, max({weight_of('flagged')}) AS weight FROM ({one.query.sql}) GROUP BY {keys}"


def _weight_if_asked(one: Asked) -> str:
    """What `weight_of` says of a row that meets the condition, NULL of others; `flagged` stands in it once."""
    weight = f"coalesce({FLAGGED} * CAST(({one.shown['flagged']}) AS INT), {UNKNOWN})"
    return f"IF({one.where}, {weight}, NULL)" if one.where else weight


def _is_simple(select: exp.Select) -> bool:
    origin = select.args.get("from_")
    return (
        origin is not None
        and isinstance(origin.this, exp.Table)
        and all(isinstance(join.this, exp.Table) for join in select.args.get("joins") or [])
        and not any(select.args.get(part) for part in ("group", "having", "distinct", "with_", "with"))
        and select.find(exp.Subquery, exp.Exists, exp.AggFunc) is None
        and not any(one.args.get("query") for one in select.find_all(exp.In))
    )
