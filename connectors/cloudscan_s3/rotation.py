"""Which buckets are asked tonight for what hardly any bucket has.

Asking each bucket whether it is replicated, and where its inventories go, would cost two requests a bucket. So
inventories are asked for in a part of the buckets that moves on every day. Replication, which carries the objects
themselves, is asked of all of them wherever there is a role with which S3 could replicate, and of a part elsewhere:
that part checks that the roles tell the truth.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from cloudscan.connector import Gap
from cloudscan.facts import Hidden, Outcome
from cloudscan.reason import Reason
from cloudscan_s3 import scopes

_ASKED_A_NIGHT: Final[Mapping[str, int]] = {scopes.REPLICATION: 50, scopes.INVENTORIES: 50}
"""By kind of delivery: how many buckets of an account."""
_FURTHER: Final = 12
"""How many more are asked where those of earlier nights are remembered."""


def tonight(
    names: Collection[str], day: date, kind: str, before: Mapping[str, Collection[str]] | None = None
) -> frozenset[str]:
    """The buckets whose turn it is; all of them where there are few. Each comes round as often as the others.

    `before` has those, by kind, whose answers are remembered, unless they were changed: they are told again, and a few
    more are asked.
    """
    size = _ASKED_A_NIGHT[kind]
    if len(names) <= size:
        return frozenset(names)
    ordered = sorted(names, key=_rank)
    first = day.toordinal() * size % len(ordered)
    turn = (*ordered[first:], *ordered[:first])
    if before is None:
        return frozenset(turn[:size])
    known = frozenset(before.get(kind, ())) & frozenset(names)
    further = [name for name in turn if name not in known]
    return known | frozenset(further[:_FURTHER])


def kinds_asked(name: str, asked: Mapping[str, Collection[str]]) -> Sequence[str]:
    """The kinds of delivery that a bucket is asked for; `asked` has the buckets by kind."""
    return [kind for kind, names in asked.items() if name in names]


def left_out(account_uid: str, seen: int, total: int) -> Iterator[Gap]:
    """Where the inventories of the other buckets go is not known tonight; what was found before stays."""
    if seen < total:
        yield Gap(
            table="resources",
            outcome=Outcome.SKIPPED,
            reason=Reason(code="s3-inventories-sampled"),
            hides=(Hidden(table="resources", kinds=("report_delivery",), below=account_uid),),
            resource_uid=account_uid,
            seen=seen,
            total=total,
        )


def _rank(name: str) -> bytes:
    """An order that says nothing about the names, so that a growing family of buckets is not asked in one night."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
