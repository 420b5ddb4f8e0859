"""All that one person can reach on all platforms, and by what: read from one snapshot.

A person is somebody in the table `people`, or an account that belongs to nobody there: a guest, a partner's person, a
service. They are looked for by number, address, or the uid of a person or an account; by name only if nothing else
fits, and a name that fits several is an answer with several, never with one of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import msgspec

from cloudscan.roster.folding import addresses_in, folded_name, number_in
from cloudscan.snapshot.organisation import ORGANISATION
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan.snapshot.tables import key

_PEOPLE: Final = ("user", "guest")  # kinds of principals; where an address is asked for, others are no answer
_MIDDLE_RANK: Final = 3  # of what is not ranked, as in the score


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who fits what was asked for."""

    uid: str  # of the person, or of the account that belongs to nobody known
    name: str
    address: str = ""
    number: str = ""
    department: str = ""
    platform: str = ORGANISATION
    kind: str = "person"  # or the principal's


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account, whose it is by which sign, and its state."""

    uid: str
    platform: str
    account: str
    kind: str
    name: str
    address: str
    ownership: str  # own, private; empty: nobody's that is known
    joined_by: str
    confidence: str | None
    status: str | None
    last_seen_on: datetime | None


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group that an account belongs to, itself or through another group."""

    uid: str
    platform: str
    name: str
    principal_uid: str  # the account
    role: str = ""  # in it; empty: through another group


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the person can reach: where it was given, and how far that reaches."""

    resource_uid: str
    platform: str
    account: str
    kind: str
    name: str
    path: str
    url: str
    by: str  # owner, direct, link, group
    group: str  # the name of the group
    principal_uid: str  # the account
    access: str | None
    widest: str | None  # the widest audience that the thing is open to
    rank: int | None
    resources: int  # the thing, and what inherits from it
    effective: bool | None  # False: something blocks it, None: not known
    blocked_by: str
    granted_on: datetime | None


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """How many such things there are, whatever is shown."""

    platform: str
    by: str
    things: int


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """An account of ours that may be the person's as well, and could not be joined with anybody."""

    uid: str
    platform: str
    name: str
    address: str
    why: str  # ambiguous, unread; name: it is only called alike


class Entitlements(msgspec.Struct, frozen=True, kw_only=True):
    """One person, and all that they can reach. Personal data."""

    uid: str
    name: str
    number: str = ""
    address: str = ""
    department: str = ""
    role: str = ""
    employment: str | None = None
    standing: str | None = None
    last_day: date | None = None
    manager: str = ""
    posts: Sequence[str] = ()  # the departments of today, the primary one first
    accounts: Sequence[Account] = ()
    groups: Sequence[Group] = ()
    reached: Sequence[Reached] = ()  # the weightiest first, as many as were asked for
    amounts: Sequence[Amount] = ()
    doubts: Sequence[Doubt] = ()
    unread: int = 0  # lists of permissions or members that could not be read, in which they may stand


def candidates(snapshot: Snapshot, asked: str) -> list[Candidate]:
    """Who fits: a number, an address or a uid first; a name only where nothing else does."""
    for found in (_people(snapshot, asked), _principals(snapshot, asked), _by_name(snapshot, asked)):
        if found:
            return found
    return []


def _people(snapshot: Snapshot, asked: str) -> list[Candidate]:
    rows = _rows(
        snapshot,
        """SELECT DISTINCT p.uid, p.name, p.email, p.number, p.department FROM people AS p
           LEFT JOIN accounts AS a ON a.person_uid = p.uid LEFT JOIN principals AS u ON u.uid = a.principal_uid
           WHERE p.uid = $key OR (p.number <> '' AND ltrim(upper(p.number), '0') = ltrim($number, '0'))
              OR ($address <> '' AND $address IN (lower(p.email), lower(u.email))) OR u.uid = $key
           ORDER BY p.number, p.uid""",
        _asked(asked),
    )
    return [
        Candidate(uid=uid, name=name, address=address, number=number, department=department)
        for uid, name, address, number, department in rows
    ]


