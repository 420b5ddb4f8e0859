"""The part of the estate that a scan reads with ``--only``, as scopes: what to read, and what can be left out.

What belongs to whom is known from the last whole scan. A scope is left out only if that scan had it, and nothing in it
is chosen; one that is new, or that only leads to others, is read, and named as what could not be narrowed.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cloudscan.connector import Scope
from cloudscan.errors import ConfigurationError
from cloudscan.organisation.only import Only, select
from cloudscan.sentence import say
from cloudscan.snapshot import store
from cloudscan.snapshot.snapshot import Snapshot, reading

SETTING: Final = "part"
"""The setting of a scan's manifest that says what it was restricted to."""

_RESTRICTED: Final = frozenset({SETTING, "only", "skip", "only_shared"})
_DEEPEST: Final = 128  # levels of containers in containers
_CHOSEN: Final = f"""
    CREATE OR REPLACE TEMP TABLE part_chosen AS
    WITH RECURSIVE above(uid, depth) AS (
        SELECT uid, 0 FROM only_resources WHERE uid IN (SELECT scope_uid FROM coverage)
        UNION SELECT unnest([container_uid, parent_uid]), 0 FROM resources
              WHERE uid IN (SELECT uid FROM only_resources)
        UNION
        SELECT unnest([r.container_uid, r.parent_uid]), a.depth + 1 FROM above AS a JOIN resources AS r ON r.uid = a.uid
        WHERE a.depth < {_DEEPEST}
    )
    SELECT DISTINCT uid FROM above WHERE uid IS NOT NULL"""
_SCOPES: Final = """
    SELECT DISTINCT c.scope_text, c.scope_uid IN (SELECT uid FROM part_chosen),
           c.scope_uid IN (SELECT container_uid FROM resources UNION SELECT parent_uid FROM resources)
    FROM sealed_coverage AS c WHERE c.scope_uid IN (SELECT uid FROM resources)"""
_ADDRESSES: Final = """
    SELECT DISTINCT lower(email), uid IN (SELECT uid FROM only_principals) FROM principals
    WHERE kind = 'user' AND email <> ''"""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Scopes and addresses that the last whole scan knew, and which of them are chosen."""

    words: Sequence[str]  # as they were written: department=営業部
    known: Collection[str] = ()  # scopes, by uid
    full: Collection[str] = ()  # those of them in which there was something
    chosen: Collection[str] = ()
    known_addresses: Collection[str] = ()  # of people, by which their drives are called
    chosen_addresses: Collection[str] = ()
    undecided: set[str] = field(default_factory=set)  # names of scopes that had to be read: filled while it is used

    def has(self, scope: Scope, *, is_first: bool) -> bool:
        """Whether a scope has to be read. `is_first`: it may lead to others, so that an empty one is."""
        if scope.uid in self.chosen:
            return True
        if scope.uid in (self.full if is_first else self.known):
            return False
        if (address := scope.name.lower()) in self.known_addresses:
            return address in self.chosen_addresses
        self.undecided.add(scope.name or scope.uid)
        return True


def part_of(snapshots: Path, only: Only) -> Part:
    """What is chosen, by the last whole scan, or else the last one. Raises `ConfigurationError`, `SnapshotError`."""
    finished = store.finished(snapshots)
    manifests = {folder: store.manifest_of(folder) for folder in finished}
    whole = [folder for folder, one in manifests.items() if one and not _RESTRICTED & set(one.settings)]
    if not finished:
        raise ConfigurationError(
            say("--only needs an earlier scan, which says what belongs to whom; run `cloudscan scan` without it once.")
        )
    with Snapshot.open((whole or finished)[-1]) as snapshot, reading(snapshot.path):
        select(snapshot.db, only)
        snapshot.db.execute(_CHOSEN)
        scopes = snapshot.db.execute(_SCOPES).fetchall()
        addresses = snapshot.db.execute(_ADDRESSES).fetchall()
    return Part(
        words=only.words,
        known=frozenset(uid for uid, _, _ in scopes),
        full=frozenset(uid for uid, _, is_full in scopes if is_full),
        chosen=frozenset(uid for uid, is_chosen, _ in scopes if is_chosen),
        known_addresses=frozenset(address for address, _ in addresses),
        chosen_addresses=frozenset(address for address, is_chosen in addresses if is_chosen),
    )
