"""What the organisation knows, joined with the facts of one scan. `joiner` gives what sealing calls."""

from collections.abc import Sequence
from typing import Final

import duckdb

from cloudscan.connector import Scope
from cloudscan.coverage import Coverage
from cloudscan.days import day_of
from cloudscan.facts import Hidden, Outcome
from cloudscan.organisation import accounts, partners, people, ranks, rows
from cloudscan.organisation.knowledge import Knowledge
from cloudscan.snapshot.organisation import ORGANISATION
from cloudscan.snapshot.seal import Join, Joined
from cloudscan.snapshot.spool import ScanRecord, coverage_row
from cloudscan.snapshot.tables import ORGANISATION_TABLES

_OF_PEOPLE: Final = ("people", "accounts", "posts", "moves")
_REGISTER: Final = Scope(uid=f"{ORGANISATION}:partners", platform=ORGANISATION, kind="register", name="partners")
_ROSTER: Final = Scope(uid=f"{ORGANISATION}:roster", platform=ORGANISATION, kind="roster", name="roster")


def joiner(knowledge: Knowledge) -> Join:
    """What joins this knowledge with the facts of a scan, as on the scan's day where the organisation is."""

    def join(db: duckdb.DuckDBPyConnection, record: ScanRecord) -> Joined:
        today = day_of(record.started_on, knowledge.timezone)
        rows.create(db)
        persons = people.join(db, knowledge, today)
        accounts.join(db, knowledge, persons)
        partners.join(db, knowledge)
        ranks.join(db, knowledge)
        return Joined(
            tables={table: f"SELECT * FROM {rows.PREFIX}{table}" for table in ORGANISATION_TABLES},
            ids="SELECT DISTINCT key, uid FROM joined_ids",
            coverage=_coverage(knowledge, len(persons)),
        )

    return join


def _coverage(knowledge: Knowledge, people_read: int) -> Sequence[Coverage]:
    """How far the roster was read. What it cannot tell, no verdict on people may rest on."""
    staff = knowledge.staff
    register = coverage_row(_REGISTER, "partners", Outcome.COMPLETE, facts=len(knowledge.partners))
    if staff.doubt is None:
        return [register, coverage_row(_ROSTER, "people", Outcome.COMPLETE, facts=people_read)]
    hides = tuple(Hidden(table=table) for table in _OF_PEOPLE)
    return [
        register,
        coverage_row(_ROSTER, "people", Outcome.PARTIAL, reason=staff.doubt, hides=hides, facts=people_read),
    ]
