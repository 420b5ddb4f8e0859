"""Things that vanished, asked for singly before they count as gone.

A list that lacks entries looks like a list of fewer things: a cut page, an empty answer, an index that lags.
What the ledger has open findings about and no list named is asked for by itself, where the connector can
(`cloudscan.connector.Rechecks`). What still exists is a gap: it hides exactly that thing. If there are too many to ask
for, a sample is asked for, and one that exists makes all of them doubtful.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final

from cloudscan.connector import Connector, Gap, Rechecks, Scope
from cloudscan.facts import EVERYTHING, Hidden, Outcome
from cloudscan.reason import Reason
from cloudscan.snapshot import spool
from cloudscan.snapshot.spool import SpoolWriter

MOST: Final = 20
"""Things that are asked for, per platform and scan."""

_LISTED: Final = 500  # uids that one gap names; beyond, it hides anything on the platform


def vanished(
    connectors: Sequence[Connector], watch: Mapping[str, AbstractSet[str]], seen: AbstractSet[str], lines: Path
) -> AbstractSet[str]:
    """Ask for watched things that were not read; writes what still exists as a gap into the spool.

    Nothing is asked of a platform on which anything may be missing: its gaps keep all that is absent open.

    Gives the platforms whose lists lacked something that exists. Never raises what a connector raises.
    """
    suspect = set()
    for connector in connectors:
        scope = Scope(
            uid=f"{connector.name}:recheck", platform=connector.name, kind="recheck", name=f"{connector.name}, again"
        )
        (lines / spool.file_name(scope.uid)).unlink(missing_ok=True)  # of a run that was interrupted here
        missing = sorted(watch.get(connector.name, frozenset()) - seen, key=spool.file_name)
        doubtful = () if not missing or _is_blind(connector.name, lines) else _doubtful(connector, missing)
        if doubtful:
            suspect.add(connector.name)
            with SpoolWriter(lines, scope) as writer:
                writer.add(_gap(doubtful))
                writer.finish()
    return suspect


def _is_blind(platform: str, lines: Path) -> bool:
    """Whether things may be missing anywhere on a platform, as its own gaps say: they name the cause."""
    reports = (report for report in spool.reports(lines) if report.scope.platform == platform)
    rows = (row for report in reports for row in spool.coverage_of(report) if row.outcome.is_gap)
    return any(_hides_things(hidden) for row in rows for hidden in row.hides)


def _hides_things(hidden: Hidden) -> bool:
    return hidden.table in (EVERYTHING, "resources", "principals") and not (hidden.columns or hidden.below)


def _doubtful(connector: Connector, missing: Sequence[str]) -> Sequence[str]:
    """Of things that were not read, those that exist; all that were not asked for, if one of the others exists."""
    if not isinstance(connector, Rechecks):
        return ()
    sample = missing[:MOST]
    try:
        existing = {uid for uid, exists in connector.still_there(sample).items() if exists}
    except Exception:  # noqa: BLE001 - a plugin's code: without its answer nothing is known
        return ()
    if not existing:
        return ()
    return [uid for uid in missing if uid in existing or uid not in sample]


def _gap(uids: Sequence[str]) -> Gap:
    hides = (
        [Hidden(table=EVERYTHING, below=uid) for uid in uids] if len(uids) <= _LISTED else [Hidden(table=EVERYTHING)]
    )
    return Gap(
        table="resources",
        outcome=Outcome.PARTIAL,
        reason=Reason(code="list-incomplete", values={"count": len(uids)}),
        hides=tuple(hides),
    )
