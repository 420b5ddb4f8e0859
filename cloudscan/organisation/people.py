"""People as rows: who works here by the roster, or else by what the platforms' directories say."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import duckdb
import msgspec

from cloudscan.days import zone
from cloudscan.facts import NEVER
from cloudscan.organisation.knowledge import Knowledge
from cloudscan.organisation.rows import insert
from cloudscan.roster.entry import Employment, Post, RosterEntry, Standing, standing
from cloudscan.roster.people import KnownPerson, People
from cloudscan.roster.words import employment_in
from cloudscan.snapshot.organisation import NO_DAY, ORGANISATION, MoveRow, PersonRow, PostRow
from cloudscan.text import CONSUMER, domain_of


def person_uid(entry: RosterEntry) -> str:
    """The permanent id of a person: by the number, or else by the address."""
    return f"{ORGANISATION}:person/{entry.number or (*entry.addresses, *entry.private_addresses)[0]}"


def person_rows(persons: Sequence[KnownPerson], today: date, timezone: str, source: str) -> Iterator[PersonRow]:
    """The rows of `people`."""
    managers = {
        name: person_uid(person.entry)
        for person in persons
        for name in (person.entry.number, *person.entry.addresses)
        if name
    }
    for person in persons:
        entry = person.entry
        is_there = standing_of(person, today)
        last_day = last_day_of(person, is_there)
        yield PersonRow(
            uid=person_uid(entry),
            number=entry.number,
            name=entry.name,
            email=next(iter(entry.addresses), ""),
            department=entry.department,
            role=entry.role,
            employment=None if entry.employment is Employment.UNKNOWN else entry.employment.value,
            standing=None if is_there is Standing.UNKNOWN else is_there.value,
            starts_on=entry.starts_on,
            last_day=last_day,
            left_on=_end_of(last_day, timezone),
            manager_uid=managers.get(entry.manager) if entry.manager else None,
            listed=person.dropped_on is None,
            source=source,
        )


def standing_of(person: KnownPerson, today: date) -> Standing:
    """What somebody is on one of the organisation's days. Whom an earlier roster named and today's does not, left."""
    if person.dropped_on is not None and person.dropped_on <= today:
        return Standing.LEFT
    return standing(person.entry, today)


def last_day_of(person: KnownPerson, is_there: Standing) -> date | None:
    """The last day of employment, or of the contract. None where it could not be read.

    Of somebody whom a roster only ceased to name it is the day before that roster, at the latest.
    """
    entry = person.entry
    if not entry.is_certain:
        return None
    if person.dropped_on is not None:  # who is gone before the day that was announced left earlier
        return min(entry.last_day or date.max, person.dropped_on - timedelta(days=1))
    if entry.last_day:
        return entry.last_day
    if entry.term_ends and not entry.returns:
        return entry.term_ends
    return None if is_there is Standing.LEFT else NO_DAY


def post_rows(persons: Iterable[KnownPerson]) -> Iterator[PostRow]:
    """The rows of `posts`: the current ones, and those before."""
    for person in persons:
        uid = person_uid(person.entry)
        for post in person.entry.posts:
            yield PostRow(person_uid=uid, department=post.department, is_primary=post.is_primary, since=post.since)
        for post in person.entry.earlier_posts:
            yield PostRow(
                person_uid=uid,
                department=post.department,
                is_primary=post.is_primary,
                since=post.since,
                until=post.until,
            )


def move_rows(people: People) -> Iterator[MoveRow]:
    """The rows of `moves`: the departments that somebody is no longer in, by the names that they have now."""
    for person in people.persons:
        for move in person.departments_left:
            yield MoveRow(
                person_uid=person_uid(person.entry),
                from_department=people.called_now(move.from_department),
                to_department=people.called_now(move.to_department),
                moved_on=move.on,
            )


def directory_people(db: duckdb.DuckDBPyConnection, today: date) -> People:
    """People by the directories' entries for users of ours: accounts with one number, or one address, are one person.

    If two directories name different leave dates, neither counts.
    """
    rows = db.execute(
        """SELECT email, name, department, status, detail FROM principals
           WHERE kind = 'user' AND affiliation = 'internal' AND email <> '' ORDER BY platform, email"""
    ).fetchall()
    found: dict[str, list[RosterEntry]] = {}
    for email, name, department, _status, detail in rows:
        entry = _entry(email, name, department, msgspec.json.decode(detail or "{}"))
        found.setdefault(entry.number or entry.addresses[0], []).append(entry)
    numbered = {
        address: one.number for several in found.values() for one in several if one.number for address in one.addresses
    }
    merged: dict[str, list[RosterEntry]] = {}
    for name, several in found.items():
        merged.setdefault(numbered.get(name, name), []).extend(several)
    return People(
        persons=[
            KnownPerson(entry=_one(several), first_seen=today, last_seen=today, is_listed=True)
            for several in merged.values()
        ]
    )


def _entry(email: str, name: str, department: str, detail: Mapping[str, Any]) -> RosterEntry:
    departments = [department, *_texts(detail.get("departments"))]
    others = [address.lower() for address in _texts(detail.get("addresses"))]
    private = [address.lower() for address in _texts(detail.get("private_addresses"))]
    starts_on, (last_day, is_certain) = _day(detail.get("starts_on"))[0], _day(detail.get("leave_on"))
    ours = [one for one in (email.lower(), *others) if domain_of(one) not in CONSUMER]
    return RosterEntry(
        number=str(detail.get("employee_number") or "").upper(),
        name=name,
        addresses=list(dict.fromkeys(ours or [email.lower()])),
        private_addresses=private,
        posts=[
            Post(department=one, is_primary=not place) for place, one in enumerate(dict.fromkeys(departments)) if one
        ],
        role=str(detail.get("role") or ""),
        employment=employment_in(str(detail.get("employment") or "")) or Employment.UNKNOWN,
        starts_on=starts_on,
        last_day=last_day,
        is_certain=is_certain and not (starts_on and last_day and last_day < starts_on),  # of an earlier employment
    )


def _one(entries: Sequence[RosterEntry]) -> RosterEntry:
    first = entries[0]
    ends = {entry.last_day for entry in entries if entry.last_day}
    return msgspec.structs.replace(
        first,
        number=next((entry.number for entry in entries if entry.number), ""),
        addresses=list(dict.fromkeys(one for entry in entries for one in entry.addresses)),
        private_addresses=list(dict.fromkeys(one for entry in entries for one in entry.private_addresses)),
        posts=next((entry.posts for entry in entries if entry.posts), ()),
        last_day=next(iter(ends), None) if len(ends) == 1 else None,
        is_certain=len(ends) < 2 and all(entry.is_certain for entry in entries),
    )


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _day(value: Any) -> tuple[date | None, bool]:
    """A day that a directory says, and whether it can be read; `false` says that there is none."""
    if value in (None, "", "false"):
        return None, True
    try:
        return date.fromisoformat(str(value)[:10]), True
    except ValueError:
        return None, False


def _end_of(last_day: date | None, timezone: str) -> datetime | None:
    """The moment at which a day is over where the organisation is."""
    if last_day is None:
        return None
    if last_day >= NO_DAY - timedelta(days=1):
        return NEVER
    return datetime.combine(last_day + timedelta(days=1), time(), zone(timezone)).astimezone(UTC)


def join(db: duckdb.DuckDBPyConnection, knowledge: Knowledge, today: date) -> Sequence[KnownPerson]:
    """Fill `joined_people`, `joined_posts` and `joined_moves`; gives the people."""
    staff = knowledge.staff
    people = staff.people if staff.is_configured else directory_people(db, today)
    source = "roster" if staff.is_configured else "directory"
    insert(db, person_rows(people.persons, today, knowledge.timezone, source))
    insert(db, post_rows(people.persons))
    insert(db, move_rows(people))
    return people.persons
