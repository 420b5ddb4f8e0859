"""Exceptions beside the facts: waivers, partners and allow-listed domains, and whether who answers for them is there.

An owner is known by an address or an employee number. A name says nothing: two people may have it, and somebody who is
called a former employee by mistake is accused.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import duckdb

from cloudscan.facts import NEVER
from cloudscan.organisation.knowledge import Exemption, Exemptions, Knowledge
from cloudscan.organisation.rows import PREFIX, fill, insert
from cloudscan.snapshot.organisation import ORGANISATION, WaiverRow

_ADDRESS: Final = re.compile(r"[^\s<>,;:()@]+@[^\s<>,;:()@]+\.[^\s<>,;:()@.]+")
_ALLOWED: Final = ("allowed_domains",)
"""Settings that are a list of external domains, separated by spaces, with which people may share."""

_OWNERS: Final = {"owner": "VARCHAR", "sign": "VARCHAR", "is_address": "BOOLEAN"}
_UNJUDGED: Final = {"value": "VARCHAR"}
_STANDINGS: Final = f"""
    WITH meant AS (
        SELECT o.owner, s.person_uid FROM waiver_owners AS o
        JOIN person_signs AS s ON s.sign = 'number' AND s.value = upper(o.sign)
        UNION
        SELECT o.owner, s.person_uid FROM waiver_owners AS o
        JOIN person_signs AS s ON o.is_address AND s.sign IN ('address', 'alias') AND s.value = folded_address(o.sign)
        UNION
        SELECT o.owner, a.person_uid FROM waiver_owners AS o
        JOIN principal_signs AS s
          ON o.is_address AND s.sign IN ('address', 'alias') AND s.value = folded_address(o.sign)
        JOIN {PREFIX}accounts AS a ON a.principal_uid = s.principal_uid AND a.kind = 'own'
    ),
    found AS (
        SELECT owner, count(DISTINCT person_uid) AS people, min(person_uid) AS person_uid,
               bool_or(person_uid IS NULL) AS doubtful
        FROM meant GROUP BY owner
    )
    SELECT o.owner, i.uid,
           CASE WHEN f.people = 1 AND NOT f.doubtful THEN p.standing
                WHEN f.owner IS NOT NULL OR NOT o.is_address THEN NULL
                WHEN folded_address(o.sign) IN (SELECT folded_address(email) FROM principals WHERE kind = 'group')
                THEN 'group'
                WHEN $is_listed AND folded_address(o.sign) NOT IN (SELECT folded_address(value) FROM waiver_unjudged)
                THEN 'unlisted' END
    FROM waiver_owners AS o LEFT JOIN found AS f ON f.owner = o.owner
    LEFT JOIN {PREFIX}people AS p ON p.uid = f.person_uid AND f.people = 1
    LEFT JOIN (SELECT DISTINCT key, uid FROM {PREFIX}ids) AS i ON i.key = p.uid"""


def join(db: duckdb.DuckDBPyConnection, knowledge: Knowledge) -> int:
    """Fill `joined_waivers`, from what is known of exceptions, `settings`, and the signs of people and accounts.

    Gives the number of allow-lists that could not be read.
    """
    every = [*knowledge.exemptions.known, *_allowed(db, knowledge.exemptions)]
    owners = _owners(db, knowledge, {one.owner for one in every if one.owner})
    insert(db, (_row(one, *owners.get(one.owner, (None, "none"))) for one in every))
    unread = "SELECT count(*) FROM settings WHERE name IN (SELECT unnest($names::VARCHAR[])) AND value IS NULL"
    ((count,),) = db.execute(unread, {"names": list(_ALLOWED)}).fetchall()
    return int(count)


def _allowed(db: duckdb.DuckDBPyConnection, exemptions: Exemptions) -> Iterator[Exemption]:
    """The domains on the platforms' own allow-lists. Nothing says who put them there, when, and why."""
    lists = db.execute(
        "SELECT DISTINCT value FROM settings WHERE name IN (SELECT unnest($names::VARCHAR[])) AND value IS NOT NULL",
        {"names": list(_ALLOWED)},
    ).fetchall()
    for domain in sorted({domain.lower() for (value,) in lists for domain in value.split()}):
        uid = f"{ORGANISATION}:allowed-domain/{domain}"
        reviewed_on = exemptions.reviewed.get(uid, NEVER)
        yield Exemption(uid=uid, kind="domain", extent="domain", target=domain, covers=None, reviewed_on=reviewed_on)


def _owners(
    db: duckdb.DuckDBPyConnection, knowledge: Knowledge, names: set[str]
) -> Mapping[str, tuple[str | None, str | None]]:
    """Of each owner, the person who is meant, and that person's standing."""
    rows = [
        {"owner": name, "sign": found[0] if found else name.strip(), "is_address": bool(found)}
        for name in sorted(names)
        for found in [_ADDRESS.findall(name)]
    ]
    fill(db, "waiver_owners", _OWNERS, rows)
    fill(db, "waiver_unjudged", _UNJUDGED, [{"value": one} for one in knowledge.staff.unjudged])
    is_listed = knowledge.staff.is_configured and knowledge.staff.doubt is None
    found = db.execute(_STANDINGS, {"is_listed": is_listed}).fetchall()
    return {owner: (uid, standing) for owner, uid, standing in found}


def _row(one: Exemption, owner_uid: str | None, standing: str | None) -> WaiverRow:
    return WaiverRow(
        uid=one.uid,
        kind=one.kind,
        extent=one.extent,
        target=one.target,
        rule_id=one.rule_id,
        owner=one.owner,
        owner_uid=owner_uid,
        owner_standing=standing,
        stated_reason=one.stated_reason,
        given_on=one.given_on,
        until=one.until,
        covers=one.covers,
        renewals=one.renewals,
        reviewed_on=one.reviewed_on,
    )
