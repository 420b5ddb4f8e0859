"""What the ledger asks a snapshot beyond its verdicts: what exists, what contains what, what rules read."""

from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Final

from cloudscan.engine.rule_file import Rule
from cloudscan.ledger.visibility import PRINCIPALS, RESOURCES, Foundation, Named, tables_of
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan.snapshot.tables import key

_DEEPEST: Final = 100  # containers above one thing
_ROWS_OF: Final[Mapping[str, str]] = {
    RESOURCES: "SELECT uid FROM resources",
    PRINCIPALS: "SELECT uid FROM principals",
    "settings": "SELECT scope_uid AS uid FROM settings",
    "grants": "SELECT uid FROM grants",
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
