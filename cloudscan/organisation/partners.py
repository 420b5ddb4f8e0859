"""Which principals are a partner's, which of their places a contract names, and whether anybody here is responsible.

Connectors decide *that* a principal is a partner's (`cloudscan.connector.Estate.partner_of`); this module says by
which contracts, with the same signs in the same order: address, account, organisation, application, group, domain, the
domain of a sub-contractor. The strongest sign decides; all contracts that it fits count, and what any of them allows is
allowed. A group of ours that a partner's people are in is theirs as well (`member`): what is shared with it is shared
with them. To be named here never makes anything fine by itself: it is what findings about partners rest on.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import duckdb

from cloudscan.connector import PARTNER_SIGNS
from cloudscan.facts import RANKS
from cloudscan.organisation import patterns
from cloudscan.organisation.knowledge import Knowledge
from cloudscan.organisation.register import NO_START, PartnerTable, missing
from cloudscan.organisation.rows import fill, insert
from cloudscan.roster.entry import Standing
from cloudscan.roster.folding import folded_name
from cloudscan.snapshot.organisation import ORGANISATION, PartnerRow
from cloudscan.snapshot.tables import key

_SIGNS: Final = {"partner_uid": "BIGINT", "name": "VARCHAR", "rung": "BIGINT", "sign": "VARCHAR", "value": "VARCHAR"}
_HERE: Final[Mapping[str | None, bool]] = {Standing.ACTIVE: True, Standing.ON_LEAVE: True, Standing.LEFT: False}
"""Whether somebody can be responsible for a partner, by their standing; of all others it is not known."""

_KNOWN_AS: Final = """
    SELECT uid, 'address' AS sign, lower(email) AS value FROM outside WHERE kind <> 'group'
    UNION ALL SELECT uid, 'group', lower(email) FROM outside WHERE kind = 'group'
    UNION ALL SELECT uid, unnest(['domain', 'sub-contractor']), lower(domain) FROM outside
    UNION ALL SELECT uid, unnest(['account', 'organisation']), lower(account) FROM outside
    UNION ALL SELECT uid, unnest(['account', 'organisation', 'application']), regexp_extract(lower(id), '[^:/]+$')
              FROM outside WHERE kind NOT IN ('user', 'guest', 'group')
    UNION ALL SELECT uid, unnest(['account', 'organisation']), lower(detail ->> 'tenant') FROM outside
              WHERE kind = 'service'
    UNION ALL SELECT uid, 'application', lower(detail ->> 'app_id') FROM outside WHERE kind = 'service'
