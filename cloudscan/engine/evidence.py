"""From what an engine found to verdicts: the evidence behind each, how far it reaches, its subject."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, islice, repeat
from typing import Any, Final, TypeVar

import msgspec

from cloudscan.engine.folding import BoundRule, Folding, NotPassed, evidence_columns
from cloudscan.engine.lookup import Explained, Lookup, RankedSubject
from cloudscan.engine.rule_file import Rule
from cloudscan.finding import Evidence, Judgement, Party, Subject, Verdict
from cloudscan.snapshot.tables import is_uid
from cloudscan.snapshot.tables import key as key_for

_TOGETHER: Final = 400_000
"""Pieces of evidence for which ids and subjects are looked up together."""

_UNEXPLAINED: Final = Explained()
_SUBJECTS: Final = ("origin_uid", "resource_uid", "scope_uid", "person_uid", "partner_uid", "principal_uid")


@dataclass(frozen=True)
class _Columns:
    """A rule's columns, and what they mean to the engine: positions in a row of evidence or in an identity."""

    rule: Rule
    names: Sequence[str]
    uids: Sequence[int]
    identity_uids: Sequence[int]
    identity_subjects: Sequence[int]
    subjects: Sequence[int]
    grant: int | None
    principal: int | None


class _Ids(dict[Any, Any]):
    """Ids by key. What is no key of anything stays what it is."""

    def __missing__(self, key: Any) -> Any:
        return str(key) if isinstance(key, int) else key


class _Same(dict[Any, Any]):
    """Values as JSON has them, equal ones once in memory; times in UTC."""

    def __missing__(self, value: Any) -> Any:
        shown = value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
        self[value] = shown if shown is None or isinstance(shown, str | datetime) else str(shown)
        return self[value]


class _Row:
    """Dictionaries with the same names in the same order share the names if they belong to objects of one class.

    There are millions of rows of evidence; each takes half as much in this way.
    """


@dataclass(frozen=True)
class _Known:
    """What is known of the keys in a batch."""

    ids: _Ids
    subjects: Mapping[int, RankedSubject]
    explained: Mapping[int, Explained]
    parties: Mapping[int, Party]


_Value = TypeVar("_Value")
_Table = Sequence[Sequence[Any]]
"""Rows of evidence of one rule, by column."""

_Entry = tuple[_Columns, NotPassed, int | None]
"""An identity that did not pass, with the key of its subject."""


def verdicts(folding: Folding, rules: Iterable[BoundRule]) -> Iterator[Verdict]:
    """The verdicts of the given rules, each of which flagged something or could not decide.

    What keys stand for is looked up once for many verdicts of as many rules as fit: each look-up reads whole tables.
    """
    batch: list[_Entry] = []
    pieces = 0
    for rule in rules:
        columns = _columns(rule.rule)
        for found in folding.not_passed(rule):
            batch.append((columns, found, _subject_key(columns, found)))
            pieces += len(found.evidence)
            if pieces >= _TOGETHER:
                yield from _built(folding, batch)
                batch, pieces = [], 0
    if batch:
        yield from _built(folding, batch)


