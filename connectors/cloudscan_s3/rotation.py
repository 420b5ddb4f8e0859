"""Which buckets are asked tonight for what hardly any bucket has.

Asking each bucket whether it is replicated, and where its inventories go, would cost two requests a bucket. So
inventories are asked for in a part of the buckets that moves on every day. Replication, which carries the objects
themselves, is asked of all of them wherever there is a role with which S3 could replicate, and of a part elsewhere:
that part checks that the roles tell the truth.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Final

from cloudscan_s3 import scopes

_ASKED_A_NIGHT: Final[Mapping[str, int]] = {scopes.REPLICATION: 50, scopes.INVENTORIES: 50}
"""By kind of delivery: how many buckets of an account."""


def tonight(names: Collection[str], day: date, kind: str) -> frozenset[str]:
    """The buckets whose turn it is; all of them where there are few. Each comes round as often as the others."""
    size = _ASKED_A_NIGHT[kind]
    if len(names) <= size:
        return frozenset(names)
    ordered = sorted(names, key=_rank)
    first = day.toordinal() * size % len(ordered)
    return frozenset((*ordered, *ordered)[first : first + size])


def kinds_asked(name: str, asked: Mapping[str, Collection[str]]) -> Sequence[str]:
    """The kinds of delivery that a bucket is asked for; `asked` has the buckets by kind."""
    return [kind for kind, names in asked.items() if name in names]


def _rank(name: str) -> bytes:
    """An order that says nothing about the names, so that a growing family of buckets is not asked in one night."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