"""


def partner_uid(entry: PartnerTable) -> str:
    """The permanent id of a contract."""
    return f"{ORGANISATION}:partner/{entry.key}"


def join(db: duckdb.DuckDBPyConnection, knowledge: Knowledge) -> None:
    """Fill `joined_partners`, `joined_partner_accounts` and `joined_partner_places`, after people and accounts."""
    if not knowledge.partners:
        return
    insert(db, _rows(db, knowledge))
    fill(db, "partner_signs", _SIGNS, list(_signs(knowledge.partners)))
    _find(db)
    _add_accounts(db)
    _add_groups(db)
    _add_places(db, knowledge.partners)


def _rows(db: duckdb.DuckDBPyConnection, knowledge: Knowledge) -> Iterator[PartnerRow]:
    responsible = _Responsible(db, knowledge)
    for entry in knowledge.partners:
        training, logs, review = entry.dues
        yield PartnerRow(
            uid=partner_uid(entry),
            name=entry.name,
            owner=entry.owner,
            deputy=entry.deputy,
            owner_uid=responsible.person(entry.owner),
            deputy_uid=responsible.person(entry.deputy),
            owner_is_here=responsible.is_here(entry.owner, entry.deputy),
            purpose=entry.purpose,
            contract=entry.contract,
            most_rank=RANKS[entry.most_rank],
            most_access=entry.most_access,
            anywhere=not entry.places,
            personal_data=bool(entry.personal_data),
            starts_on=entry.starts or NO_START,
            contract_ends=entry.contract_end,
            renews_on=entry.renewal,
            training_due=training,
            logs_due=logs,
            review_due=review,
            end_is_settled=entry.end_is_settled,
            lacks=", ".join(missing(entry)),
        )


def _signs(entries: Sequence[PartnerTable]) -> Iterator[dict[str, object]]:
    for entry in entries:
        identifiers = entry.identifiers
        for rung, sign in enumerate(PARTNER_SIGNS):
            for value in identifiers[sign]:
                yield {
                    "partner_uid": key(partner_uid(entry)),
                    "name": entry.name,
                    "rung": rung,
                    "sign": sign,
                    "value": value,
                }


def _find(db: duckdb.DuckDBPyConnection) -> None:
    """Make `contracts` (principal_uid, partner_uid, sign): by its strongest sign, the contracts of each principal.

    Whom a connector calls external, it looked at all names of; whom it calls a partner's is in a contract, by name if
    by nothing else.
    """
    db.execute(
        """CREATE OR REPLACE TEMP TABLE outside AS
           SELECT uid, id, kind, email, domain, account, affiliation, detail FROM principals
           WHERE affiliation = 'partner' OR affiliation IS NULL"""
    )
    db.execute(
        f"""CREATE OR REPLACE TEMP TABLE contracts AS
            WITH hits AS (
                SELECT DISTINCT k.uid AS principal_uid, s.partner_uid, s.rung, s.sign
                FROM ({_KNOWN_AS}) AS k JOIN partner_signs AS s ON s.sign = k.sign AND s.value = k.value
                WHERE k.value <> ''
            )
            SELECT principal_uid, partner_uid, sign FROM hits
            QUALIFY rung = min(rung) OVER (PARTITION BY principal_uid)"""
    )
    db.execute(
        """INSERT INTO contracts
           SELECT DISTINCT o.uid, s.partner_uid, coalesce(o.detail ->> 'partner_by', 'domain')
           FROM outside AS o JOIN partner_signs AS s ON s.name = o.detail ->> 'partner'
           WHERE o.affiliation = 'partner' AND o.uid NOT IN (SELECT principal_uid FROM contracts)"""
    )


def _add_accounts(db: duckdb.DuckDBPyConnection) -> None:
    db.execute(
        """INSERT INTO joined_partner_accounts BY NAME
           WITH limits AS (
               SELECT c.principal_uid, min(p.starts_on) AS starts_on, max(p.contract_ends) AS contract_ends,
                      max(p.most_rank) AS most_rank, max(p.most_access) AS most_access, bool_or(p.anywhere) AS anywhere
               FROM contracts AS c JOIN joined_partners AS p ON p.uid = c.partner_uid GROUP BY c.principal_uid
           )
           SELECT c.principal_uid, c.partner_uid, c.sign AS joined_by, l.* EXCLUDE (principal_uid)
           FROM contracts AS c JOIN limits AS l USING (principal_uid)"""
    )


def _add_groups(db: duckdb.DuckDBPyConnection) -> None:
    """Groups, through nested ones too. Who of several people in it may least decides."""
    db.execute(
        """CREATE OR REPLACE TEMP TABLE partner_members AS
           WITH RECURSIVE inside(principal_uid, group_uid) AS (
               SELECT m.member_uid, m.group_uid FROM memberships AS m
               WHERE m.member_uid IN (SELECT principal_uid FROM contracts)
               UNION
               SELECT i.principal_uid, m.group_uid FROM inside AS i JOIN memberships AS m ON m.member_uid = i.group_uid
           )
           SELECT * FROM inside WHERE group_uid NOT IN (SELECT principal_uid FROM contracts)"""
    )
    db.execute(
        """INSERT INTO joined_partner_accounts BY NAME
           SELECT i.group_uid AS principal_uid, a.partner_uid, 'member' AS joined_by, max(a.starts_on) AS starts_on,
                  min(a.contract_ends) AS contract_ends, min(a.most_rank) AS most_rank,
                  min(a.most_access) AS most_access, bool_and(a.anywhere) AS anywhere
           FROM partner_members AS i JOIN joined_partner_accounts AS a USING (principal_uid)
           WHERE i.group_uid IN (SELECT uid FROM principals)
           GROUP BY i.group_uid, a.partner_uid"""
    )


def _add_places(db: duckdb.DuckDBPyConnection, entries: Sequence[PartnerTable]) -> None:
    """Of the places where a partner was given something, those that a contract names."""
    pairs = [(pattern, key(partner_uid(entry))) for entry in entries for pattern in entry.places]
    if not pairs:
        return
    db.execute(
        """CREATE OR REPLACE TEMP TABLE given_to_partners AS
           SELECT DISTINCT g.principal_uid, coalesce(g.origin_uid, g.resource_uid) AS resource_uid
           FROM grants AS g WHERE g.principal_uid IN (SELECT principal_uid FROM joined_partner_accounts)"""
    )
    among = "(SELECT * FROM resources WHERE uid IN (SELECT resource_uid FROM given_to_partners))"
    patterns.make_places(db, among=among, table="partners_places")
    patterns.match(db, [pattern for pattern, _ in pairs], "named_by_contract", places="partners_places")
    columns = {"pattern": "BIGINT", "partner_uid": "BIGINT"}
    fill(db, "contract_patterns", columns, [{"pattern": n, "partner_uid": uid} for n, (_, uid) in enumerate(pairs)])
    db.execute(
        """INSERT INTO joined_partner_places BY NAME
           WITH allowed AS (
               SELECT a.principal_uid, a.partner_uid, b.partner_uid AS by_uid
               FROM contracts AS a JOIN contracts AS b USING (principal_uid)
               UNION
               SELECT i.group_uid, a.partner_uid, b.partner_uid FROM partner_members AS i
               JOIN contracts AS a USING (principal_uid) JOIN contracts AS b USING (principal_uid)
           )
           SELECT DISTINCT a.principal_uid, a.partner_uid, n.resource_uid
           FROM allowed AS a JOIN contract_patterns AS c ON c.partner_uid = a.by_uid
           JOIN named_by_contract AS n ON n.pattern = c.pattern
           JOIN given_to_partners AS g ON g.principal_uid = a.principal_uid AND g.resource_uid = n.resource_uid"""
    )


class _Responsible:
    """Who is behind what the register calls an owner or a deputy, and whether they can answer for a partner."""

    def __init__(self, db: duckdb.DuckDBPyConnection, knowledge: Knowledge) -> None:
        named = {one.strip() for entry in knowledge.partners for one in (entry.owner, entry.deputy)}
        fill(db, "responsible", {"name": "VARCHAR"}, [{"name": one} for one in sorted(named)])
        found = db.execute(
            """WITH known AS (
                   SELECT r.name, s.person_uid FROM responsible AS r
                   JOIN person_signs AS s ON s.sign IN ('address', 'alias') AND s.value = folded_address(r.name)
                   UNION ALL
                   SELECT r.name, a.person_uid FROM responsible AS r
                   JOIN principals AS o ON lower(o.email) = lower(r.name)
                   JOIN joined_accounts AS a ON a.principal_uid = o.uid AND a.kind = 'own'
               )
               SELECT k.name, count(DISTINCT k.person_uid), any_value(p.uid), any_value(p.standing)
               FROM known AS k LEFT JOIN joined_people AS p ON p.uid = k.person_uid
               WHERE contains(k.name, '@') GROUP BY k.name"""
        ).fetchall()
        self._people = {name: (uid, standing) for name, people, uid, standing in found if people == 1}
        self._ambiguous = {name for name, people, _, _ in found if people != 1}
        self._mailboxes = {
            name
            for (name,) in db.execute(
                """SELECT r.name FROM responsible AS r JOIN principals AS p ON lower(p.email) = lower(r.name)
                   WHERE p.affiliation = 'internal' AND p.status = 'active' AND p.kind <> 'user'"""
            ).fetchall()
        }
        self._departments = {
            folded_name(department)
            for (department,) in db.execute(
                """SELECT DISTINCT o.department FROM joined_posts AS o JOIN joined_people AS p ON p.uid = o.person_uid
                   WHERE p.standing IN ('active', 'on-leave') AND o.until >= DATE '9999-12-31'"""
            ).fetchall()
        }
        self._uids = dict(db.execute("SELECT key, uid FROM joined_ids").fetchall())
        self._anybody = bool(self._uids)
        staff = knowledge.staff
        self._unjudged = {one.lower() for one in staff.unjudged}
        self._doubtful = staff.doubt is not None

    def person(self, name: str) -> str | None:
        """The uid of the person with an address."""
        found = self._people.get(name.strip())
        return self._uids.get(found[0]) if found else None

    def is_here(self, *names: str) -> bool | None:
        """Whether one of those named works here; None where it is known of none."""
        known = [self._is_here(name.strip()) for name in names if name.strip()]
        if True in known:
            return True
        return None if None in known else False

    def _is_here(self, name: str) -> bool | None:
        if name in self._people:
            return _HERE.get(self._people[name][1])
        if name in self._mailboxes or folded_name(name) in self._departments:
            return True
        if (
            name in self._ambiguous
            or "@" not in name
            or not self._anybody
            or self._doubtful
            or name.lower() in self._unjudged
        ):
            return None  # a name joins nobody: two people may have it
        return False
