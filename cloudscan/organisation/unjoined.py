"""Who has no account, and which account has nobody, by one snapshot: what a person has to look at in a roster.

A name proposes and never joins: two people are often called alike, and a wrong join accuses somebody.
"""

from collections.abc import Sequence

import msgspec

from cloudscan.roster.folding import folded_name
from cloudscan.snapshot.snapshot import Snapshot


class Loose(msgspec.Struct, frozen=True, kw_only=True):
    """An active account of ours that belongs to nobody who is known."""

    uid: str
    platform: str
    address: str
    why: str = ""  # ambiguous, unread; empty: nobody fits


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """An account without a person, and somebody who is called like it."""

    uid: str
    platform: str
    address: str
    number: str  # of the person, or the address


class Unjoined(msgspec.Struct, frozen=True, kw_only=True):
    """What is left over on both sides."""

    people: Sequence[str] = ()  # numbers, or addresses, of those at work who have no account
    accounts: Sequence[Loose] = ()
    proposals: Sequence[Proposal] = ()


def unjoined(snapshot: Snapshot) -> Unjoined:
    """What the join of people and accounts left over."""
    people = snapshot.db.execute(
        """SELECT coalesce(nullif(p.number, ''), p.email) FROM people AS p
           WHERE p.standing IN ('active', 'on-leave')
             AND p.uid NOT IN (SELECT person_uid FROM accounts WHERE person_uid IS NOT NULL AND kind = 'own')
           ORDER BY 1"""
    ).fetchall()
    rows = snapshot.query(
        """SELECT p.uid, p.platform, p.email, p.name, coalesce(a.joined_by, '') AS why
           FROM principals AS p LEFT JOIN accounts AS a ON a.principal_uid = p.uid
           WHERE p.kind = 'user' AND p.affiliation = 'internal' AND p.status = 'active' AND a.person_uid IS NULL
             AND (p.platform <> 's3' OR p.detail ->> '$.sign_in' = 'true')
           ORDER BY p.platform, p.email, p.uid"""
    ).rows
    by_name: dict[str, list[str]] = {}
    for name, number in snapshot.db.execute(
        "SELECT name, coalesce(nullif(number, ''), email) FROM people WHERE name <> '' ORDER BY 2"
    ).fetchall():
        by_name.setdefault(folded_name(name), []).append(number)
    return Unjoined(
        people=[number for (number,) in people],
        accounts=[
            Loose(uid=uid, platform=platform, address=address or name, why=why)
            for uid, platform, address, name, why in rows
        ],
        proposals=[
            Proposal(uid=uid, platform=platform, address=address or name, number=number)
            for uid, platform, address, name, _ in rows
            for number in by_name.get(folded_name(name), ())
        ],
    )
