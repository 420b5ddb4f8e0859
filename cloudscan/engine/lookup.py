"""What keys stand for: ids, subjects, explanations and containers, looked up in one go for many keys."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import duckdb
import msgspec

from cloudscan.facts import MOST_ENTRY, OBSERVED
from cloudscan.finding import Party, PartyKind, Person, PolicyEntry, Subject
from cloudscan.reason import Reason
from cloudscan.snapshot.organisation import ORGANISATION

_Value = TypeVar("_Value")
_DEEPEST: Final = 128  # levels of folders
_TOGETHER: Final = 100_000  # keys in one text

_PERSON: Final = ("uid", "platform", "account", "kind", "address", "name", "affiliation", "status")
"""The fields of a `Person` but for the manager."""

Chain = Sequence[Reason] | Mapping[str, Sequence[str]]
"""The steps that lead from a setting to a verdict."""

_chain: Final[msgspec.json.Decoder[Chain]] = msgspec.json.Decoder(Chain)
_entry: Final[msgspec.json.Decoder[PolicyEntry | None]] = msgspec.json.Decoder(PolicyEntry | None)


@dataclass(frozen=True, kw_only=True)
class Explained:
    """What a connector wrote about a grant beside its columns."""

    chain: Chain = ()
    entry: PolicyEntry | None = None


@dataclass(frozen=True)
class RankedSubject:
    """A subject with the rank of its resource; None for a principal, or an unranked resource."""

    subject: Subject
    rank: int | None = None


class Lookup:
    """Answers about a set of keys on one connection. The set is in the temporary table `wanted`, which it owns."""

    def __init__(self, db: duckdb.DuckDBPyConnection, keys: Iterable[int]) -> None:
        self._db = db
        self._keys = list(keys)
        db.execute("CREATE OR REPLACE TEMP TABLE wanted (key BIGINT)")
        for begin in range(0, len(self._keys), _TOGETHER):
            # One text is read several times as fast as a parameter for each number.
            some = ",".join(map(str, self._keys[begin : begin + _TOGETHER]))
            db.execute("INSERT INTO wanted SELECT unnest(string_split($keys, ','))::BIGINT", {"keys": some})

    def ids(self) -> dict[int, str]:
        """The text ids behind the keys."""
        return dict(self._rows("SELECT i.key, i.uid FROM ids AS i JOIN wanted USING (key)"))

    def subjects(self, ids: Mapping[int, str]) -> dict[int, RankedSubject]:
        """Resources, principals, people and partners among the keys. `ids` are those that `ids()` gave."""
        return {**self._organisation(ids), **self._principals(ids), **self._resources(ids)}

    def _organisation(self, ids: Mapping[int, str]) -> dict[int, RankedSubject]:
        """What the organisation itself knows: somebody's manager, or who is responsible for a partner, is told."""
        rows = self._rows(
            f"""WITH named AS (
                    SELECT uid, 'person' AS kind, coalesce(nullif(name, ''), nullif(email, ''), number) AS name,
                           email AS owner, uid AS responsible_uid
                    FROM people
                    UNION ALL
                    SELECT c.uid, 'partner', c.name, c.owner,
                           CASE WHEN d.standing = 'active' AND r.standing IS DISTINCT FROM 'active' THEN c.deputy_uid
                                ELSE coalesce(c.owner_uid, c.deputy_uid) END
                    FROM partners AS c LEFT JOIN people AS r ON r.uid = c.owner_uid
                    LEFT JOIN people AS d ON d.uid = c.deputy_uid
                    UNION ALL
                    SELECT uid, 'waiver', target, owner, owner_uid FROM waivers
                    UNION ALL
                    SELECT uid, 'template', name, '', NULL FROM templates
                )
                SELECT n.uid, n.kind, n.name, n.owner, {_worker("o", "i")}, {_worker("m", "j")}
                FROM named AS n JOIN wanted AS w ON w.key = n.uid
                LEFT JOIN people AS o ON o.uid = n.responsible_uid LEFT JOIN ids AS i ON i.key = o.uid
                LEFT JOIN people AS m ON m.uid = o.manager_uid LEFT JOIN ids AS j ON j.key = m.uid"""
        )
        width = len(_PERSON)
        return {
            key: RankedSubject(
                Subject(
                    uid=ids.get(key, ""),
                    platform=ORGANISATION,
                    kind=kind,
                    name=name,
                    owner=owner,
                    responsible=_person_of(values[:width], values[width:]),
                )
            )
            for key, kind, name, owner, *values in rows
        }

    def _principals(self, ids: Mapping[int, str]) -> dict[int, RankedSubject]:
        rows = self._rows(
            """SELECT p.uid, p.platform, p.account, p.kind, coalesce(nullif(p.email, ''), nullif(p.name, ''), ''),
                      p.detail
               FROM principals AS p JOIN wanted AS w ON w.key = p.uid"""
        )
        return {
            key: RankedSubject(
                Subject(
                    uid=ids.get(key, ""),
                    platform=platform,
                    account=account,
                    kind=kind,
                    name=name,
                    detail=_detail(detail),
                )
            )
            for key, platform, account, kind, name, detail in rows
        }

    def _resources(self, ids: Mapping[int, str]) -> dict[int, RankedSubject]:
        rows = self._rows(
            """SELECT r.uid, r.platform, r.account, r.kind, r.name, r.path, r.url,
                      coalesce(nullif(o.email, ''), nullif(o.name, ''), ''), r.detail, r.rank, o.uid
               FROM resources AS r JOIN wanted AS w ON w.key = r.uid LEFT JOIN principals AS o ON o.uid = r.owner_uid"""
        )
        owners = Lookup(self._db, {row[-1] for row in rows if row[-1] is not None})._owners()
        return {
            key: RankedSubject(
                Subject(
                    uid=ids.get(key, ""),
                    platform=platform,
                    account=account,
                    kind=kind,
                    name=name,
                    path=path,
                    url=url,
                    owner=owner,
                    responsible=owners.get(owned_by),
                    detail=_detail(detail),
                ),
                rank,
            )
            for key, platform, account, kind, name, path, url, owner, detail, rank, owned_by in rows
        }

    def _owners(self) -> dict[int, Person]:
        """The principals among the keys as owners, with their managers.

        The directory's entry for an employee names the manager, and so may the roster, which knows as well who left.
        """
        rows = self._rows(
            f"""WITH staff AS (
                    SELECT a.principal_uid, p.standing = 'left' AS has_left, min(b.principal_uid) AS manager_uid
                    FROM wanted AS w JOIN accounts AS a ON a.principal_uid = w.key AND a.kind = 'own'
                    JOIN people AS p ON p.uid = a.person_uid
                    LEFT JOIN accounts AS b ON b.person_uid = p.manager_uid AND b.kind = 'own'
                    GROUP BY ALL
                )
                SELECT o.uid, {_person("o", "CASE WHEN s.has_left THEN 'left' ELSE o.status END")},
                       m.uid, {_person("m", "m.status")}
                FROM wanted AS w JOIN principals AS o ON o.uid = w.key
                LEFT JOIN staff AS s ON s.principal_uid = o.uid
                LEFT JOIN principals AS m
                  ON m.uid = CASE WHEN o.kind = 'user' THEN coalesce(o.sponsor_uid, s.manager_uid) END"""
        )
        width = len(_PERSON)
        ids = Lookup(self._db, {key for row in rows for key in (row[0], row[width]) if key is not None}).ids()
        owners = {
            row[0]: _person_of((ids.get(row[0], ""), *row[1:width]), (ids.get(row[width] or 0, ""), *row[width + 1 :]))
            for row in rows
        }
        return {key: owner for key, owner in owners.items() if owner is not None}

    def explained(self) -> dict[int, Explained]:
        """The explanations of the grants among the keys, as far as their connectors wrote one.

        A connector's own idea of a chain or an entry is left out; the row of evidence still counts.
        """
        rows = self._rows(
            """SELECT g.uid, json_extract(g.detail, '$.chain'), json_extract(g.detail, '$.entry')
               FROM grants AS g JOIN wanted AS w ON w.key = g.uid
               WHERE json_extract(g.detail, '$.chain') IS NOT NULL OR json_extract(g.detail, '$.entry') IS NOT NULL"""
        )
        return {key: Explained(chain=_decoded(_chain, chain, ()), entry=_bounded(entry)) for key, chain, entry in rows}

    def parties(self) -> dict[int, Party]:
        """Who is outside among the principals."""
        rows = self._rows(
            f"""SELECT p.uid,
                       CASE WHEN p.affiliation IS NULL THEN '{PartyKind.UNKNOWN}'
                            WHEN p.affiliation = 'partner' THEN '{PartyKind.PARTNER}'
                            WHEN json_extract_string(p.detail, '$.consumer') = 'true' THEN '{PartyKind.PRIVATE}'
                            ELSE '{PartyKind.UNLISTED}' END AS party,
                       nullif(json_extract_string(p.detail, '$.partner'), ''), nullif(p.domain, ''),
                       nullif(p.email, ''), p.name
                FROM principals AS p JOIN wanted AS w ON w.key = p.uid
                WHERE p.affiliation IS NULL OR p.affiliation <> 'internal'"""
        )
        return {
            key: Party(name=(partner or domain or email or name), kind=PartyKind.PARTNER)
            if kind == PartyKind.PARTNER
            else Party(name=(email if kind == PartyKind.PRIVATE else domain) or email or name, kind=PartyKind(kind))
            for key, kind, partner, domain, email, name in rows
        }

    def containers(self) -> dict[int, list[str]]:
        """The ids of what resources are in, the nearest first. A loop among parents ends at the greatest depth."""
        above: dict[int, Sequence[int]] = {}
        looked_up, level = set(self._keys), self
        for _ in range(_DEEPEST):
            rows = level._rows(
                "SELECT r.uid, r.parent_uid, r.container_uid FROM resources AS r JOIN wanted AS w ON w.key = r.uid"
            )
            above |= {key: [one for one in both if one is not None] for key, *both in rows}
            ahead = {one for key, *_ in rows for one in above[key]} - looked_up
            if not ahead:
                break
            looked_up |= ahead
            level = Lookup(self._db, ahead)
        ids = Lookup(self._db, {one for both in above.values() for one in both}).ids()
        found = {key: list(_nearest(key, above, ids)) for key in self._keys}
        return {key: containers for key, containers in found.items() if containers}

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._db.execute(sql).fetchall()


