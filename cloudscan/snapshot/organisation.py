"""What the organisation knows and intends, as rows beside the facts: who works here, partners, what matters.

No platform says any of this: it comes from a roster, a register of partners, ranks and templates, and is joined with
the facts when a snapshot is sealed (`cloudscan.organisation`). Rules read it like facts. As there, None in a judged
column means *not known*; a day that is not set is `NO_DAY`, a moment `cloudscan.facts.NEVER`. Days are the
organisation's; an end is the last day of something, inclusive.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

import msgspec

from cloudscan.facts import NEVER, Access, Word

ORGANISATION: Final = "organisation"
"""The platform of what the organisation itself says: the prefix of the uids, and where its gaps are."""

NO_DAY: Final = date(9999, 12, 31)
"""No such day is set: no last day, no end of a contract."""


WAIVER: Final = "waiver"
"""The kind of the subject of what is found about waivers and about entries of allow-lists."""


def waiver_uid(number: int) -> str:
    """The id of a waiver of the ledger."""
    return f"{ORGANISATION}:waiver/{number}"


def waiver_number(uid: str) -> int | None:
    """The number of the ledger's waiver with this id; None: it is about something else."""
    number = uid.removeprefix(waiver_uid(0)[:-1])
    return int(number) if number != uid and number.isdecimal() else None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the organisation knows."""


class PersonRow(Row, frozen=True, kw_only=True):
    """Somebody who works here, did, or will. Personal data."""

    uid: str
    number: str = ""  # of the employee
    name: str = ""
    email: str = ""  # the primary address
    department: str = ""  # the primary one
    role: str = ""
    employment: Word | None = None  # `cloudscan.roster.entry.Employment`; None: not known
    standing: Word | None = None  # `cloudscan.roster.entry.Standing` on the day of the scan; None: unclear
    starts_on: date | None = None
    last_day: date | None = NO_DAY  # of employment or of the contract; None: could not be read
    left_on: datetime | None = NEVER  # the moment at which the last day is over where the organisation is
    manager_uid: str | None = None
    listed: bool = True  # in the roster of today, not only in an earlier one
    source: Word = "roster"  # or `directory`: what the platforms' directories say


class PostRow(Row, frozen=True, kw_only=True):
    """A place of somebody in the organisation; somebody may have several at a time."""

    person_uid: str
    department: str
    is_primary: bool = True
    since: date | None = None  # None: not known
    until: date | None = NO_DAY  # the last day; `NO_DAY`: a current one


class MoveRow(Row, frozen=True, kw_only=True):
    """Somebody left a department for another one. Departments that were renamed or merged are no moves."""

    person_uid: str
    from_department: str
    to_department: str
    moved_on: date | None  # the first day in the new one


class AccountRow(Row, frozen=True, kw_only=True):
    """An account and the person whose it is.

    An account without a row belongs to nobody that is known. One without a person may belong to somebody: two people
    fit equally well, or a row of the roster could not be read, and `joined_by` says so.
    """

    principal_uid: str
    person_uid: str | None
    kind: Word = "own"  # or `private`: one with another provider, as of free mail
    joined_by: Word  # number, identity, address, alias, namesake, private, directory; ambiguous, unread
    confidence: Word | None = None  # certain, high, medium; None: unclear


class DepartmentContainerRow(Row, frozen=True, kw_only=True):
    """A container that is a department's: what it contains is for the people of that department."""

    resource_uid: str
    department: str
    decided_by: Word  # members: most who were given access to it are of the department; owner: its owner is
    share: int  # percent of the people with access who are of the department; 100 where its owner decides
    people: int  # with access, as far as their departments are known


class LeftoverRow(Row, frozen=True, kw_only=True):
    """Access that may be left over: of somebody who left, or moved away from the department whose container it is.

    It is a grant to the account itself, or a membership of it. What was given to the account since the move is none.
    """

    person_uid: str
    principal_uid: str  # the account
    why: Word  # left, moved
    from_department: str = ""  # of a move
    to_department: str = ""
    moved_on: date | None = NO_DAY  # the first day of the last move away from there; None: not known
    grant_uid: str | None = None  # None: it is a membership
    group_uid: str | None = None  # None: it is a grant
    decided_by: Word = ""  # of a move: why that is the old department's, as in `DepartmentContainerRow`


