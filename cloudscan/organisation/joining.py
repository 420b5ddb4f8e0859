"""What the organisation knows, joined with the facts of one scan. `joiner` gives what sealing calls."""

from collections.abc import Sequence
from typing import Final

import duckdb

from cloudscan.connector import Scope
from cloudscan.coverage import Coverage
from cloudscan.days import day_of
from cloudscan.facts import Hidden, Outcome
from cloudscan.organisation import accounts, exemptions, people, rows
from cloudscan.organisation.knowledge import Knowledge
from cloudscan.snapshot.organisation import ORGANISATION
from cloudscan.snapshot.seal import Join, Joined
from cloudscan.snapshot.spool import ScanRecord, coverage_row
from cloudscan.snapshot.tables import ORGANISATION_TABLES

_OF_PEOPLE: Final = ("people", "accounts", "posts", "moves")
_REGISTER: Final = Scope(uid=f"{ORGANISATION}:waivers", platform=ORGANISATION, kind="register", name="waivers")
_ROSTER: Final = Scope(uid=f"{ORGANISATION}:roster", platform=ORGANISATION, kind="roster", name="roster")


def joiner(knowledge: Knowledge) -> Join:
    """What joins this knowledge with the facts of a scan, as on the scan's day where the organisation is."""

    def join(db: duckdb.DuckDBPyConnection, record: ScanRecord) -> Joined:
        today = day_of(record.started_on, knowledge.timezone)
        rows.create(db)
        workers = people.join(db, knowledge, today)
        accounts.join(db, knowledge, workers)
        exemptions.join(db, knowledge)
        return Joined(
            tables={table: f"SELECT * FROM {rows.PREFIX}{table}" for table in ORGANISATION_TABLES},
            ids="SELECT DISTINCT key, uid FROM joined_ids",
            coverage=_coverage(knowledge, len(workers)),
        )

    return join


def _coverage(knowledge: Knowledge, people_read: int) -> Sequence[Coverage]:
    """How far roster and ledger were read. What they cannot tell, no verdict may rest on."""
    doubts = ((_ROSTER, _OF_PEOPLE, knowledge.staff.doubt, people_read),
              (_REGISTER, ("waivers",), knowledge.exemptions.doubt, len(knowledge.exemptions.known)))  # fmt: skip
    return [
        coverage_row(scope, tables[0], Outcome.COMPLETE, facts=read)
        if doubt is None
        else coverage_row(
            scope,
            tables[0],
            Outcome.PARTIAL,
            reason=doubt,
            hides=tuple(Hidden(table=table) for table in tables),
            facts=read,
        )
        for scope, tables, doubt, read in doubts
    ]
