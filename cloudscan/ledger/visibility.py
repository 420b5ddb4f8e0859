"""What the gaps of a scan can hide from a finding. Pure functions; `cloudscan.ledger.lifecycle` decides by them.

A gap hides *existence* (rows that nobody saw: what is absent is not gone) or an *attribute* (columns of rows that are
there). Whether it matters to a finding that is no longer flagged:

================================  =============================================  ==================================
the finding                       stays open because of a gap in                 not because of
================================  =============================================  ==================================
passed: its row is judged fine    what its rule rests on: existence or           other tables and columns; other
                                  attribute, at a place that covers it           things like it, if only it is read
absent, but the things that it    the same as passed: its row may have           the same
names are all there               vanished with what it is joined with
absent, and a resource that it    existence of resources, at a place that        any attribute; grants, members,
names is gone                     covers it                                      principals
absent, and a principal that it   existence of principals anywhere in the        any attribute
names is gone                     account (drives name people too), or of what
                                  the rule rests on where the finding is
================================  =============================================  ==================================

A gap *covers* a finding if it has no narrower place than the finding's account or platform, or if its place is the
finding's subject, something that the subject is in, or something that the finding names; a verdict about a folder or a
site is also covered by gaps inside of it. A resource that was in a drive that was listed completely this time is gone,
whatever question about other drives was not answered. What was left out on purpose hides as well as what failed; what
does not exist, or was read completely, hides nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from cloudscan.coverage import Coverage
from cloudscan.facts import EVERYTHING, Affiliation, Hidden, Outcome
from cloudscan.finding import Subject, Verdict
from cloudscan.snapshot.organisation import ORGANISATION
from cloudscan.snapshot.tables import Dependency, is_uid

RESOURCES: Final = "resources"
PRINCIPALS: Final = "principals"
PEOPLE: Final = "people"
PARTNERS: Final = "partners"

_TABLES_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "grant_uid": ("grants",),
    "group_uid": (PRINCIPALS,),
    "manager_uid": (PEOPLE,),
    "member_uid": (PRINCIPALS,),
    "owner_uid": (PRINCIPALS,),
    "partner_uid": (PARTNERS,),
    "person_uid": (PEOPLE,),
    "principal_uid": (PRINCIPALS,),
    "sponsor_uid": (PRINCIPALS,),
    "scope_uid": (RESOURCES, "settings"),
}
"""The tables in which the thing with a uid is a row, by the column that names it; others name resources."""

_NAMING: Final = frozenset({"grants", "memberships"})
"""Tables whose lists name people who are in no directory."""

_EVERYWHERE: Final = frozenset({PRINCIPALS, PEOPLE, PARTNERS})
"""Tables of those whose access is not in one place."""

_ALWAYS_LISTED: Final = frozenset({"guest"})
"""Kinds of principals that only a directory names."""


class Location(NamedTuple):
    """A platform and an account on it; the account is empty for what belongs to the whole platform."""

    platform: str
    account: str


class Named(NamedTuple):
    """A uid in a finding's identity, and the tables in which the thing would be a row."""

    uid: str
    tables: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Foundation:
    """What a rule's verdicts rest on."""

    rests_on: AbstractSet[Dependency] = frozenset()
    identity: tuple[tuple[str, ...], ...] = ()  # for each part, the tables that it names a row of; empty: no uid
    alone: AbstractSet[str] = frozenset()  # tables of which it reads only the one row that it judges

    @property
    def tables(self) -> AbstractSet[str]:
        """The tables that its verdicts rest on."""
        return {one.table for one in self.rests_on}

    def rests_on_any(self, hidden: Hidden) -> bool:
        """Whether its verdicts rest on something that is hidden."""
        if not hidden.columns:
            return hidden.table == EVERYTHING or hidden.table in self.tables
        return any(
            one.table == hidden.table and any(_is_column(one, column) for column in hidden.columns)
            for one in self.rests_on
        )

    def names(self, verdict: Verdict) -> list[Named]:
        """The uids in a verdict's identity. Of a rule whose identity has changed since: what looks like a uid."""
        if len(self.identity) != len(verdict.identity):
            prefix = f"{verdict.subject.platform}:"
            return [Named(uid, (RESOURCES, PRINCIPALS)) for uid in verdict.identity if uid.startswith(prefix)]
        pairs = zip(verdict.identity, self.identity, strict=True)
        return [Named(uid, tables) for uid, tables in pairs if tables and uid]