def _principals(snapshot: Snapshot, asked: str) -> list[Candidate]:
    rows = _rows(
        snapshot,
        f"""SELECT p.uid, p.name, p.email, p.platform, p.kind FROM principals AS p
            WHERE p.uid = $key OR (lower(p.email) = $address AND $address <> '' AND p.kind IN {_PEOPLE})
            ORDER BY p.platform, p.uid""",
        {name: value for name, value in _asked(asked).items() if name != "number"},
    )
    found = [
        Candidate(uid=uid, name=name, address=address, platform=platform, kind=kind)
        for uid, name, address, platform, kind in rows
    ]
    # One address is one person, on however many platforms.
    return found[:1] if len({one.address.lower() for one in found}) == 1 and found[0].address else found


def _by_name(snapshot: Snapshot, asked: str) -> list[Candidate]:
    wanted = folded_name(asked)
    if not wanted:
        return []
    rows = _rows(snapshot, "SELECT uid, name, email, number, department FROM people ORDER BY number, uid")
    people = [
        Candidate(uid=uid, name=name, address=address, number=number, department=department)
        for uid, name, address, number, department in rows
        if folded_name(name) == wanted
    ]
    if people:
        return people
    rows = _rows(
        snapshot,
        f"""SELECT uid, name, email, platform, kind FROM principals
            WHERE kind IN {_PEOPLE} AND uid NOT IN (SELECT principal_uid FROM accounts WHERE person_uid IS NOT NULL)
            ORDER BY platform, uid""",
    )
    return [
        Candidate(uid=uid, name=name, address=address, platform=platform, kind=kind)
        for uid, name, address, platform, kind in rows
        if folded_name(name) == wanted
    ]


def _asked(asked: str) -> Mapping[str, object]:
    addresses = addresses_in(asked)
    number = "" if addresses else number_in(asked)
    return {"key": key(asked.strip()), "number": number or "?", "address": addresses[0] if addresses else ""}


def entitlements(snapshot: Snapshot, candidate: Candidate, most: int) -> Entitlements:
    """What somebody can reach; of the things reached, the `most` weightiest."""
    accounts = _accounts(snapshot, candidate)
    keys = [key(account.uid) for account in accounts]
    snapshot.db.execute("CREATE OR REPLACE TEMP TABLE their (principal_uid BIGINT)")
    if keys:
        snapshot.db.execute("INSERT INTO their SELECT unnest($keys::BIGINT[])", {"keys": keys})
    _gather(snapshot)
    known = Entitlements(
        uid=candidate.uid,
        name=candidate.name,
        number=candidate.number,
        address=candidate.address,
        department=candidate.department,
        accounts=accounts,
        groups=_groups(snapshot),
        reached=_reached(snapshot, most),
        amounts=_amounts(snapshot),
        doubts=_doubts(snapshot, candidate),
        unread=_unread(snapshot),
    )
    return _with_person(snapshot, known) if candidate.kind == "person" else known


def _accounts(snapshot: Snapshot, candidate: Candidate) -> list[Account]:
    rows = _rows(
        snapshot,
        f"""SELECT p.uid, p.platform, p.account, p.kind, p.name, p.email, coalesce(a.kind, ''),
                   coalesce(a.joined_by, ''), a.confidence, p.status, p.last_seen_on
            FROM principals AS p LEFT JOIN accounts AS a ON a.principal_uid = p.uid
            WHERE a.person_uid = $key OR p.uid = $key
               OR (a.person_uid IS NULL AND lower(p.email) = $address AND $address <> '' AND p.kind IN {_PEOPLE})
            ORDER BY coalesce(a.kind, ''), p.platform, p.account, p.uid""",
        {
            "key": key(candidate.uid),
            "address": "" if candidate.kind == "person" else candidate.address.lower(),
        },
    )
    return [Account(**dict(zip(Account.__struct_fields__, row, strict=True))) for row in rows]


