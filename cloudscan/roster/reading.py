"""A roster out of a file: one entry for each person, and everything that is wrong with the file, line by line.

A row that cannot be understood costs itself and nothing else: the people named in it are `unjudged`, so that nobody
takes them for unknown. Several rows about one person are one entry: history by day of effect, second posts, a return
after a leave, rows of family members.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from itertools import chain, pairwise
from typing import Final

import msgspec

from cloudscan.roster.days import UnreadableDay, day_in
from cloudscan.roster.entry import Employment, Post, RosterEntry, Standing, Status, standing
from cloudscan.roster.folding import addresses_in, folded_name, number_in
from cloudscan.roster.headers import Field
from cloudscan.roster.table import Row, Table
from cloudscan.roster.words import employment_in, status_in
from cloudscan.text import CONSUMER, domain_of

_GONE: Final = (Standing.LEFT, Standing.TERM_OVER)
_BETWEEN: Final = re.compile("[;；,、\n]")
_LONGEST_NAME: Final = 100
_LOST_NUMBER: Final = frozenset("0123456789.+E")


class Flaw(StrEnum):
    """What is wrong in a row."""

    CELLS = "cells"  # more or fewer than the header has
    QUOTE = "quote"  # a quotation mark that nothing closes
    NOBODY = "nobody"  # neither a number nor an address
    NUMBER = "number"  # a spreadsheet made it 1.2E+05
    ADDRESS = "address"
    DAY = "day"
    ORDER = "order"  # the last day is before the first: it is of an earlier employment, or a slip
    EMPLOYMENT = "employment"  # a word that is not known
    STATUS = "status"
    TWICE = "twice"  # rows about one person that contradict each other
    SHARED = "shared"  # one address of two people
    SHARED_NUMBER = "shared-number"


class Dirt(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong, and where. `value` may be personal data."""

    line: int
    flaw: Flaw
    column: str = ""
    value: str = ""


class Roster(msgspec.Struct, frozen=True, kw_only=True):
    """Everyone in a file."""

    entries: Sequence[RosterEntry]
    dirt: Sequence[Dirt] = ()  # in the order of lines
    unjudged: Collection[str] = ()  # numbers and addresses in rows that cannot be understood
    unjudged_names: Collection[str] = ()  # folded cells of such rows without addresses, one of which may be a name
    fields: Collection[Field] = ()  # what its columns tell
    later: int = 0  # rows that only apply in the future


@dataclass(frozen=True)
class _Record:
    """One row, understood."""

    entry: RosterEntry
    applies_from: date | None
    earlier: str