class PartnerRow(Row, frozen=True, kw_only=True):
    """A contract with an external organisation, as the register of partners has it.

    What the register does not say is not unread: it is named in `lacks`, and nothing is judged by it.
    """

    uid: str
    name: str
    owner: str = ""  # who is responsible here: an address, or a department
    deputy: str = ""
    owner_uid: str | None = None  # the person with the owner's address
    deputy_uid: str | None = None
    owner_is_here: bool | None = None  # at least one of the two works here; None: not known
    purpose: str = ""
    contract: str = ""  # its number
    most_rank: int = 5  # the highest rank of what they may see
    most_access: Access = Access.OWN  # the strongest access that they may have
    anywhere: bool = True  # no places are named, so that any is allowed
    personal_data: bool = False  # personal data is entrusted to them
    starts_on: date | None = None  # the first day; 0001-01-01: none is named
    contract_ends: date | None = NO_DAY  # the last day; `NO_DAY`: none is named, or the contract renews itself
    renews_on: date | None = NO_DAY  # the last day before the contract renews itself; `NO_DAY`: it does not
    training_due: date | None = NO_DAY  # the last day for showing again that their people are trained
    logs_due: date | None = NO_DAY  # the last day for showing again how they handle logs
    review_due: date | None = NO_DAY  # the last day for checking their measures again
    end_is_settled: bool = True  # nothing is left to do of what the contract asks for at its end
    lacks: Word = ""  # keys of the register that say nothing although they should: starts, ends, personal_data


class PartnerAccountRow(Row, frozen=True, kw_only=True):
    """A principal that belongs to a partner, or a group of ours that such a principal is in.

    Under several contracts, what any of them allows is allowed; it has ended when all have.
    """

    principal_uid: str
    partner_uid: str
    joined_by: Word  # address, account, organisation, application, group, domain, sub-contractor; member: a group
    starts_on: date | None = None  # the first day of all its contracts
    contract_ends: date | None = NO_DAY  # the last day of all its contracts
    most_rank: int = 5
    most_access: Access = Access.OWN
    anywhere: bool = True


class PartnerPlaceRow(Row, frozen=True, kw_only=True):
    """A resource that a partner's principal was given access to, and may have by one of its contracts."""

    principal_uid: str
    partner_uid: str
    resource_uid: str


class RankRow(Row, frozen=True, kw_only=True):
    """How much a resource matters, and what says so. `resources.rank` is the same number. The unranked have no row."""

    resource_uid: str
    rank: int
    source: Word  # explicit, tag, label, pattern, department: what says it of `origin_uid`; inherited: of what it is in
    decided_by: str = ""  # the resource, tag, label, pattern or department, as the configuration has it
    origin_uid: str | None = None  # what it is said of: the resource itself, or what it is in


class TemplateRow(Row, frozen=True, kw_only=True):
    """What a permission template is for: one of its patterns, and how much it names."""

    uid: str
    name: str = ""  # of the template
    pattern: str = ""
    matches: int | None = 0  # folders, drives, sites, buckets; None: could not be determined


class DriftRow(Row, frozen=True, kw_only=True):
    """How access is, compared with what the permission templates intend.

    One row for each grant that is not as intended or could not be judged, one `as-intended` for each folder, drive,
    site or bucket that a template names, one `missing` for each line that nobody has access by, and one `no-template`
    for each drive, site or bucket with something in it that no template is for.
    """

    resource_uid: str  # what a template names; the container of what no template is for
    grant_uid: str | None = None  # None: it is not about one grant
    kind: Word | None  # as-intended, wider, stronger, unlisted, expired, no-template, missing; None: unclear
    template: str = ""  # its name
    line: str = ""  # the line that comes nearest, as it is written
    intended_access: Word = ""  # by that line
    people: int | None = None  # members of a group for whom it is not intended
    files: int | None = None  # that no template is for
    size_bytes: int | None = None


class WaiverRow(Row, frozen=True, kw_only=True):
    """An exception that somebody made: a waiver of the ledger that counts, or an entry of an allow-list."""

    uid: str
    kind: Word  # waiver, domain, partner
    extent: Word  # finding, gap, resource, account, rule, rule-and-target; of an entry of a list: its kind
    target: str = ""  # what it covers: the beginning of a finding's or gap's id, a resource's or account's, a name
    rule_id: Word = ""
    owner: str = ""
    owner_uid: str | None = None  # the person who is meant
    owner_standing: Word | None = None  # the person's; or group, none, unlisted (not in the roster); None: not known
    stated_reason: str = ""
    given_on: datetime | None = None  # NEVER: nothing says when
    until: date | None = None  # `NO_DAY`: without an end
    covers: int | None = None  # findings that it keeps from being work
    renewals: int | None = None  # how often it was given again, before or soon after its end
    reviewed_on: datetime | None = None  # NEVER: nobody has


ROWS: Final[Mapping[str, type[Row]]] = {
    "people": PersonRow,
    "posts": PostRow,
    "moves": MoveRow,
    "accounts": AccountRow,
    "department_containers": DepartmentContainerRow,
    "leftovers": LeftoverRow,
    "partners": PartnerRow,
    "partner_accounts": PartnerAccountRow,
    "partner_places": PartnerPlaceRow,
    "ranks": RankRow,
    "templates": TemplateRow,
    "drift": DriftRow,
    "waivers": WaiverRow,
}
"""The tables, by name."""