def tables_of(column: str, shown: Dependency | None) -> tuple[str, ...]:
    """The tables in which the thing that an identity column names would be a row; empty for what is no uid."""
    if not is_uid(column):
        return ()
    if shown is not None and shown.column == "uid":
        return (shown.table,)
    return _TABLES_OF.get(shown.column if shown else column, (RESOURCES,))


@dataclass(frozen=True, kw_only=True)
class Missing:
    """The uids of a finding that the snapshot does not have, by the tables that they would be in."""

    resources: Sequence[Named] = ()
    principals: Sequence[Named] = ()

    @classmethod
    def of(cls, names: Iterable[Named], present: AbstractSet[str]) -> "Missing":
        """What is missing among `names`; `present` are the uids that the snapshot has."""
        absent = [name for name in names if name.uid not in present]
        return cls(
            resources=[name for name in absent if PRINCIPALS not in name.tables],
            principals=[name for name in absent if PRINCIPALS in name.tables],
        )

    def __bool__(self) -> bool:
        return bool(self.resources or self.principals)


@dataclass(frozen=True, kw_only=True)
class ScanVisibility:
    """How much of the estate a scan could see."""

    visited: AbstractSet[Location] = frozenset()  # where anything was read, or tried
    wide: Mapping[Location, AbstractSet[Hidden]] = field(default_factory=dict)  # anywhere in an account or platform
    below: Mapping[Location, Mapping[str, AbstractSet[Hidden]]] = field(default_factory=dict)  # by the place's uid
    inside: Mapping[Location, Mapping[str, AbstractSet[Hidden]]] = field(default_factory=dict)  # by what contains it
    existence: Mapping[Location, AbstractSet[Hidden]] = field(default_factory=dict)  # wherever it is: without places
    listed: AbstractSet[str] = frozenset()  # scopes of which every list was read
    unlisted: AbstractSet[str] = frozenset()  # scopes in which resources may be that nobody saw
    noticed: Mapping[str, AbstractSet[Hidden]] = field(default_factory=dict)  # existence, by the scope that lacks it
    unasked: AbstractSet[Hidden] = frozenset()  # hidden by more than one unanswered question: a whole scope, a doubt

    def visits(self, verdict: Verdict) -> bool:
        """Whether the scan went where the finding is."""
        own = _location(verdict.subject)
        if own.account:
            return own in self.visited
        if own.platform == ORGANISATION:
            named = {uid.partition(":")[0] for uid in uids_of(verdict) if ":" in uid}
            return named - {ORGANISATION} <= {location.platform for location in self.visited}
        return any(location.platform == own.platform for location in self.visited)

    def may_mislead(self, verdict: Verdict, foundation: Foundation) -> bool:
        """Whether a verdict that passes now, or has no row although all that it names is there, may be wrong."""
        return any(
            foundation.rests_on_any(hidden) and not self._concerns_others(verdict.subject, foundation, hidden)
            for hidden in self._covering(verdict, foundation)
        )

    def may_hide(
        self, verdict: Verdict, foundation: Foundation, missing: Missing, present: AbstractSet[str] = frozenset()
    ) -> bool:
        """Whether what a finding names may still exist, although the snapshot does not have it.

        `present` are the uids of what the finding's subject was in, as far as the snapshot has them.
        """
        if any(not self._hides_resource(verdict, name, present) for name in missing.resources):
            return False
        if missing.resources:
            return True
        if any(self._hides_principal(verdict, foundation, name) for name in missing.principals):
            return True
        about_more = any(RESOURCES in tables for tables in foundation.identity)
        return about_more and any(
            not hidden.columns and foundation.rests_on_any(hidden) for hidden in self._covering(verdict, foundation)
        )

    def _hides_resource(self, verdict: Verdict, name: Named, present: AbstractSet[str]) -> bool:
        subject = verdict.subject
        was_listed = name.uid == subject.uid and self._lists_what_is_in(subject.inside, present)
        return any(
            not hidden.columns
            and hidden.table in (EVERYTHING, *name.tables)
            and _fits(hidden, subject, name)
            and (not was_listed or hidden in self.unasked or self._was_noticed_in(subject.inside, hidden))
            for hidden in self._around(verdict)
        )

    def _lists_what_is_in(self, containers: Sequence[str], present: AbstractSet[str]) -> bool:
        """Whether all that something was in is there, and the nearest of these that is a scope was listed completely.

        An account lists its buckets, and nothing of what is in a bucket.
        """
        nearest = next((uid for uid in containers if uid in self.listed or uid in self.unlisted), "")
        return set(containers) <= present and nearest in self.listed

    def _was_noticed_in(self, containers: Sequence[str], hidden: Hidden) -> bool:
        """Whether a scope that something was in lacks an answer that would have named it: no matter of other drives."""
        return any(hidden in self.noticed.get(uid, ()) for uid in containers)

    def _hides_principal(self, verdict: Verdict, foundation: Foundation, name: Named) -> bool:
        """Principals are named by directories, and by whatever is shared with them, wherever it is."""
        tables = {EVERYTHING, PRINCIPALS}
        if not _is_in_directory(verdict, name):
            tables |= _NAMING & foundation.tables
        return any(
            hidden.table in tables and _fits(hidden, verdict.subject, name) for hidden in self._anywhere(verdict)
        )

    def _covering(self, verdict: Verdict, foundation: Foundation) -> Iterator[Hidden]:
        """What is hidden where a verdict looked."""
        yield from self._around(verdict)
        for location in self._near(verdict):
            yield from self.inside.get(location, {}).get(verdict.subject.uid, ())
        if foundation.identity and all(_EVERYWHERE & set(tables) for tables in foundation.identity if tables):
            yield from self._anywhere(verdict)

    def _around(self, verdict: Verdict) -> Iterator[Hidden]:
        """What is hidden in a finding's account, in what its subject is in, or about what it names."""
        uids = uids_of(verdict)
        for location in self._near(verdict):
            yield from self.wide.get(location, ())
            below = self.below.get(location, {})
            for uid in uids & below.keys():
                yield from below[uid]

    def _anywhere(self, verdict: Verdict) -> Iterator[Hidden]:
        """What may exist unseen anywhere in a finding's account."""
        for location in self._near(verdict):
            yield from self.existence.get(location, ())

    def _near(self, verdict: Verdict) -> Iterable[Location]:
        """Where gaps concern a finding: its account, its platform as a whole, and what the organisation says.

        What somebody's accounts can reach, or a partner, is on every platform.
        """
        own = _location(verdict.subject)
        if own.account:
            return (own, Location(own.platform, ""), Location(ORGANISATION, ""))
        if own.platform == ORGANISATION:
            return list(self.visited)
        return [location for location in self.visited if location.platform in (own.platform, ORGANISATION)]

    def _concerns_others(self, subject: Subject, foundation: Foundation, hidden: Hidden) -> bool:
        """Whether only other things than the subject are concerned, and the rule reads none of these."""
        if hidden.table not in foundation.alone:
            return False
        return not hidden.columns or bool(hidden.kinds and subject.kind and subject.kind not in hidden.kinds)


