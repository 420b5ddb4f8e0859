"""Lists that were full yesterday and are empty today: believed once they are still empty tomorrow.

An empty list of members is what a platform answers where a group has none, and what it answers on a bad day. One night
of doubt costs nothing: what the list would have named stays open, unverified, and the night after decides.

    scopes/lists.json    how many principals of each kind and memberships of each role the scopes had
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from cloudscan.connector import Gap, Scope
from cloudscan.facts import Hidden, Outcome
from cloudscan.files import write_private
from cloudscan.reason import Reason
from cloudscan.snapshot import spool
from cloudscan.snapshot.incremental import FOLDER
from cloudscan.snapshot.spool import ScopeReport, SpoolWriter

_FILE: Final = "lists.json"
_KIND: Final = "lists"  # of the scope that carries the gaps
_LEAST: Final = 3  # entries; a shorter list may well lose them all in a day

Lists = Mapping[str, Mapping[str, int]]
"""By the scope's uid: how many entries each list had."""

_lists = msgspec.json.Decoder(dict[str, dict[str, int]])


def doubt(earlier: Path | None, lines: Path) -> Lists:
    """Write a gap into the spool `lines` for each list that lost all its entries since the snapshot `earlier`.

    Gives what the next scan has to know; of a scope that was not read, what was known before.
    """
    before = _kept(earlier)
    now: dict[str, Mapping[str, int]] = {}
    for report in spool.reports(lines):  # one at a time: a report carries its cursor, which may be large
        uid = report.scope.uid
        if report.scope.kind == _KIND:
            continue  # written by a run that was interrupted here; the same gaps are written again
        if not report.is_whole or report.incremental:
            now[uid] = before.get(uid, {})
            continue
        now[uid] = report.lists
        if gaps := list(_emptied(report, before.get(uid, {}))):
            with SpoolWriter(lines, _again(report.scope)) as writer:
                for gap in gaps:
                    writer.add(gap)
                writer.finish()
    return {uid: lists for uid, lists in now.items() if lists}


def keep(lists: Lists, snapshot: Path) -> None:
    """Store the lists beside a snapshot, for the next scan."""
    (snapshot / FOLDER).mkdir(mode=0o700, exist_ok=True)
    write_private(snapshot / FOLDER / _FILE, msgspec.json.encode(lists))


def _again(scope: Scope) -> Scope:
    return msgspec.structs.replace(scope, uid=f"{scope.uid}#lists", kind=_KIND, params={}, hides=())


def _emptied(report: ScopeReport, before: Mapping[str, int]) -> Iterator[Gap]:
    for name, count in before.items():
        if count < _LEAST or report.lists.get(name):
            continue
        table, _, kind = name.partition("/")
        kinds = (kind,) if table == "principals" else ()
        yield Gap(
            table=table,
            outcome=Outcome.PARTIAL,
            reason=Reason(code="list-emptied", values={"count": count, "kind": kind}),
            hides=(Hidden(table=table, kinds=kinds), *_more(table)),
        )


def _more(table: str) -> Sequence[Hidden]:
    """People who are not known may be members of anything."""
    return (Hidden(table="memberships"),) if table == "principals" else ()


def _kept(earlier: Path | None) -> Lists:
    if earlier is None:
        return {}
    try:
        return _lists.decode((earlier / FOLDER / _FILE).read_bytes())
    except (OSError, msgspec.MsgspecError):
        return {}