def _gather(snapshot: Snapshot) -> None:
    """The temporary tables `roads` (by which principals), and `reached` (one row per place where it was given)."""
    snapshot.db.execute(
        """CREATE OR REPLACE TEMP TABLE roads AS
           SELECT principal_uid, principal_uid AS admitted_uid FROM their
           UNION
           SELECT t.principal_uid, m.group_uid FROM their AS t JOIN members AS m ON m.member_uid = t.principal_uid"""
    )
    snapshot.db.execute(
        """CREATE OR REPLACE TEMP TABLE given AS
           SELECT r.principal_uid, e.principal_uid AS admitted_uid, e.origin_uid, e.grant_uid, e.resource_uid, e.access,
                  e.via, e.effective, e.blocked_by, e.granted_on
           FROM exposures AS e JOIN roads AS r ON r.admitted_uid = e.principal_uid
           WHERE e.audience > 'owner'::audience_ladder OR e.audience IS NULL"""
    )
    snapshot.db.execute(
        """CREATE OR REPLACE TEMP TABLE owned AS
           SELECT e.owner_uid AS principal_uid, e.resource_uid, max(e.audience) FILTER (e.effective) AS widest
           FROM exposures AS e JOIN their AS t ON t.principal_uid = e.owner_uid
           GROUP BY e.owner_uid, e.resource_uid"""
    )
    snapshot.db.execute(
        """CREATE OR REPLACE TEMP TABLE reached AS
           WITH origins AS (
               SELECT principal_uid, admitted_uid, origin_uid, max(access) AS access, any_value(via) AS via,
                      bool_or(effective) AS effective, any_value(blocked_by) AS blocked_by,
                      max(granted_on) AS granted_on, count(DISTINCT resource_uid) AS resources
               FROM given GROUP BY principal_uid, admitted_uid, origin_uid
           ),
           widest AS (
               SELECT resource_uid, max(audience) FILTER (effective) AS widest FROM exposures
               WHERE resource_uid IN (SELECT origin_uid FROM origins) GROUP BY resource_uid
           )
           SELECT o.origin_uid AS resource_uid,
                  CASE WHEN o.admitted_uid <> o.principal_uid THEN 'group' WHEN o.via = 'link' THEN 'link'
                       ELSE 'direct' END AS by,
                  CASE WHEN o.admitted_uid <> o.principal_uid THEN o.admitted_uid END AS group_uid, o.principal_uid,
                  o.access, w.widest, o.resources, o.effective, o.blocked_by, o.granted_on
           FROM origins AS o LEFT JOIN widest AS w ON w.resource_uid = o.origin_uid
           UNION ALL
           SELECT resource_uid, 'owner', NULL, principal_uid, 'own'::access_ladder, widest, 1, TRUE, '', NULL
           FROM owned"""
    )


def _groups(snapshot: Snapshot) -> list[Group]:
    rows = _rows(
        snapshot,
        """SELECT r.admitted_uid, g.platform, coalesce(nullif(g.name, ''), nullif(g.email, ''), ''), r.principal_uid,
                  coalesce(max(m.role), '')
           FROM roads AS r LEFT JOIN principals AS g ON g.uid = r.admitted_uid
           LEFT JOIN memberships AS m ON m.group_uid = r.admitted_uid AND m.member_uid = r.principal_uid
           WHERE r.admitted_uid <> r.principal_uid GROUP BY ALL ORDER BY 2, 3, 1""",
        uids=(0, 3),
    )
    return [
        Group(uid=uid, platform=platform or "", name=name, principal_uid=account, role=role)
        for uid, platform, name, account, role in rows
    ]


