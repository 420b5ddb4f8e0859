"""What the organisation knows, joined with the facts of one scan. `joiner` gives what sealing calls."""

from collections.abc import Iterator, Sequence
from typing import Final

import duckdb
import msgspec

from cloudscan.connector import Scope
from cloudscan.coverage import Coverage
from cloudscan.days import day_of
from cloudscan.facts import Hidden, Outcome
from cloudscan.organisation import (
    accounts,
    departments,
    exemptions,
    leftovers,
    partners,
    people,
    ranks,
    rows,
    templates,
)
from cloudscan.organisation.knowledge import Knowledge
from cloudscan.reason import Reason
from cloudscan.snapshot.organisation import ORGANISATION
from cloudscan.snapshot.seal import Join, Joined
from cloudscan.snapshot.spool import ScanRecord, coverage_row
from cloudscan.snapshot.tables import ORGANISATION_TABLES

_OF_PEOPLE: Final = ("people", "accounts", "posts", "moves", "department_containers", "leftovers")
_REGISTER: Final = Scope(uid=f"{ORGANISATION}:partners", platform=ORGANISATION, kind="register", name="partners")
_WAIVERS: Final = Scope(uid=f"{ORGANISATION}:waivers", platform=ORGANISATION, kind="ledger", name="waivers")
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
        ranks.join(db, knowledge)
        unread_lists = exemptions.join(db, knowledge)
        templates.join(db, knowledge.intent.templates, now=record.started_on, today=today, timezone=knowledge.timezone)
        templates.forget(db)
        return Joined(
            tables={table: f"SELECT * FROM {rows.PREFIX}{table}" for table in ORGANISATION_TABLES},
            ids="SELECT DISTINCT key, uid FROM joined_ids",
            coverage=[*_coverage(knowledge, len(persons)), *_unread(unread_lists)],
        )

    return join


def _coverage(knowledge: Knowledge, people_read: int) -> Iterator[Coverage]:
    """How far each source was read, where there is one. What it leaves open, no verdict may rest on."""
    staff, exemptions, intent = knowledge.staff, knowledge.exemptions, knowledge.intent
    if knowledge.partners:
        yield _read(_REGISTER, ("partners",), None, len(knowledge.partners))
    if staff.is_configured:
        yield _read(_ROSTER, _OF_PEOPLE, staff.doubt, people_read)
    if exemptions.doubt is not None:
        # The ledger is ours, and not of the estate: a night without it is read completely, and recorded later.
        row = _read(_WAIVERS, ("waivers",), exemptions.doubt, len(exemptions.known))
        yield msgspec.structs.replace(row, outcome=Outcome.SKIPPED, gap="")
    elif exemptions.known:
        yield _read(_WAIVERS, ("waivers",), None, len(exemptions.known))
    if intent.templates or intent.doubt:
        yield _read(_TEMPLATES, ("templates", "drift"), intent.doubt, len(intent.templates))


def _unread(lists: int) -> Iterator[Coverage]:
    """Allow-lists that could not be read: a gap of their platform already, and here what it can hide."""
    if lists:
        reason = Reason(code="allow-list-unread", values={"count": lists})
        yield coverage_row(_WAIVERS, "waivers", Outcome.SKIPPED, reason=reason, hides=(Hidden(table="waivers"),))


def _read(scope: Scope, tables: Sequence[str], doubt: Reason | None, facts: int) -> Coverage:
    if doubt is None:
        return coverage_row(scope, tables[0], Outcome.COMPLETE, facts=facts)
    hides = tuple(Hidden(table=table) for table in tables)
    return coverage_row(scope, tables[0], Outcome.PARTIAL, reason=doubt, hides=hides, facts=facts)
