"""Rules that read the same tables share one pass over them.

Most rules are a predicate over the same rows, folded by one of a few identities. So one query keeps each row that any
of the rules flags or cannot decide (they are few), with the columns that any of them yields and the weight that each
gives it; another counts the identities that each rule looks at. What passed is the difference.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cloudscan.engine.anatomy import ALIAS, Anatomy, Join, anatomy, placeholders
from cloudscan.engine.folding import BoundRule, weight_of
from cloudscan.snapshot.database import identifier

SIZE: Final = "the size"
RANK: Final = "the rank"
"""Columns of a pass's rows beside those that rules yield: of the resource, where the table says them itself."""

_SIZED: Final = "exposures"
_RESOURCE: Final = f"{ALIAS}.resource_uid"
_SIZES: Final = (f"{ALIAS}.size_bytes", f"{ALIAS}.rank")


@dataclass(frozen=True)
class Member:
    """A rule of a pass: its parts, with names for its parameters that are its own."""

    rule: BoundRule
    parts: Anatomy
    weight: str  # its column in the pass's table
    whole: bool  # whether the pass's rows are the rule's own, with all that it yields

    @property
    def joins(self) -> tuple[Join, ...]:
        """What has to be joined for it."""
        return self.parts.joins if self.whole else self.parts.needed(self.parts.judging)

    @property
    def kept(self) -> dict[str, None]:
        """What has to be kept of a row for it, in order."""
        yielded = [sql for name, sql in self.parts.columns.items() if name != "flagged"] if self.whole else []
        return dict.fromkeys((*self.parts.identity, *yielded, *(_SIZES if self.sized else ())))

    @property
    def sized(self) -> bool:
        """Whether its resource is that of the row, which says how large it is, and its rank."""
        return self.whole and self.parts.table == _SIZED and self.parts.columns.get("resource_uid") == _RESOURCE


@dataclass(frozen=True)
class Count:
    """A query with one row, a number in each column: the identities that some rules look at."""

    sql: str
    members: tuple[tuple[Member, ...], ...]  # for each column


@dataclass(frozen=True)
class Pass:
    """Rules over the same rows."""

    members: tuple[Member, ...]
    table: str  # where rows are kept
    kept: str  # the query that gives them
    counts: tuple[Count, ...]
    columns: Mapping[str, str]  # the columns of the table, by what they are in the rules' SQL
    values: Mapping[str, object]  # for the ``$names`` in all queries

    def bound(self, sql: str) -> dict[str, object] | None:
        """The values that one of the queries uses."""
        return {name: self.values[name] for name in placeholders(sql)} or None

    def yields(self, member: Member) -> str:
        """The select list that gives a rule's columns from the table, called `q`."""
        wanted = {name: sql for name, sql in member.parts.columns.items() if name != "flagged"}
        if member.sized:
            wanted |= dict(zip((SIZE, RANK), _SIZES, strict=True))
        return ", ".join(f"q.{self.columns[sql]} AS {identifier(name)}" for name, sql in wanted.items())

    def identity(self, member: Member) -> list[str]:
        """The columns of the table that are a rule's identity."""
        return [self.columns[sql] for sql in member.parts.identity]


@dataclass
class _Group:
    """Rules on their way into a pass."""

    members: list[Member] = field(default_factory=list)
    joins: dict[str, Join] = field(default_factory=dict)  # by alias


@dataclass
class _Values:
    """One name for each value of each parameter, so that conditions with the same parameters read alike."""

    by_name: dict[str, object] = field(default_factory=dict)
    _names: dict[tuple[str, type, object], str] = field(default_factory=dict)

    def names(self, rule: BoundRule) -> dict[str, str]:
        return {name: self._name(name, value) for name, value in rule.values.items()}

    def _name(self, name: str, value: object) -> str:
        chosen = self._names.setdefault((name, type(value), value), f"v{len(self._names)}")
        self.by_name[chosen] = value
        return chosen


