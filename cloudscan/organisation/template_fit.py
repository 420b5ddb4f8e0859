"""Whom the lines of permission templates are for: principals, by department, role, group or partner.

Somebody whose department is not known may be in any. A group that a line names is that line's; another one is as its
members are. People are distinguished by nothing but the lines that are for them: those with the same lines have one
*profile*, so that a group of a hundred thousand is a few rows.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from fnmatch import translate
from typing import Final

import duckdb

from cloudscan.organisation.patterns import folded
from cloudscan.organisation.rows import fill
from cloudscan.organisation.template import Template, TemplateLine
from cloudscan.snapshot.tables import key

MAY_BE_ANYBODY: Final = -1
"""The `who` of a member that could not be read: any line may be for it."""

MAY_BE_ANY_COLLEAGUE: Final = -2
"""The `who` of somebody of ours whose department could not be determined: any line for a department or role may be."""

UNREAD: Final = "unread"
"""The profile of a member that could not be read."""

GROUPS: Final = ("group", "site_group")
"""Kinds of principals that are as their members are."""

Who = tuple[str, ...]
"""Whom a line is for: kind and value; department and role for `colleagues`."""

_TEXTS: Final = {"who": "BIGINT", "value": "VARCHAR"}


def who_of(line: TemplateLine) -> Who:
    """Whom a line is for: what several lines have in common that are for the same people."""
    if line.kind in ("department", "role"):
        return "colleagues", _plain(line.department), _plain(line.role)
    return (line.kind, _plain(line.partner)) if line.partner else (line.kind, line.group)


def find_fitting(db: duckdb.DuckDBPyConnection, templates: Sequence[Template], today: date) -> Mapping[Who, int]:
    """Make the tables of who fits which line; gives the number of each who.

    ====================  =====================================================================================
    `named_groups`        who, principal_uid: groups, accounts, services, applications that lines name
    `template_fits`       who, principal_uid, certain (TRUE or NULL), until (the last day of a partner's contract)
    `principal_profiles`  principal_uid, profile: of each principal that a line is for
    `group_profiles`      group_uid, profile, people: the members of groups, through other groups as well
    `profile_fits`        profile, who, certain, until
    ====================  =====================================================================================

    Needs `judged_principals` (principal_uid), the facts and what is joined of people, accounts and partners.
    """
    who_numbers: dict[Who, int] = {}
    for template in templates:
        for line in template.lines:
            who_numbers.setdefault(who_of(line), len(who_numbers))
    db.execute(
        "CREATE OR REPLACE TEMP TABLE template_fits (who BIGINT, principal_uid BIGINT, certain BOOLEAN, until DATE)"
    )
    _find_groups(db, who_numbers)
    _expand_groups(db)
    _find_partners(db, who_numbers, today)
    _find_anybody(db, who_numbers)
    _find_colleagues(db, who_numbers, today)
    _make_profiles(db)
    return who_numbers


def _find_groups(db: duckdb.DuckDBPyConnection, who_numbers: Mapping[Who, int]) -> None:
    """What lines name by id, address or, where it is ours, by name: others can call their group like ours."""
    named = {number: who[1] for who, number in who_numbers.items() if who[0] == "group"}
    numbers: dict[object, list[int]] = {}
    for number, name in named.items():
        for spelling in (key(name), _plain(name)):
            numbers.setdefault(spelling, []).append(number)
    rows = db.execute(
        "SELECT uid, email, CASE WHEN affiliation = 'internal' THEN name END FROM principals "
        "WHERE kind NOT IN ('user', 'guest')"
    ).fetchall() if named else []  # fmt: skip
    found = {
        (number, uid)
        for uid, email, name in rows
        for spelling in (uid, _plain(email or ""), _plain(name or ""))
        for number in numbers.get(spelling, ())
    }
    columns = {"who": "BIGINT", "principal_uid": "BIGINT"}
    fill(db, "named_groups", columns, [{"who": number, "principal_uid": uid} for number, uid in sorted(found)])


def _expand_groups(db: duckdb.DuckDBPyConnection) -> None:
    """`template_members`: who is in the groups that matter here; `template_principals`: who has to be told apart."""
    db.execute(
        """CREATE OR REPLACE TEMP TABLE template_members AS
           WITH RECURSIVE closure AS (
               SELECT group_uid, member_uid FROM memberships
               WHERE group_uid IN (SELECT principal_uid FROM judged_principals
                                   UNION SELECT principal_uid FROM named_groups)
               UNION
               SELECT c.group_uid, m.member_uid FROM closure AS c JOIN memberships AS m ON m.group_uid = c.member_uid
           )
           SELECT group_uid, member_uid FROM closure"""
    )
    db.execute(
        """CREATE OR REPLACE TEMP TABLE template_principals AS
           SELECT p.uid, p.kind, p.affiliation FROM principals AS p
           WHERE p.uid IN (SELECT principal_uid FROM judged_principals
                           UNION SELECT member_uid FROM template_members)"""
    )
    db.execute(
        """INSERT INTO template_fits
           SELECT who, principal_uid, TRUE, NULL FROM named_groups
           UNION
           SELECT n.who, m.member_uid, TRUE, NULL
           FROM named_groups AS n JOIN template_members AS m ON m.group_uid = n.principal_uid
           WHERE m.member_uid IS NOT NULL"""
    )


def _find_partners(db: duckdb.DuckDBPyConnection, who_numbers: Mapping[Who, int], today: date) -> None:
    """The principals of partners; not the groups of ours that these are in."""
    wanted = {number: who[1] for who, number in who_numbers.items() if who[0] == "partner"}
    names = [name for (name,) in db.execute("SELECT DISTINCT name FROM joined_partners").fetchall()] if wanted else []
    _fill_fitting(db, "partner_names", wanted, names)
    db.execute(
        """INSERT INTO template_fits
           SELECT n.who, a.principal_uid, TRUE,
                  CASE WHEN count(*) = count(p.contract_ends) THEN max(p.contract_ends) END
           FROM partner_names AS n JOIN joined_partners AS p ON p.name = n.value
           JOIN joined_partner_accounts AS a ON a.partner_uid = p.uid
           JOIN template_principals AS t ON t.uid = a.principal_uid
           WHERE a.joined_by <> 'member' AND coalesce(p.starts_on <= $today, TRUE)
           GROUP BY n.who, a.principal_uid""",
        {"today": today},
    )


def _find_anybody(db: duckdb.DuckDBPyConnection, who_numbers: Mapping[Who, int]) -> None:
    """Everybody of ours but those who left; everybody external."""
    if (ours := who_numbers.get(("everybody", ""))) is not None:
        db.execute(
            f"""INSERT INTO template_fits
                SELECT {ours}, t.uid, CASE WHEN t.affiliation = 'internal' THEN TRUE END, NULL
                FROM template_principals AS t
                WHERE t.kind NOT IN {GROUPS} AND coalesce(t.affiliation = 'internal', TRUE)
                  AND t.uid NOT IN (
                      SELECT a.principal_uid FROM joined_accounts AS a JOIN joined_people AS p ON p.uid = a.person_uid
                      WHERE p.standing = 'left')"""
        )
    if (external := who_numbers.get(("external", ""))) is not None:
        db.execute(
            f"""INSERT INTO template_fits
                SELECT {external}, uid, CASE WHEN affiliation IS NOT NULL THEN TRUE END, NULL
                FROM template_principals WHERE coalesce(affiliation <> 'internal', TRUE)"""
        )


def _find_colleagues(db: duckdb.DuckDBPyConnection, who_numbers: Mapping[Who, int], today: date) -> None:
    """The people of departments and roles, by their own accounts. Nobody of them has left."""
    wanted = {number: who[1:] for who, number in who_numbers.items() if who[0] == "colleagues"}
    departments = [one for (one,) in db.execute("SELECT DISTINCT department FROM joined_posts").fetchall()]
    roles = [one for (one,) in db.execute("SELECT DISTINCT role FROM joined_people").fetchall()]
    _fill_fitting(db, "who_departments", {n: who[0] or "*" for n, who in wanted.items()}, departments)
    _fill_fitting(db, "who_roles", {n: who[1] or "*" for n, who in wanted.items()}, roles)
    fill(db, "roles_asked", {"who": "BIGINT"}, [{"who": number} for number, who in wanted.items() if who[1]])
    db.execute(
        """CREATE OR REPLACE TEMP TABLE colleagues AS
           SELECT a.principal_uid, p.uid AS person_uid, p.role, p.standing
           FROM joined_accounts AS a JOIN joined_people AS p ON p.uid = a.person_uid
           JOIN template_principals AS t ON t.uid = a.principal_uid
           WHERE a.kind = 'own' AND coalesce(p.standing <> 'left', TRUE)"""
    )
    db.execute(
        """CREATE OR REPLACE TEMP TABLE current_posts AS
           SELECT person_uid, department, bool_or(until IS NOT NULL) AS is_certain FROM joined_posts
           WHERE coalesce(until >= $today, TRUE) AND coalesce(since <= $today, TRUE) AND department <> ''
           GROUP BY ALL""",
        {"today": today},
    )
    knows_roles = any(role for role in roles)
    db.execute(
        f"""INSERT INTO template_fits
            SELECT who, principal_uid, CASE WHEN bool_or(certain) THEN TRUE END, NULL FROM (
                SELECT d.who, c.principal_uid,
                       (c.standing IS NOT NULL AND o.is_certain
                        AND ({knows_roles} OR d.who NOT IN (SELECT who FROM roles_asked))) AS certain
                FROM colleagues AS c
                JOIN current_posts AS o ON o.person_uid = c.person_uid
                JOIN who_departments AS d ON d.value = o.department
                WHERE NOT {knows_roles} OR EXISTS (FROM who_roles AS r WHERE r.who = d.who AND r.value = c.role)
            ) GROUP BY who, principal_uid"""
    )
    db.execute(
        f"""INSERT INTO template_fits
            SELECT {MAY_BE_ANY_COLLEAGUE}, uid, NULL, NULL FROM (
                SELECT principal_uid AS uid FROM colleagues
                WHERE person_uid NOT IN (SELECT person_uid FROM current_posts)
                UNION
                SELECT principal_uid FROM joined_accounts WHERE person_uid IS NULL AND kind = 'own'
                UNION
                SELECT uid FROM template_principals
                WHERE kind = 'user' AND coalesce(affiliation = 'internal', TRUE)
                  AND uid NOT IN (SELECT principal_uid FROM joined_accounts)
                  AND NOT EXISTS (FROM joined_people WHERE source = 'roster')
            ) WHERE uid IN (SELECT uid FROM template_principals)"""
    )


def _fill_fitting(db: duckdb.DuckDBPyConnection, table: str, wanted: Mapping[int, str], values: Sequence[str]) -> None:
    """Which of the values each who means: `*` is any text."""
    rows = []
    for number, pattern in wanted.items():
        expression = re.compile(translate(pattern.replace("[", "[[]")))
        rows += [{"who": number, "value": one} for one in values if expression.match(_plain(one or ""))]
    fill(db, table, _TEXTS, rows)


def _make_profiles(db: duckdb.DuckDBPyConnection) -> None:
    db.execute(
        """CREATE OR REPLACE TEMP TABLE principal_profiles AS
           SELECT principal_uid,
                  string_agg(format('{}{}{}', who, CASE WHEN certain THEN '' ELSE '?' END,
                                    coalesce('/' || until::VARCHAR, '')), ' ' ORDER BY who, until) AS profile
           FROM template_fits GROUP BY principal_uid"""
    )
    db.execute(
        f"""CREATE OR REPLACE TEMP TABLE profile_fits AS
            SELECT DISTINCT p.profile, f.who, f.certain, f.until
            FROM template_fits AS f JOIN principal_profiles AS p ON p.principal_uid = f.principal_uid
            UNION ALL
            SELECT '{UNREAD}', {MAY_BE_ANYBODY}, NULL, NULL"""
    )
    db.execute(
        f"""CREATE OR REPLACE TEMP TABLE group_profiles AS
            SELECT m.group_uid, CASE WHEN m.member_uid IS NULL THEN '{UNREAD}' ELSE coalesce(p.profile, '') END
                       AS profile, count(*) AS people
            FROM template_members AS m
            LEFT JOIN principals AS t ON t.uid = m.member_uid
            LEFT JOIN principal_profiles AS p ON p.principal_uid = m.member_uid
            WHERE m.member_uid IS NULL
               OR (m.member_uid NOT IN (SELECT group_uid FROM memberships)
                   AND coalesce(t.kind NOT IN {GROUPS} OR t.affiliation <> 'internal', TRUE))
            GROUP BY ALL"""
    )


def _plain(text: str) -> str:
    """A name as it is compared."""
    return " ".join(folded(text).split())