def visibility_of(coverage: Iterable[Coverage], containers: Mapping[str, AbstractSet[str]]) -> ScanVisibility:
    """What a scan could see. `containers` are, by the uid of a gap's place, the uids of what contains it."""
    visited: set[Location] = set()
    wide: dict[Location, set[Hidden]] = {}
    below: dict[Location, dict[str, set[Hidden]]] = {}
    inside: dict[Location, dict[str, set[Hidden]]] = {}
    existence: dict[Location, set[Hidden]] = {}
    noticed: dict[str, set[Hidden]] = {}
    unasked: set[Hidden] = set()
    listed: set[str] = set()
    unlisted: set[str] = set()
    for row in coverage:
        location = Location(row.platform, row.account)
        visited.add(location)
        hides = hides_of(row)
        if row.outcome is Outcome.COMPLETE:
            listed.add(row.scope_uid)
        elif any(not hidden.columns and hidden.table in (EVERYTHING, RESOURCES) for hidden in hides):
            unlisted.add(row.scope_uid)
        if not row.question:
            unasked.update(hides)
        for hidden in hides:
            if not hidden.columns:
                noticed.setdefault(row.scope_uid, set()).add(hidden)
                existence.setdefault(location, set()).add(msgspec.structs.replace(hidden, below=None))
            if hidden.below is None:
                wide.setdefault(location, set()).add(hidden)
                continue
            below.setdefault(location, {}).setdefault(hidden.below, set()).add(hidden)
            for uid in containers.get(hidden.below, ()):
                inside.setdefault(location, {}).setdefault(uid, set()).add(hidden)
    return ScanVisibility(
        visited=visited,
        wide=wide,
        below=below,
        inside=inside,
        existence=existence,
        listed=listed - unlisted,
        unlisted=unlisted,
        noticed=noticed,
        unasked=unasked,
    )


