"""From what an engine found to verdicts: the evidence behind each, how far it reaches, its subject."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from cloudscan.engine.folding import BoundRule, Folding, NotPassed, evidence_columns
from cloudscan.engine.lookup import Explained, Lookup, RankedSubject
from cloudscan.engine.rule_file import Rule
from cloudscan.finding import Evidence, Judgement, Party, Subject, Verdict
from cloudscan.snapshot.tables import is_uid
from cloudscan.snapshot.tables import key as key_for

_TOGETHER: Final = 200_000
"""Pieces of evidence for which ids and subjects are looked up together."""

_UNEXPLAINED: Final = Explained()
_SUBJECTS: Final = ("origin_uid", "resource_uid", "scope_uid", "person_uid", "partner_uid", "principal_uid")
_PLAIN: Final = frozenset({type(None), bool, int, float, str})


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


@dataclass(frozen=True)
class _Known:
    """What is known of the keys in a batch."""

    ids: Mapping[int, str]
    subjects: Mapping[int, RankedSubject]
    explained: Mapping[int, Explained]
    parties: Mapping[int, Party]


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
    row = found.evidence[0] if found.evidence else ()
    known = (
        *(found.identity[index] for index in columns.identity_subjects),
        *(row[index] for index in columns.subjects if row),
    )
    return next((int(key) for key in known if key is not None), None)


def _built(folding: Folding, batch: Sequence[_Entry]) -> Iterator[Verdict]:
    known = _known(folding, batch)
    for columns, found, key in batch:
        subject = known.subjects.get(key or 0) or _bare_subject(columns, found, key, known.ids)
        extent = found.extent
        yield Verdict(
            rule_id=columns.rule.id,
            judgement=found.judgement,
            identity=tuple(
                identity_text(_with_id(value, known.ids) if index in columns.identity_uids else value)
                for index, value in enumerate(found.identity)
            ),
            subject=subject.subject,
            evidence=tuple(_piece(columns, row, known) for row in found.evidence),
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


def _known(folding: Folding, batch: Sequence[_Entry]) -> _Known:
    keys = {key for columns, found, key in batch for key in _keys(columns, found)}
    subjects = {key for _, _, key in batch if key is not None}
    grants, principals = set[int](), set[int]()
    for columns, found, _ in batch:
        for place, wanted in ((columns.grant, grants), (columns.principal, principals)):
            if place is not None:
                wanted.update(row[place] for row in found.evidence if isinstance(row[place], int))
    db = folding.known_of(keys | subjects)
    ids = Lookup(db, keys | subjects).ids()
    return _Known(
        ids=ids,
        subjects=Lookup(db, subjects).subjects(ids),
        explained=Lookup(db, grants).explained() if grants else {},
        parties=Lookup(db, principals).parties() if principals else {},
    )


def _keys(columns: _Columns, found: NotPassed) -> Iterator[int]:
    for index in columns.identity_uids:
        if isinstance(found.identity[index], int):
            yield found.identity[index]
    for row in found.evidence:
        for index in columns.uids:
            if isinstance(row[index], int):
                yield row[index]


def _bare_subject(columns: _Columns, found: NotPassed, key: int | None, ids: Mapping[int, str]) -> RankedSubject:
    """A subject that facts mention but do not describe: its id, and what the evidence says of it."""
    row = dict(zip(columns.names, found.evidence[0], strict=True)) if found.evidence else {}
    uid = ids.get(key or 0, "")
    platform = str(row.get("platform") or uid.partition(":")[0])
    name = str(row.get("resource_name") or row.get("name") or uid)
    return RankedSubject(Subject(uid=uid, platform=platform, account=str(row.get("account") or ""), name=name))


def _piece(columns: _Columns, row: Sequence[Any], known: _Known) -> Evidence:
    grant = _UNEXPLAINED
    if columns.grant is not None:
        grant = known.explained.get(row[columns.grant] or 0, _UNEXPLAINED)
    values = [value if type(value) in _PLAIN else _json_value(value) for value in row]
    for index in columns.uids:
        values[index] = _with_id(row[index], known.ids)
    return Evidence(
        row=dict(zip(columns.names, values, strict=True)),
        chain=grant.chain,
        entry=grant.entry,
        party=known.parties.get(row[columns.principal] or 0) if columns.principal is not None else None,
    )


def _with_id(value: Any, ids: Mapping[int, str]) -> Any:
    """The id in place of a key."""
    return ids.get(value, str(value)) if isinstance(value, int) else value


def _json_value(value: Any) -> Any:
    """A value as JSON has it; times in UTC."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