def passes(rules: Sequence[BoundRule]) -> list[Pass]:
    """The passes that several of these rules can share; a rule that is in none has to run by itself."""
    values = _Values()
    groups: dict[tuple[object, ...], _Group] = {}
    for number, rule in enumerate(rules):
        parts = anatomy(rule.rule.sql, tuple(rule.rule.identity))
        if parts is None:
            continue
        parts = parts.renamed(values.names(rule))
        fixed = list(parts.needed(frozenset()))
        free = [join for join in parts.needed(parts.judging) if join not in fixed]
        if not all(join.few for join in free):
            continue
        keeps_rows = all(join.keeps_rows for join in free)
        whole = all(join.keeps_rows or join in fixed for join in parts.joins)
        member = Member(rule, parts, f"w{number}", whole)
        # Conditions that name a joined table are tried when it is joined; all others before, on fewer columns.
        own = fixed + [join for join in member.joins if (keeps_rows and join in free) or placeholders(join.sql)]
        kind = (parts.table, parts.within, keeps_rows, *sorted(join.sql for join in own))
        group = groups.setdefault(kind, _Group())
        group.members.append(member)
        group.joins |= {join.alias: join for join in member.joins if join.alias not in group.joins}
    shared = [group for kind, group in groups.items() if len(group.members) > 1 or kind[0] == _SIZED]
    return [_pass(group, f"kept_{number}", values.by_name) for number, group in enumerate(shared)]


def _pass(group: _Group, table: str, values: Mapping[str, object]) -> Pass:
    yielded = dict.fromkeys(sql for member in group.members for sql in member.kept)
    columns = {sql: f"x{number}" for number, sql in enumerate(yielded)}
    rows = [f"{sql} AS {name}" for sql, name in columns.items()]
    weights = [
        f"(CASE WHEN {member.parts.where} THEN {weight_of(f'({member.parts.flagged})')} END)::UTINYINT "
        f"AS {member.weight}"
        for member in group.members
    ]
    caught = " OR ".join(
        f"({where} AND ({' OR '.join(dict.fromkeys(member.parts.caught for member in some))}))"
        for where, some in _by_condition(group.members).items()
    )
    return Pass(
        members=tuple(group.members),
        table=table,
        kept=f"SELECT {', '.join(rows + weights)} {_from(group.members[0].parts, group.joins.values(), caught)}",
        counts=tuple(_counts(group)),
        columns=columns,
        values=values,
    )


def _counts(group: _Group) -> Iterator[Count]:
    by_identity: dict[tuple[str, ...], list[Member]] = {}
    for member in group.members:
        by_identity.setdefault(member.parts.identity, []).append(member)
    for identity, members in by_identity.items():
        looked_at = _by_condition(members)
        wanted = {join.alias for member in members for join in member.parts.needed(member.parts.looking)}
        joins = [join for join in group.joins.values() if join.alias in wanted]
        keys = [f"{sql} AS i{number}" for number, sql in enumerate(identity)]
        flags = [f"{where} AS c{number}" for number, where in enumerate(looked_at)]
        rows = f"SELECT {', '.join(keys + flags)} {_from(members[0].parts, joins, ' OR '.join(looked_at))}"
        grouped = ", ".join(f"i{number}" for number in range(len(keys)))
        if len(looked_at) == 1:
            sql = f"SELECT count(*) FROM (SELECT DISTINCT {grouped} FROM ({rows}))"
        else:
            folded = ", ".join(f"bool_or(c{number}) AS c{number}" for number in range(len(flags)))
            sql = (
                f"SELECT {', '.join(f'count(*) FILTER (c{number})' for number in range(len(flags)))} "
                f"FROM (SELECT {folded} FROM ({rows}) GROUP BY {grouped})"
            )
        yield Count(sql, tuple(map(tuple, looked_at.values())))


def _by_condition(members: Iterable[Member]) -> dict[str, list[Member]]:
    found: dict[str, list[Member]] = {}
    for member in members:
        found.setdefault(member.parts.where, []).append(member)
    return found


def _from(parts: Anatomy, joins: Iterable[Join], where: str) -> str:
    joined = " ".join([parts.source, *(join.sql for join in joins)])
    return f"FROM {joined} WHERE {' AND '.join([*parts.within, f'({where})'])}"