def hides_of(row: Coverage) -> Sequence[Hidden]:
    """What a row of coverage hides."""
    if not row.outcome.can_hide:
        return ()
    if row.hides or row.question:  # a question may be declared to hide nothing
        return row.hides
    return (Hidden(table=row.table, below=row.resource_uid),)


def narrowed_to(coverage: Iterable[Coverage]) -> dict[str, str]:
    """The uids that gaps are narrowed to, each with the uid of the scope that it was noticed in."""
    return {hidden.below: row.scope_uid for row in coverage for hidden in hides_of(row) if hidden.below is not None}


def remembered_containers(verdicts: Iterable[Verdict], uids: AbstractSet[str]) -> dict[str, set[str]]:
    """What contains things, as far as findings say where they are: for a place that is itself unread this time."""
    containers: dict[str, set[str]] = {}
    for verdict in verdicts:
        inside = (verdict.subject.uid, *verdict.subject.inside)
        for depth, uid in enumerate(inside):
            if uid in uids:
                containers.setdefault(uid, set()).update(inside[depth + 1 :])
    return containers


def _location(subject: Subject) -> Location:
    return Location(subject.platform, subject.account)


def uids_of(verdict: Verdict) -> set[str]:
    """The uids of a verdict's subject, of what that is in, and of what the verdict names."""
    rows = (piece.row for piece in verdict.evidence)
    cited = {str(value) for row in rows for column, value in row.items() if is_uid(column) and value is not None}
    return {verdict.subject.uid, *verdict.subject.inside, *verdict.identity, *cited}


def _fits(hidden: Hidden, subject: Subject, name: Named) -> bool:
    """Whether what is hidden may be the thing with this name: only the subject's kind is known."""
    return not hidden.kinds or name.uid != subject.uid or not subject.kind or subject.kind in hidden.kinds


def _is_in_directory(verdict: Verdict, name: Named) -> bool:
    """Whether a principal was known from a directory when the finding was last seen."""
    if name.uid == verdict.subject.uid and verdict.subject.kind in _ALWAYS_LISTED:
        return True
    rows = [piece.row for piece in verdict.evidence if piece.row.get("principal_uid", name.uid) == name.uid]
    affiliations = {row.get("principal_affiliation", row.get("affiliation")) for row in rows}
    return affiliations == {Affiliation.INTERNAL.value}


def _is_column(one: Dependency, column: str) -> bool:
    """Whether a dependency is on this column, or on the same key of `detail`; ``detail`` alone means all of it."""
    name, _, key = column.partition(".")
    return one.column == name and (not key or not one.key or key == one.key)
