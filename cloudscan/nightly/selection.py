"""Reading only a part of the estate, and refusing a selection that matches nothing.

What is left out is a gap of its own outcome: its contents do not count as gone, and the scan is complete all the same.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import ClassVar, Final

from cloudscan.connector import Connector, Cursor, Gap, Permission, Rechecks, Scope, Yielded
from cloudscan.coverage import Coverage
from cloudscan.facts import EVERYTHING, Hidden, Outcome
from cloudscan.ledger.visibility import hides_of
from cloudscan.nightly.part import Part
from cloudscan.reason import Reason
from cloudscan.sentence import Sentence, joined, say
from cloudscan.text import suggestion

LEFT_OUT: Final = "left-out"
"""The code of the reason for what the selection leaves out."""

_MANY: Final = "left-out-many"
_MOST_ROWS: Final = 200  # of what one scope leaves out; beyond, one row speaks of all


@dataclass(frozen=True, kw_only=True)
class ScopeSelection:
    """Which scopes to read: shell patterns for a scope's uid, name or account."""

    only: Sequence[str] = ()  # these and what is in them; empty: all
    skip: Sequence[str] = ()  # never these
    part: Part | None = None  # and of these, what belongs to it; None: all

    def __bool__(self) -> bool:
        return bool(self.only or self.skip or self.part)

    def unmatched(self, coverage: Iterable[Coverage]) -> list[str]:
        """The patterns that matched no scope of a scan.

        Where a list of scopes could not be read nothing is known about patterns, and the list of these is empty.
        """
        rows = list(coverage)
        if any(row.outcome.is_gap and _may_hide_scopes(row) for row in rows):
            return []
        many = any(isinstance(row.reason, Reason) and row.reason.code == _MANY for row in rows)
        read = {name for row in rows if not _is_left_out(row) for name in _names_of_row(row)}
        skipped = {name for row in rows if _is_left_out(row) for name in (*_left_out(row), row.account)}
        return [
            *(pattern for pattern in self.only if not _any_match(read, pattern)),
            *(pattern for pattern in self.skip if not many and not _any_match(skipped, pattern)),
        ]


def names_in(coverage: Iterable[Coverage]) -> list[str]:
    """What patterns could have been written for: the names, uids and accounts of the scopes of a scan."""
    names = {name for row in coverage for name in (*_names_of_row(row), *_left_out(row))}
    return sorted(names - {""})


def fault(patterns: Sequence[str], coverage: Iterable[Coverage]) -> Sentence:
    """What is wrong with patterns that matched nothing, and what to write instead."""
    known = names_in(coverage)
    return joined(
        say("No scope matches {pattern}; {hint}.", pattern=repr(pattern), hint=suggestion(pattern, known))
        for pattern in patterns
    )


def restricted(inner: Connector, selection: ScopeSelection) -> Connector:
    """A connector that reads only some of its scopes.

    A scope that is chosen is read with all that it leads to. One that is not is read only where a pattern has not
    matched yet: it may lead to what the pattern names.
    """

    def wanted(scope: Scope, only: Sequence[str]) -> bool:
        if _matches(scope, selection.skip) or (only and not _matches(scope, only)):
            return False
        return selection.part is None or selection.part.has(scope, is_first=False)

    class Restricted:
        name: ClassVar[str] = inner.name
        permissions: ClassVar[Sequence[Permission]] = inner.permissions

        def __init__(self) -> None:
            self._lock = threading.Lock()
            self._left_out: set[str] = set()  # first scopes
            self._passed_through: set[str] = set()  # first scopes that are only read for what they lead to

        def scopes(self) -> Iterable[Scope]:
            first = list(inner.scopes())
            settled = all(any(_matches(scope, (pattern,)) for scope in first) for pattern in selection.only)
            unchosen = {scope.uid for scope in first if selection.only and not _matches(scope, selection.only)}
            skipped = {scope.uid for scope in first if _matches(scope, selection.skip)}
            if selection.part:
                skipped |= {scope.uid for scope in first if not selection.part.has(scope, is_first=True)}
            with self._lock:
                self._left_out = skipped | unchosen if settled else skipped
                self._passed_through = unchosen - self._left_out
            return first

        def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
            if scope.uid in self._left_out:
                yield _gap(scope)
                return
            only = selection.only if scope.uid in self._passed_through else ()
            left_out: list[Scope] = []
            for item in inner.collect(scope, since):
                if isinstance(item, Scope) and not wanted(item, only):
                    left_out.append(item)
                else:
                    yield item
            yield from _gaps(left_out)

    class RestrictedRechecking(Restricted):
        def still_there(self, uids: Sequence[str]) -> Mapping[str, bool]:
            return inner.still_there(uids) if isinstance(inner, Rechecks) else {}

    return RestrictedRechecking() if isinstance(inner, Rechecks) else Restricted()


def _gaps(left_out: Sequence[Scope]) -> Iterator[Gap]:
    if len(left_out) <= _MOST_ROWS:
        yield from map(_gap, left_out)
        return
    yield Gap(
        table=EVERYTHING,
        outcome=Outcome.SKIPPED,
        reason=Reason(code=_MANY, values={"count": len(left_out)}),
        hides=(Hidden(table=EVERYTHING),),
    )


def _gap(scope: Scope) -> Gap:
    return Gap(
        table=EVERYTHING,
        outcome=Outcome.SKIPPED,
        reason=Reason(code=LEFT_OUT, values={"name": scope.name}),
        resource_uid=scope.uid,
        hides=scope.hides or (Hidden(table=EVERYTHING),),
    )


def _matches(scope: Scope, patterns: Iterable[str]) -> bool:
    names = (scope.uid, scope.name, scope.account)
    return any(_any_match(names, pattern) for pattern in patterns)


def _any_match(names: Iterable[str], pattern: str) -> bool:
    return any(name and fnmatchcase(name, pattern) for name in names)


def _is_left_out(row: Coverage) -> bool:
    return isinstance(row.reason, Reason) and row.reason.code.startswith(LEFT_OUT)


def _left_out(row: Coverage) -> tuple[str, ...]:
    """The names of the scope that a row says is left out."""
    if not _is_left_out(row) or not isinstance(row.reason, Reason):
        return ()
    return str(row.reason.values.get("name", "")), row.resource_uid or ""


def _names_of_row(row: Coverage) -> tuple[str, ...]:
    return row.scope_uid, row.scope_name, row.account


def _may_hide_scopes(row: Coverage) -> bool:
    return any(
        hidden.below is None and not hidden.columns and hidden.table in (EVERYTHING, "resources")
        for hidden in hides_of(row)
    )
