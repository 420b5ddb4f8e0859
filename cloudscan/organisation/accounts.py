"""Whose account is it: principals on all platforms joined with people, by the strongest sign that they share.

============  ==========================================================================  ==========
joined by     what is equal                                                               confidence
============  ==========================================================================  ==========
number        the employee number, as written                                             certain
address       the primary address of both                                                 certain
identity      an id of the same identity provider, with an account that is joined         certain
number        the employee number but for zeros that a spreadsheet dropped                high
alias         an address of one is an alias of the other                                  high
namesake      the same mailbox and the same name at two domains of ours                   medium
private       a private address that the roster, or a directory's entry, has              high
============  ==========================================================================  ==========

A name alone never joins. Two people who fit equally well are none (`ambiguous`), and so is an account whose owner may
be in a row of the roster that cannot be understood (`unread`). An account that was created after somebody left is not
the same person's, however its address reads: addresses are used again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import duckdb

from cloudscan.organisation.knowledge import Knowledge
from cloudscan.organisation.people import person_uid
from cloudscan.organisation.rows import fill
from cloudscan.roster.folding import folded_name
from cloudscan.roster.people import KnownPerson
from cloudscan.snapshot.tables import key
from cloudscan.text import CONSUMER

_PLUS: Final = r"'^([^+]+)\+.*$', '\1'"
_MACROS: Final = (
    f"""CREATE OR REPLACE TEMP MACRO mailbox_of(address) AS
            regexp_replace(split_part(lower(trim(address)), '@', 1), {_PLUS})""",
    """CREATE OR REPLACE TEMP MACRO folded_address(address) AS
           CASE WHEN split_part(lower(trim(address)), '@', 2) IN ('gmail.com', 'googlemail.com')
                THEN replace(mailbox_of(address), '.', '') || '@gmail.com'
                ELSE mailbox_of(address) || '@' || split_part(lower(trim(address)), '@', 2) END""",
    """CREATE OR REPLACE TEMP MACRO without_zeros(number) AS ltrim(upper(trim(number)), '0')""",
)
_KEYS: Final = {"person_uid": "BIGINT", "sign": "VARCHAR", "value": "VARCHAR"}
_UNJUDGED: Final = {"value": "VARCHAR"}
_NAMES: Final = {"person_uid": "BIGINT", "name": "VARCHAR"}


class Rung(NamedTuple):
    """A sign by which an account may be somebody's."""

    joined_by: str
    confidence: str
    kind: str
    pairs: str  # a query: principal_uid, person_uid


_RUNGS: Final = (
    Rung(
        "number",
        "certain",
        "own",
        """SELECT s.principal_uid, k.person_uid FROM principal_signs AS s
           JOIN person_signs AS k ON k.sign = 'number' AND k.value = s.value WHERE s.sign = 'number'""",
    ),
    Rung(
        "address",
        "certain",
        "own",
        """SELECT s.principal_uid, k.person_uid FROM principal_signs AS s
           JOIN person_signs AS k ON k.sign = 'address' AND k.value = s.value WHERE s.sign = 'address'""",
    ),
    Rung(
        "identity",
        "certain",
        "own",
        """SELECT s.principal_uid, a.person_uid FROM principal_signs AS s
           JOIN principal_signs AS o ON o.sign = 'identity' AND o.value = s.value AND o.principal_uid <> s.principal_uid
           JOIN joined_accounts AS a ON a.principal_uid = o.principal_uid AND a.person_uid IS NOT NULL
           WHERE s.sign = 'identity'""",
    ),
    Rung(
        "number",
        "high",
        "own",
        """SELECT s.principal_uid, k.person_uid FROM principal_signs AS s
           JOIN person_signs AS k ON k.sign = 'number' AND without_zeros(k.value) = without_zeros(s.value)
           WHERE s.sign = 'number' AND without_zeros(s.value) <> ''""",
    ),
    Rung(
        "alias",
        "high",
        "own",
        """SELECT s.principal_uid, k.person_uid FROM principal_signs AS s
           JOIN person_signs AS k ON k.value = s.value
           WHERE s.sign IN ('address', 'alias') AND k.sign IN ('address', 'alias')""",
    ),
    Rung(
        "private",
        "high",
        "private",
        """SELECT s.principal_uid, k.person_uid FROM principal_signs AS s
           JOIN person_signs AS k ON k.sign = 'private' AND k.value = s.value WHERE s.sign IN ('address', 'alias')""",
    ),
    Rung(
        "private",
        "high",
        "private",
        """SELECT s.principal_uid, a.person_uid FROM principal_signs AS s
           JOIN principal_signs AS o ON o.sign = 'private' AND o.value = s.value AND o.principal_uid <> s.principal_uid
           JOIN joined_accounts AS a
             ON a.principal_uid = o.principal_uid AND a.kind = 'own' AND a.person_uid IS NOT NULL
           WHERE s.sign IN ('address', 'alias')""",
    ),
)