def with_containers(folding: Folding, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts, with the containers of flagged subjects: for all rules together, since each level is a join."""
    flagged = {key_for(verdict.subject.uid) for verdict in verdicts if verdict.judgement is Judgement.FLAGGED}
    containers = Lookup(folding.known_of(flagged), flagged).containers() if flagged else {}

    def contained(verdict: Verdict) -> Verdict:
        inside = containers.get(key_for(verdict.subject.uid)) if verdict.judgement is Judgement.FLAGGED else None
        if not inside:
            return verdict
        return msgspec.structs.replace(verdict, subject=msgspec.structs.replace(verdict.subject, inside=inside))

    return [contained(verdict) for verdict in verdicts]


def identity_text(value: object) -> str:
    """One value of an identity as text. It goes into the fingerprint, so it must never change."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _columns(rule: Rule) -> _Columns:
    names = evidence_columns(rule)
    keyed = [column for column in (*_SUBJECTS, *rule.identity) if column in rule.identity and is_uid(column)]
    return _Columns(
        rule=rule,
        names=names,
        uids=[index for index, name in enumerate(names) if is_uid(name)],
        identity_uids=[index for index, name in enumerate(rule.identity) if is_uid(name)],
        identity_subjects=[list(rule.identity).index(column) for column in keyed],
        subjects=[names.index(column) for column in _SUBJECTS if column in names],
        grant=names.index("grant_uid") if "grant_uid" in names else None,
        principal=names.index("principal_uid") if "principal_uid" in names else None,
    )


def _subject_key(columns: _Columns, found: NotPassed) -> int | None:
    """What the verdict is about: the identity's own id, else the first id in the evidence."""
    for index in columns.identity_subjects:
        if found.identity[index] is not None:
            return int(found.identity[index])
    for index in columns.subjects if found.evidence else ():
        if found.evidence[0][index] is not None:
            return int(found.evidence[0][index])
    return None


def _built(folding: Folding, batch: Sequence[_Entry]) -> Iterator[Verdict]:
    tables = [*_by_rule(batch)]
    known, same = _known(folding, tables), _Same()
    for columns, entries, table in tables:
        pieces = _pieces(columns, table, known, same)
        for _, found, key in entries:
            subject = known.subjects.get(key or 0) or _bare_subject(columns, found, key, known.ids)
            extent = found.extent
            yield Verdict(
                rule_id=columns.rule.id,
                judgement=found.judgement,
                identity=tuple(
                    identity_text(known.ids[value] if index in columns.identity_uids else value)
                    for index, value in enumerate(found.identity)
                ),
                subject=subject.subject,
                evidence=tuple(islice(pieces, len(found.evidence))),
                rows=extent.rows,
                audience=extent.audience,
                access=extent.access,
                resources=extent.resources,
                bytes=extent.bytes,
                people=extent.people,
                rank=extent.rank if extent.rank is not None else subject.rank,
                since=extent.since,
                likelihood=extent.likelihood,
            )


def _by_rule(batch: Sequence[_Entry]) -> Iterator[tuple[_Columns, Sequence[_Entry], _Table]]:
    for _, entries in groupby(batch, lambda entry: entry[0].rule.id):
        some = list(entries)
        yield some[0][0], some, [*zip(*(row for _, found, _ in some for row in found.evidence), strict=True)]


def _known(folding: Folding, tables: Sequence[tuple[_Columns, Sequence[_Entry], _Table]]) -> _Known:
    subjects = {key for _, entries, _ in tables for _, _, key in entries if key is not None}
    keys, grants, principals = set(subjects), set[int](), set[int]()
    for columns, entries, table in tables:
        for index in columns.identity_uids:
            keys |= _integers({found.identity[index] for _, found, _ in entries})
        for index in columns.uids if table else ():
            named = _integers(set(table[index]))
            keys |= named
            if index == columns.grant:
                grants |= named
            if index == columns.principal:
                principals |= named
    db = folding.known_of(keys)
    ids = _Ids(Lookup(db, keys).ids())
    return _Known(
        ids=ids,
        subjects=Lookup(db, subjects).subjects(ids),
        explained=Lookup(db, grants).explained() if grants else {},
        parties=Lookup(db, principals).parties() if principals else {},
    )


def _integers(values: Iterable[Any]) -> set[int]:
    return {value for value in values if isinstance(value, int)}


def _bare_subject(columns: _Columns, found: NotPassed, key: int | None, ids: Mapping[int, str]) -> RankedSubject:
    """A subject that facts mention but do not describe: its id, and what the evidence says of it."""
    row = dict(zip(columns.names, found.evidence[0], strict=True)) if found.evidence else {}
    uid = ids.get(key or 0, "")
    platform = str(row.get("platform") or uid.partition(":")[0])
    name = str(row.get("resource_name") or row.get("name") or uid)
    return RankedSubject(Subject(uid=uid, platform=platform, account=str(row.get("account") or ""), name=name))


def _pieces(columns: _Columns, table: _Table, known: _Known, same: Mapping[Any, Any]) -> Iterator[Evidence]:
    """Rows of evidence of one rule, worked on column by column: all values of a column are of one type."""
    shown = [_shown(values, known.ids if index in columns.uids else same) for index, values in enumerate(table)]
    explained = _of_keys(columns.grant, table, known.explained, _UNEXPLAINED)
    parties = _of_keys(columns.principal, table, known.parties, None)
    row_class = type(f"Row_{columns.rule.id}", (_Row,), {})
    for values, grant, party in zip(zip(*shown, strict=True), explained, parties, strict=False):
        row = vars(row_class())
        row.update(zip(columns.names, values, strict=True))
        yield Evidence(row=row, chain=grant.chain, entry=grant.entry, party=party)


def _of_keys(column: int | None, table: _Table, found: Mapping[int, _Value], otherwise: _Value) -> Iterable[_Value]:
    """What was found for the key in each row."""
    if column is None or not found:
        return repeat(otherwise)
    return [found.get(key or 0, otherwise) for key in table[column]]


def _shown(values: Sequence[Any], by: Mapping[Any, Any]) -> Iterable[Any]:
    """The values of a column as they are shown. Numbers and truth values need no look at each."""
    first = next((value for value in values if value is not None), None)
    plain = isinstance(first, bool | int | float) and not isinstance(by, _Ids)
    return values if plain else map(by.__getitem__, values)
