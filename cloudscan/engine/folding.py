"""The door between the large tables and the verdicts: what an engine answers about rules over a snapshot.

A rule's rows are folded by its identity where the tables are (DuckDB in this process, `cloudscan.engine.local_folding`;
or a cluster). Verdicts are built here, from the small results (`cloudscan.engine.evidence`), so that every engine words
its answers alike.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

import duckdb

from cloudscan.engine.rule_file import ParamValue, Rule
from cloudscan.facts import Access, Audience
from cloudscan.finding import Judgement

EVIDENCE: Final = 20
"""Pieces of evidence kept for one verdict; `Verdict.rows` counts them all."""

JUDGEMENTS: Final = (Judgement.PASSED, Judgement.UNKNOWN, Judgement.FLAGGED)
"""In ascending order of weight: the heaviest row decides for its identity. SQL speaks of them by index."""

UNKNOWN: Final = JUDGEMENTS.index(Judgement.UNKNOWN)
FLAGGED: Final = JUDGEMENTS.index(Judgement.FLAGGED)


@dataclass(frozen=True, kw_only=True)
class BoundRule:
    """A rule with the values of its parameters."""

    rule: Rule
    params: Mapping[str, ParamValue]  # that replace defaults
    as_of: datetime  # "now", on the organisation's clock
    values: Mapping[str, object]  # for each ``$name`` of the query, the clock among them


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How many identities a rule looked at, by what became of them."""

    flagged: int = 0
    unknown: int = 0
    passed: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Extent:
    """How far one verdict reaches, in the terms of `Verdict`."""

    rows: int
    audience: Audience | None = None
    access: Access | None = None
    since: datetime | None = None
    rank: int | None = None
    likelihood: int | None = None
    resources: int = 1
    bytes: int | None = None
    people: int | None = None


@dataclass(frozen=True, slots=True)
class NotPassed:
    """An identity that was flagged or is unknown. Uids are keys, times are in UTC without a zone."""

    judgement: Judgement
    identity: Sequence[Any]  # a value for each of the rule's identity columns
    evidence: Sequence[Sequence[Any]]  # the weightiest rows behind it, at most `EVIDENCE`; see `evidence_order`
    extent: Extent


class Folding(Protocol):
    """Rules over the tables of one snapshot. Ask for the tallies first: that is where the tables are read.

    All raise `RuleError`, naming the rule, where a rule's query cannot run.
    """

    def tallies(self, rules: Sequence[BoundRule]) -> Mapping[str, Tally]:
        """What became of every identity, counted, by rule id. Rules may share a pass over the tables."""
        ...

    def not_passed(self, rule: BoundRule) -> Iterator[NotPassed]:
        """The flagged, then the unknown identities of a rule whose tally says that there are any.

        Each in ascending order of the identity, column by column, NULL last.
        """
        ...

    def judgements_of(self, rule: BoundRule, identities: Sequence[Sequence[str]]) -> dict[tuple[str, ...], Judgement]:
        """What became of given identities, written as in a verdict; one that is not in the snapshot is left out."""
        ...

    def known_of(self, keys: AbstractSet[int]) -> duckdb.DuckDBPyConnection:
        """A connection with the tables that `Lookup` reads, with at least the rows that these keys lead to.

        That is: ids, resources, principals, grants, accounts, people, partners, waivers and templates; of resources
        also all parents and containers above them, of resources and principals the owners, sponsors and managers.
        """
        ...


def evidence_columns(rule: Rule) -> list[str]:
    """The columns of a piece of evidence: all that the rule yields but for what the engine asked of it."""
    return [column for column in rule.columns if column not in ("flagged", "likelihood")]


def evidence_order(columns: Sequence[str]) -> list[tuple[str, bool]]:
    """What the rows of one verdict are ordered by, so that it is the same every time: a column, whether it descends.

    NULL is last in any case. The column "" stands for `resource_uid = origin_uid`: the resource where the fix belongs
    comes before those that merely inherit from it.
    """
    own = [("", True)] if {"resource_uid", "origin_uid"} <= set(columns) else []
    heavy = [(column, True) for column in ("audience", "access") if column in columns]
    return [*own, *heavy, *((column, False) for column in columns)]


def weight_of(flagged: str) -> str:
    """The SQL that gives the index of a row's judgement in `JUDGEMENTS`."""
    return f"CASE WHEN {flagged} THEN {FLAGGED} WHEN {flagged} IS NULL THEN {UNKNOWN} ELSE 0 END"
