"""What the organisation knows, joined with the facts of one scan. `joiner` gives what sealing calls."""

from collections.abc import Iterator
from typing import Final

import duckdb

from cloudscan.connector import Scope
from cloudscan.coverage import Coverage
from cloudscan.days import day_of
from cloudscan.facts import Hidden, Outcome
from cloudscan.organisation import accounts, departments, leftovers, partners, people, rows, templates
from cloudscan.organisation.knowledge import Knowledge
from cloudscan.organisation.template import Intent
from cloudscan.snapshot.organisation import ORGANISATION
from cloudscan.snapshot.seal import Join, Joined
from cloudscan.snapshot.spool import ScanRecord, coverage_row
from cloudscan.snapshot.tables import ORGANISATION_TABLES

_OF_PEOPLE: Final = ("people", "accounts", "posts", "moves", "department_containers", "leftovers")
_REGISTER: Final = Scope(uid=f"{ORGANISATION}:partners", platform=ORGANISATION, kind="register", name="partners")
_ROSTER: Final = Scope(uid=f"{ORGANISATION}:roster", platform=ORGANISATION, kind="roster", name="roster")
_TEMPLATES: Final = Scope(uid=f"{ORGANISATION}:templates", platform=ORGANISATION, kind="templates", name="templates")


def joiner(knowledge: Knowledge) -> Join:
    """What joins this knowledge with the facts of a scan, as on the scan's day where the organisation is."""

    def join(db: duckdb.DuckDBPyConnection, record: ScanRecord) -> Joined:
        today = day_of(record.started_on, knowledge.timezone)
        rows.create(db)
        persons = people.join(db, knowledge, today)
        accounts.join(db, knowledge, persons)
        departments.join(db)
        leftovers.join(db, knowledge.timezone)
        partners.join(db, knowledge)
        templates.join(db, knowledge.intent.templates, now=record.started_on, today=today, timezone=knowledge.timezone)
        return Joined(
            tables={table: f"SELECT * FROM {rows.PREFIX}{table}" for table in ORGANISATION_TABLES},
            ids="SELECT DISTINCT key, uid FROM joined_ids",
            coverage=list(_coverage(knowledge, len(persons))),
        )

    return join


def _coverage(knowledge: Knowledge, people_read: int) -> Iterator[Coverage]:
    """How far the register, the roster and the templates were read, where there are any."""
    staff = knowledge.staff
    if knowledge.partners:
        yield coverage_row(_REGISTER, "partners", Outcome.COMPLETE, facts=len(knowledge.partners))
    if staff.doubt is not None:
        hides = tuple(Hidden(table=table) for table in _OF_PEOPLE)
        yield coverage_row(_ROSTER, "people", Outcome.PARTIAL, reason=staff.doubt, hides=hides, facts=people_read)
    elif staff.is_configured:
        yield coverage_row(_ROSTER, "people", Outcome.COMPLETE, facts=people_read)
    yield from _of_templates(knowledge.intent)


def _of_templates(intent: Intent) -> Iterator[Coverage]:
    if intent.doubt is not None:
        hides = tuple(Hidden(table=table) for table in ("templates", "drift"))
        yield coverage_row(
            _TEMPLATES, "templates", Outcome.PARTIAL, reason=intent.doubt, hides=hides, facts=len(intent.templates)
        )
    elif intent.templates:
        yield coverage_row(_TEMPLATES, "templates", Outcome.COMPLETE, facts=len(intent.templates))