def join(db: duckdb.DuckDBPyConnection, knowledge: Knowledge, persons: Sequence[KnownPerson]) -> None:
    """Fill `joined_accounts`, from `principals` and `joined_people`."""
    for macro in _MACROS:
        db.execute(macro)
    fill(db, "person_signs", _KEYS, list(_person_signs(persons)))
    db.execute("UPDATE person_signs SET value = folded_address(value) WHERE sign <> 'number'")
    _principal_signs(db)
    _refuse_contradictions(db)
    for rung in _RUNGS:
        _climb(db, rung)
    _namesakes(db, knowledge, persons)
    _could_not_tell(db, knowledge)


def _person_signs(persons: Iterable[KnownPerson]) -> Iterator[dict[str, Any]]:
    for person in persons:
        entry = person.entry
        uid = key(person_uid(entry))
        if entry.number:
            yield {"person_uid": uid, "sign": "number", "value": entry.number.upper()}
        for place, address in enumerate(entry.addresses):
            yield {"person_uid": uid, "sign": "alias" if place else "address", "value": address}
        for address in entry.private_addresses:
            yield {"person_uid": uid, "sign": "private", "value": address}


def _principal_signs(db: duckdb.DuckDBPyConnection) -> None:
    """What is known of users and guests that may say whose they are."""
    lists = {"addresses": "alias", "private_addresses": "private", "identities": "identity"}
    listed = " UNION ALL ".join(
        f"""SELECT uid, '{sign}', {"value" if sign == "identity" else "folded_address(value)"}
            FROM (SELECT uid, unnest(from_json(detail -> '{name}', '["VARCHAR"]')) AS value FROM somebody
                  WHERE json_type(detail -> '{name}') = 'ARRAY')"""
        for name, sign in lists.items()
    )
    db.execute("CREATE OR REPLACE TEMP TABLE somebody AS SELECT * FROM principals WHERE kind IN ('user', 'guest')")
    db.execute(
        f"""CREATE OR REPLACE TEMP TABLE principal_signs AS
            SELECT DISTINCT principal_uid, sign, value FROM (
                SELECT uid AS principal_uid, 'address' AS sign, folded_address(email) AS value FROM somebody
                WHERE email <> ''
                UNION ALL
                SELECT uid, 'number', upper(trim(detail ->> 'employee_number')) FROM somebody
                WHERE affiliation = 'internal' AND json_type(detail -> 'employee_number') = 'VARCHAR'
                UNION ALL {listed}
            ) WHERE value <> ''"""
    )


def _refuse_contradictions(db: duckdb.DuckDBPyConnection) -> None:
    """An account with the number of one and the primary address of another is nobody's for certain."""
    db.execute(
        """INSERT INTO joined_accounts (principal_uid, kind, joined_by)
           SELECT DISTINCT n.principal_uid, 'own', 'ambiguous'
           FROM principal_signs AS n JOIN person_signs AS p ON p.sign = 'number' AND p.value = n.value
           JOIN principal_signs AS a ON a.principal_uid = n.principal_uid AND a.sign = 'address'
           JOIN person_signs AS q ON q.sign = 'address' AND q.value = a.value
           WHERE n.sign = 'number' AND q.person_uid <> p.person_uid"""
    )