def _reached(snapshot: Snapshot, most: int) -> list[Reached]:
    rows = _rows(
        snapshot,
        f"""SELECT t.resource_uid, r.platform, r.account, r.kind, r.name, r.path, r.url, t.by,
                   coalesce(nullif(g.name, ''), g.email, ''), t.principal_uid, t.access::VARCHAR, t.widest::VARCHAR,
                   r.rank, t.resources, t.effective, t.blocked_by, t.granted_on
            FROM reached AS t JOIN resources AS r ON r.uid = t.resource_uid
            LEFT JOIN principals AS g ON g.uid = t.group_uid
            ORDER BY t.effective DESC NULLS FIRST, t.widest >= 'named_external'::audience_ladder DESC NULLS FIRST,
                     coalesce(r.rank, {_MIDDLE_RANK}) DESC, t.access DESC NULLS FIRST, t.widest DESC NULLS FIRST,
                     t.resources DESC, r.platform, r.path, r.name, t.by, t.resource_uid
            LIMIT $most""",
        {"most": most},
        uids=(0, 9),
    )
    return [Reached(**dict(zip(Reached.__struct_fields__, row, strict=True))) for row in rows]


def _amounts(snapshot: Snapshot) -> list[Amount]:
    rows = snapshot.db.execute(
        """SELECT r.platform, t.by, count(DISTINCT t.resource_uid) FROM reached AS t
           JOIN resources AS r ON r.uid = t.resource_uid GROUP BY ALL ORDER BY 1, 2"""
    ).fetchall()
    return [Amount(platform=platform, by=by, things=things) for platform, by, things in rows]


def _doubts(snapshot: Snapshot, candidate: Candidate) -> list[Doubt]:
    """Accounts of ours that may be theirs: joined with nobody, of the same address, number or name."""
    rows = _rows(
        snapshot,
        """SELECT p.uid, p.platform, p.name, p.email, coalesce(a.joined_by, 'name'), p.detail ->> '$.employee_number'
           FROM principals AS p LEFT JOIN accounts AS a ON a.principal_uid = p.uid
           WHERE p.kind = 'user' AND p.affiliation = 'internal' AND a.person_uid IS NULL
             AND p.uid NOT IN (SELECT principal_uid FROM their)
           ORDER BY p.platform, p.uid""",
    )
    return [
        Doubt(uid=uid, platform=platform, name=name, address=address, why=why)
        for uid, platform, name, address, why, number in rows
        if (candidate.address and address.lower() == candidate.address.lower())
        or (candidate.number and number_in(number or "").lstrip("0") == candidate.number.lstrip("0"))
        or (candidate.name and folded_name(name) == folded_name(candidate.name))
    ]


def _unread(snapshot: Snapshot) -> int:
    row = snapshot.db.execute(
        """SELECT (SELECT count(DISTINCT resource_uid) FROM grants WHERE principal_uid IS NULL AND audience IS NULL)
                + (SELECT count(DISTINCT group_uid) FROM memberships WHERE member_uid IS NULL)"""
    ).fetchone()
    return int(row[0]) if row else 0


def _with_person(snapshot: Snapshot, known: Entitlements) -> Entitlements:
    person = snapshot.db.execute(
        """SELECT p.role, p.employment, p.standing, p.last_day, coalesce(nullif(m.name, ''), m.number, '')
           FROM people AS p LEFT JOIN people AS m ON m.uid = p.manager_uid WHERE p.uid = $key""",
        {"key": key(known.uid)},
    ).fetchone()
    posts = snapshot.db.execute(
        """SELECT department FROM posts WHERE person_uid = $key AND until = DATE '9999-12-31'
           ORDER BY is_primary DESC, department""",
        {"key": key(known.uid)},
    ).fetchall()
    role, employment, standing, last_day, manager = person or ("", None, None, None, "")
    return msgspec.structs.replace(
        known,
        role=role,
        employment=employment,
        standing=standing,
        last_day=last_day,
        manager=manager,
        posts=[department for (department,) in posts],
    )


def _rows(
    snapshot: Snapshot, sql: str, params: Mapping[str, object] | None = None, uids: Iterable[int] = (0,)
) -> list[tuple[Any, ...]]:
    """Rows of a query, in which some columns are keys: those become ids."""
    rows = snapshot.db.execute(sql, dict(params) if params else None).fetchall()
    places = set(uids)
    texts = snapshot.texts({row[place] for row in rows for place in places if isinstance(row[place], int)})
    return [
        tuple(texts.get(value, str(value)) if place in places else value for place, value in enumerate(row))
        for row in rows
    ]