def _person(principal: str, status: str) -> str:
    """The SQL for the fields of a person but for the uid; the first parameter is an alias of `principals`."""
    columns = ("platform", "account", "kind", "email", "name")
    known = ", ".join(f"coalesce({principal}.{column}, '')" for column in columns)
    return f"{known}, {principal}.affiliation, {status}"


def _worker(person: str, uid: str) -> str:
    """The same for somebody in the table `people`."""
    status = (
        f"CASE WHEN {person}.standing IN ('left', 'term-over') THEN 'left' "
        f"WHEN {person}.standing = 'active' THEN 'active' WHEN {person}.standing = 'on-leave' THEN 'suspended' END"
    )
    known = f"coalesce({person}.email, ''), coalesce({person}.name, '')"
    return f"coalesce({uid}.uid, ''), '{ORGANISATION}', '', 'user', {known}, 'internal', {status}"


def _nearest(key: int, above: Mapping[int, Sequence[int]], ids: Mapping[int, str]) -> Iterator[str]:
    """The ids of everything above a key, level by level."""
    passed, level = {key}, {key}
    for _ in range(_DEEPEST):
        level = {one for below in level for one in above.get(below, ())} - passed
        if not level:
            return
        passed |= level
        yield from sorted(ids[one] for one in level if one in ids)


def _person_of(values: Sequence[Any], manager: Sequence[Any]) -> Person | None:
    """A person out of columns, with a manager; None without a uid."""
    if not values[0]:
        return None
    above = dict(zip(_PERSON, manager, strict=True)) if manager[0] else None
    return msgspec.convert({**dict(zip(_PERSON, values, strict=True)), "manager": above}, Person)


def _detail(text: str | None) -> Mapping[str, Any]:
    detail = msgspec.json.decode(text) if text else {}
    return {name: value for name, value in detail.items() if name != OBSERVED} if isinstance(detail, dict) else {}


def _bounded(text: str | None) -> PolicyEntry | None:
    entry = _decoded(_entry, text, None)
    if entry is None or len(entry.text) <= MOST_ENTRY:
        return entry
    return msgspec.structs.replace(entry, text=entry.text[:MOST_ENTRY], whole=False)


def _decoded(decoder: msgspec.json.Decoder[_Value], text: str | None, otherwise: _Value) -> _Value:
    if text is None:
        return otherwise
    try:
        return decoder.decode(text)
    except msgspec.MsgspecError:
        return otherwise