def _climb(db: duckdb.DuckDBPyConnection, rung: Rung) -> None:
    """Join what one sign joins, of what stronger ones did not."""
    db.execute(
        f"""INSERT INTO joined_accounts (principal_uid, person_uid, kind, joined_by, confidence)
            SELECT pairs.principal_uid, CASE WHEN count(DISTINCT pairs.person_uid) = 1 THEN min(pairs.person_uid) END,
                   '{rung.kind}',
                   CASE WHEN count(DISTINCT pairs.person_uid) = 1 THEN '{rung.joined_by}' ELSE 'ambiguous' END,
                   CASE WHEN count(DISTINCT pairs.person_uid) = 1 THEN '{rung.confidence}' END
            FROM ({rung.pairs}) AS pairs
            JOIN somebody AS s ON s.uid = pairs.principal_uid
            JOIN joined_people AS p ON p.uid = pairs.person_uid
            WHERE pairs.principal_uid NOT IN (SELECT principal_uid FROM joined_accounts)
              AND ('{rung.joined_by}' = 'number' OR NOT coalesce(s.created_on >= p.left_on, FALSE))
            GROUP BY pairs.principal_uid"""
    )


def _namesakes(db: duckdb.DuckDBPyConnection, knowledge: Knowledge, persons: Sequence[KnownPerson]) -> None:
    """The same mailbox at another domain of ours is the same person's if the name is the same, and unique on both."""
    if len(set(knowledge.domains)) < 2:
        return
    fill(
        db,
        "person_names",
        _NAMES,
        [
            {"person_uid": key(person_uid(one.entry)), "name": folded_name(one.entry.name)}
            for one in persons
            if one.entry.name
        ],
    )
    rows = db.execute(
        """SELECT s.uid, k.person_uid, s.name, n.name
           FROM somebody AS s JOIN principal_signs AS a ON a.principal_uid = s.uid AND a.sign = 'address'
           JOIN person_signs AS k ON k.sign = 'address' AND mailbox_of(k.value) = mailbox_of(a.value)
            AND k.value <> a.value
           JOIN person_names AS n ON n.person_uid = k.person_uid
           WHERE s.affiliation = 'internal' AND s.uid NOT IN (SELECT principal_uid FROM joined_accounts)
             AND split_part(a.value, '@', 2) IN (SELECT unnest($domains::VARCHAR[]))
             AND split_part(k.value, '@', 2) IN (SELECT unnest($domains::VARCHAR[]))""",
        {"domains": [domain for domain in knowledge.domains if domain not in CONSUMER]},
    ).fetchall()
    alike = [(principal, person) for principal, person, one, other in rows if folded_name(one) == other]
    principals, people = _counts(alike, 0), _counts(alike, 1)
    unique = [pair for pair in alike if principals[pair[0]] == 1 and people[pair[1]] == 1]
    if unique:
        db.executemany("INSERT INTO joined_accounts VALUES (?, ?, 'own', 'namesake', 'medium')", unique)


def _counts(pairs: Sequence[tuple[int, int]], place: int) -> Mapping[int, int]:
    counts: dict[int, int] = {}
    for pair in pairs:
        counts[pair[place]] = counts.get(pair[place], 0) + 1
    return counts


def _could_not_tell(db: duckdb.DuckDBPyConnection, knowledge: Knowledge) -> None:
    """Accounts of those in rows that could not be understood; all that are left, where the roster is in doubt."""
    staff = knowledge.staff
    if staff.doubt is not None:
        db.execute(
            """INSERT INTO joined_accounts (principal_uid, kind, joined_by)
               SELECT uid, 'own', 'unread' FROM somebody
               WHERE affiliation = 'internal' AND uid NOT IN (SELECT principal_uid FROM joined_accounts)"""
        )
        return
    if not staff.unjudged:
        return
    fill(db, "unjudged", _UNJUDGED, [{"value": one} for one in staff.unjudged])
    db.execute(
        """INSERT INTO joined_accounts (principal_uid, kind, joined_by)
           SELECT DISTINCT s.principal_uid, 'own', 'unread' FROM principal_signs AS s
           JOIN unjudged AS u
             ON s.value = CASE WHEN s.sign = 'number' THEN upper(u.value) ELSE folded_address(u.value) END
           WHERE s.sign IN ('number', 'address', 'alias')
             AND s.principal_uid NOT IN (SELECT principal_uid FROM joined_accounts)"""
    )