@dataclass
class _Reader:
    table: Table
    timezone: str
    dirt: list[Dirt] = field(default_factory=list)
    unjudged: set[str] = field(default_factory=set)
    unjudged_names: set[str] = field(default_factory=set)

    def records(self) -> Iterator[_Record]:
        """The rows that can be understood."""
        for row in self.table.rows:
            if not row.is_whole:
                self._give_up(row, Flaw.QUOTE)
            elif len(row.cells) != len(self.table.header):
                self._give_up(row, Flaw.CELLS)
            elif record := self._record(row):
                yield record
            else:
                self._give_up(row, Flaw.NOBODY)

    def kept_apart(self, records: Sequence[_Record]) -> Iterator[Sequence[_Record]]:
        """The rows of each person. A number that people of other names and other addresses have is nobody's."""
        newest = max(record.applies_from or date.min for record in records)
        people = defaultdict[str, list[_Record]](list)
        for record in records:
            if (record.applies_from or date.min) == newest:
                people[folded_name(record.entry.name)].append(record)
        addresses = [{one for record in rows for one in record.entry.addresses} for rows in people.values()]
        if len(people) == 1 or not all(addresses) or sum(map(len, addresses)) > len(set[str]().union(*addresses)):
            yield records
            return
        for rows in people.values():
            entry = rows[0].entry
            self.dirt.append(Dirt(line=entry.lines[0], flaw=Flaw.SHARED_NUMBER, value=entry.number))
            self.unjudged.add(entry.number)
            yield [replace(row, entry=msgspec.structs.replace(row.entry, number="")) for row in rows]

    def _give_up(self, row: Row, flaw: Flaw) -> None:
        self.dirt.append(Dirt(line=row.line, flaw=flaw))
        addresses = set(chain.from_iterable(map(addresses_in, row.cells)))
        self.unjudged |= addresses
        self.unjudged |= {number for cell in self._cells(row, Field.NUMBER) if not _is_lost(number := number_in(cell))}
        if not addresses:  # what stands in the column of numbers may be something else
            self.unjudged_names |= {folded_name(text) for text in (*row.cells, self._name(row)) if _may_be_a_name(text)}

    def _record(self, row: Row) -> _Record | None:
        before = len(self.dirt)
        number = self._number(row)
        written = self._addresses(row, Field.ADDRESS)
        ours = [address for address in written if domain_of(address) not in CONSUMER]
        private = [address for address in written if address not in ours]
        if not (number or ours or private):
            del self.dirt[before:]
            return None
        last_day, term_ends = self._day(row, Field.LAST_DAY), self._day(row, Field.TERM_ENDS)
        starts_on, applies_from = self._day(row, Field.STARTS_ON), self._day(row, Field.APPLIES_FROM)
        if starts_on and last_day and last_day < starts_on:
            self._note(row, Flaw.ORDER, Field.LAST_DAY, self._text(row, Field.LAST_DAY))
        status = self._status(row, last_day)
        entry = RosterEntry(
            number=number,
            name=self._name(row),
            addresses=list(dict.fromkeys([*ours, *self._addresses(row, Field.ALIASES)])),
            private_addresses=list(dict.fromkeys([*private, *self._addresses(row, Field.PRIVATE_ADDRESS)])),
            posts=self._posts(row, applies_from),
            role=self._text(row, Field.ROLE),
            employment=self._employment(row),
            status=status,
            starts_on=starts_on,
            last_day=last_day,
            term_ends=term_ends,
            manager=next(iter(addresses_in(self._text(row, Field.MANAGER))), number_in(self._text(row, Field.MANAGER))),
            is_certain=not any(one.flaw in (Flaw.DAY, Flaw.ORDER, Flaw.STATUS) for one in self.dirt[before:]),
            lines=[row.line],
        )
        return _Record(entry, applies_from, self._text(row, Field.EARLIER_DEPARTMENT))

    def _cells(self, row: Row, wanted: Field) -> Iterator[str]:
        for place, told in self.table.fields.items():
            if told is wanted and place < len(row.cells):
                yield row.cells[place]

    def _text(self, row: Row, wanted: Field) -> str:
        return next((cell.strip() for cell in self._cells(row, wanted) if cell.strip()), "")

    def _name(self, row: Row) -> str:
        parts = (self._text(row, Field.FAMILY_NAME), self._text(row, Field.GIVEN_NAME))
        return self._text(row, Field.NAME) or " ".join(filter(None, parts))

    def _number(self, row: Row) -> str:
        number = number_in(self._text(row, Field.NUMBER))
        if number and _is_lost(number):
            self._note(row, Flaw.NUMBER, Field.NUMBER, number)
            return ""
        return number

    def _addresses(self, row: Row, wanted: Field) -> list[str]:
        found = []
        for cell in self._cells(row, wanted):
            inside = addresses_in(cell)
            if cell.strip() and not inside:
                self._note(row, Flaw.ADDRESS, wanted, cell)
            found += inside
        return found

    def _day(self, row: Row, wanted: Field) -> date | None:
        cell = self._text(row, wanted)
        try:
            return day_in(cell, self.timezone)
        except UnreadableDay:
            self._note(row, Flaw.DAY, wanted, cell)
            return None

    def _employment(self, row: Row) -> Employment:
        cell = self._text(row, Field.EMPLOYMENT)
        if (known := employment_in(cell)) is None:
            self._note(row, Flaw.EMPLOYMENT, Field.EMPLOYMENT, cell)
        return known or Employment.UNKNOWN

    def _status(self, row: Row, last_day: date | None) -> Status:
        """A leave date says more than a word that is not known."""
        cell = self._text(row, Field.STATUS)
        if (known := status_in(cell)) is None and last_day is None:
            self._note(row, Flaw.STATUS, Field.STATUS, cell)
        return known or Status.UNKNOWN

    def _posts(self, row: Row, since: date | None) -> list[Post]:
        main = self._text(row, Field.DEPARTMENT)
        posts = [Post(department=main, code=self._text(row, Field.DEPARTMENT_CODE), since=since)] if main else []
        for cell in self._cells(row, Field.OTHER_DEPARTMENTS):
            names = (name.strip() for name in _BETWEEN.split(cell))
            posts += [Post(department=name, is_primary=False) for name in names if name]
        return posts

    def _note(self, row: Row, flaw: Flaw, wanted: Field, value: str) -> None:
        places = (self.table.header[place] for place, told in self.table.fields.items() if told is wanted)
        self.dirt.append(Dirt(line=row.line, flaw=flaw, column=next(places, ""), value=value.strip()[:80]))


def read_roster(table: Table, *, today: date, timezone: str) -> Roster:
    """The people in a table, as they are on one of the organisation's days."""
    reader = _Reader(table, timezone)
    by_number, later = defaultdict[str, list[_Record]](list), defaultdict[str, list[_Record]](list)
    for record in reader.records():
        key = record.entry.number or (*record.entry.addresses, *record.entry.private_addresses)[0]
        (later if record.applies_from and record.applies_from > today else by_number)[key].append(record)
    by_number |= {key: [_still(records)] for key, records in later.items() if key not in by_number}
    kept_apart = chain.from_iterable(map(reader.kept_apart, by_number.values()))
    entries = [_one(records, reader.dirt) for records in kept_apart]
    entries = _without_shared_addresses(_returned(entries, today), reader)
    return Roster(
        entries=entries,
        dirt=sorted(reader.dirt, key=lambda one: one.line),
        unjudged=reader.unjudged - _names_of(entries),
        unjudged_names=reader.unjudged_names,
        fields=set(table.fields.values()),
        later=sum(map(len, later.values())),
    )


