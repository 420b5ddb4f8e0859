"""What the ledger asks a snapshot beyond its verdicts: what exists, what contains what, what rules read."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from cloudscan.coverage import Coverage
from cloudscan.engine.rule_file import Rule
from cloudscan.facts import OBSERVED
from cloudscan.finding import Verdict
from cloudscan.ledger.lifecycle import Look
from cloudscan.ledger.visibility import (
    PARTNERS,
    PEOPLE,
    PRINCIPALS,
    RESOURCES,
    Foundation,
    Named,
    narrowed_to,
    remembered_containers,
    tables_of,
    visibility_of,
)
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan.snapshot.tables import key

_DEEPEST: Final = 100  # containers above one thing
_ROWS_OF: Final[Mapping[str, str]] = {
    RESOURCES: "SELECT uid FROM resources",
    PRINCIPALS: "SELECT uid FROM principals",
    "settings": "SELECT scope_uid AS uid FROM settings",
    "grants": "SELECT uid FROM grants",
    PEOPLE: "SELECT uid FROM people",
    PARTNERS: "SELECT uid FROM partners",
    "templates": "SELECT uid FROM templates",
    "waivers": "SELECT uid FROM waivers",
}


_SHOWN_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "exposures": (RESOURCES, PRINCIPALS, PRINCIPALS, "grants"),  # whom it is shared with, and its owner
    "members": ("memberships",),
}


def foundation_of(rule: Rule) -> Foundation:
    """What a rule's verdicts rest on."""
    identity = tuple(tables_of(*part) for part in zip(rule.identity, rule.subjects, strict=True))
    judged = {shown.table for shown in rule.subjects if shown is not None and shown.column == "uid"}
    reads = _times_read(rule.query)
    return Foundation(
        rests_on=frozenset(rule.rests_on),
        identity=identity,
        alone=frozenset(table for table in judged if reads.get(table) == 1),
    )


@lru_cache(maxsize=1_000)
def _times_read(sql: str) -> Mapping[str, int]:
    """How often a query reads the rows of each base table; a view reads the tables that it shows."""
    import sqlglot  # takes 0.2 s
    from sqlglot import exp

    names = [table.name for table in sqlglot.parse_one(sql, read="duckdb").find_all(exp.Table)]
    return Counter(table for name in names for table in _SHOWN_BY.get(name, (name,)))


def existing(snapshot: Snapshot, names: Iterable[Named]) -> set[str]:
    """The uids among `names` that are rows of one of their tables."""
    wanted: dict[str, set[str]] = {}
    for name in names:
        for table in name.tables:
            wanted.setdefault(table, set()).add(name.uid)
    found: set[str] = set()
    for table, uids in wanted.items():
        keys = [key(uid) for uid in uids]
        rows = snapshot.query(
            f"SELECT DISTINCT t.uid FROM ({_ROWS_OF[table]}) AS t "
            "SEMI JOIN (SELECT unnest($keys::BIGINT[]) AS key) AS w ON w.key = t.uid",
            {"keys": keys},
        ).rows
        found.update(str(row[0]) for row in rows)
    return found


def containers_of(snapshot: Snapshot, uids: AbstractSet[str]) -> dict[str, set[str]]:
    """By uid of a resource, the uids of all that it is in."""
    if not uids:
        return {}
    rows = snapshot.query(
        f"""WITH RECURSIVE above(uid, container_uid, depth) AS (
                SELECT r.uid, r.uid, 0 FROM resources AS r
                SEMI JOIN (SELECT unnest($keys::BIGINT[]) AS key) AS w ON w.key = r.uid
                UNION
                SELECT a.uid, unnest([r.parent_uid, r.container_uid]), a.depth + 1
                FROM above AS a JOIN resources AS r ON r.uid = a.container_uid WHERE a.depth < {_DEEPEST}
            )
            SELECT DISTINCT uid, container_uid FROM above WHERE container_uid <> uid""",
        {"keys": [key(uid) for uid in uids]},
    ).rows
    containers: dict[str, set[str]] = {}
    for uid, container in rows:
        containers.setdefault(str(uid), set()).add(str(container))
    return containers


def look_at(
    snapshot: Snapshot, coverage: Sequence[Coverage], rules: Iterable[Rule], verdicts: Callable[[], Iterable[Verdict]]
) -> Look:
    """What the ledger has to know about a scan to tell what is gone from what is hidden, for some verdicts.

    The verdicts are asked for only where a gap is at a place that the snapshot does not have.
    """
    places = narrowed_to(coverage)
    containers = containers_of(snapshot, {*places, *places.values()})
    lost = places.keys() - containers.keys()
    remembered = remembered_containers(verdicts(), lost) if lost else {}
    inside = {
        uid: {*containers.get(uid, ()), *remembered.get(uid, ()), scope_uid, *containers.get(scope_uid, ())} - {uid}
        for uid, scope_uid in places.items()
    }
    return Look(
        visibility=visibility_of(coverage, inside),
        foundations=_Foundations({rule.id: rule for rule in rules}),
        existing=lambda names: existing(snapshot, names),
    )


class ObservedRow(NamedTuple):
    """What a snapshot says of a resource or a principal, as far as it can be compared with another snapshot."""

    digest: str  # of what the platform said, before it was translated; empty: not recorded
    row: str  # the whole row
    is_principal: bool
    created_on: datetime | None

    def says_the_same(self, other: "ObservedRow") -> bool:
        """Whether the platform said the same of it. Of a person whom it says nothing else of, the row says all."""
        if self.digest or other.digest:
            return self.digest == other.digest
        return self.is_principal and self.row == other.row

    def says_otherwise(self, other: "ObservedRow") -> bool:
        """Whether the platform is known to have said something else of it."""
        return bool(self.digest and other.digest) and self.digest != other.digest


def observed(snapshot: Snapshot, uids: Iterable[str]) -> dict[str, ObservedRow]:
    """What a snapshot says of resources and principals, by uid; what it does not have is left out."""
    keys = sorted({key(uid) for uid in uids})
    if not keys:
        return {}
    rows = snapshot.query(
        " UNION ALL ".join(
            f"SELECT t.uid, coalesce(t.detail ->> '{OBSERVED}', ''), CAST(t AS VARCHAR), {table == PRINCIPALS}, "
            f"t.created_on FROM {table} AS t SEMI JOIN (SELECT unnest($keys::BIGINT[]) AS key) AS w ON w.key = t.uid"
            for table in (RESOURCES, PRINCIPALS)
        ),
        {"keys": keys},
    ).rows
    return {
        str(uid): ObservedRow(digest, row, is_principal, created_on.replace(tzinfo=UTC) if created_on else None)
        for uid, digest, row, is_principal, created_on in rows
    }


class _Foundations(Mapping[str, Foundation]):
    """What rules rest on, each worked out when it is asked for: few rules have findings that are not flagged."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self._rules = rules
        self._known: dict[str, Foundation] = {}

    def __getitem__(self, rule_id: str) -> Foundation:
        if rule_id not in self._known:
            self._known[rule_id] = foundation_of(self._rules[rule_id])
        return self._known[rule_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)