def _still(records: Sequence[_Record]) -> _Record:
    """Somebody who only has rows for a later day: they are where they were before, if a column says where."""
    next_one = min(records, key=lambda record: record.applies_from or date.min)
    posts = [Post(department=next_one.earlier)] if next_one.earlier else ()
    return _Record(msgspec.structs.replace(next_one.entry, posts=posts), None, "")


def _one(records: Sequence[_Record], dirt: list[Dirt]) -> RosterEntry:
    """One entry for all rows with a number: the latest by day of effect, with the posts before."""
    in_order = sorted(records, key=lambda record: record.applies_from or date.min)
    newest = in_order[-1].applies_from
    current = [record for record in in_order if record.applies_from == newest]
    entry, *others = sorted(
        (record.entry for record in current), key=lambda one: one.last_day or date.max, reverse=True
    )
    ends = {one.last_day for one in (entry, *others)}
    if len(ends) > 1 and None not in ends:
        dirt.append(Dirt(line=entry.lines[0], flaw=Flaw.TWICE, value=entry.number))
    return msgspec.structs.replace(
        entry,
        addresses=_union(one.addresses for one in (entry, *others)),
        private_addresses=_union(one.private_addresses for one in (entry, *others)),
        posts=_posts(entry, others),
        earlier_posts=_earlier(in_order, newest),
        is_certain=all(one.is_certain for one in (entry, *others)),
        lines=sorted(line for record in records for line in record.entry.lines),
    )


def _posts(entry: RosterEntry, others: Sequence[RosterEntry]) -> list[Post]:
    """Rows with other departments are second posts."""
    posts = {post.department: post for post in entry.posts}
    for other in others:
        for post in other.posts:
            posts.setdefault(post.department, msgspec.structs.replace(post, is_primary=not posts))
    return list(posts.values())


def _earlier(in_order: Sequence[_Record], newest: date | None) -> list[Post]:
    """The posts before the current ones, each until the day before the next, the latest first."""
    posts: list[Post] = []
    for record, following in pairwise(in_order):
        if record.applies_from != newest and following.applies_from:
            end = following.applies_from - timedelta(days=1)
            posts += [msgspec.structs.replace(post, until=end) for post in record.entry.posts]
    last = in_order[-1]
    if last.earlier and not posts:
        until = last.applies_from - timedelta(days=1) if last.applies_from else None
        posts.append(Post(department=last.earlier, until=until))
    now = {post.department for post in last.entry.posts}
    return [post for post in reversed(posts) if post.department not in now]


def _returned(entries: Sequence[RosterEntry], today: date) -> list[RosterEntry]:
    """Somebody who came back has a new number and the old address: the row that is in force stands for both."""
    by_address = defaultdict[str, list[RosterEntry]](list)
    for entry in entries:
        for address in entry.addresses[:1]:
            by_address[address].append(entry)
    gone: set[int] = set()
    for same in by_address.values():
        there = [entry for entry in same if standing(entry, today) not in _GONE]
        if len(same) > 1 and len(there) == 1:
            gone |= {
                id(one) for one in same if one is not there[0] and folded_name(one.name) == folded_name(there[0].name)
            }
    return [entry for entry in entries if id(entry) not in gone]


def _without_shared_addresses(entries: Sequence[RosterEntry], reader: _Reader) -> list[RosterEntry]:
    """An address that two people have says of neither who it is, and not that it is nobody's."""
    owners = defaultdict[str, set[int]](set)
    for place, entry in enumerate(entries):
        for address in entry.addresses:
            owners[address].add(place)
    shared = {address for address, places in owners.items() if len(places) > 1}
    if not shared:
        return list(entries)
    reader.unjudged |= shared
    cleaned = []
    for entry in entries:
        own = [address for address in entry.addresses if address not in shared]
        reader.dirt += [
            Dirt(line=entry.lines[0], flaw=Flaw.SHARED, value=one) for one in entry.addresses if one in shared
        ]
        cleaned.append(msgspec.structs.replace(entry, addresses=own))
    return cleaned


def _may_be_a_name(text: str) -> bool:
    return 0 < len(text.strip()) <= _LONGEST_NAME and "@" not in text and not any(map(str.isdecimal, text))


def _is_lost(number: str) -> bool:
    """Whether a cell no longer says which number it was: it is empty, or a spreadsheet made it 1.2E+05."""
    return not number or ("E+" in number and set(number) <= _LOST_NUMBER)


def _union(several: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(chain.from_iterable(several)))


def _names_of(entries: Sequence[RosterEntry]) -> set[str]:
    return {name for entry in entries for name in (entry.number, *entry.addresses) if name}


def columns_taken(table: Table) -> Mapping[str, str]:
    """What each column was taken for, by its header."""
    return {table.header[place]: told.value for place, told in table.fields.items()}
