"""Access that may be left over: of somebody who left, and of somebody who moved, to what their old department has.

For somebody who left, or may have (it is not known), it is every grant to one of their accounts, private ones too, and
every membership. For somebody who moved it is

* a grant to their own account in a container of the department that they left (`organisation.departments`),
* a membership of a group in which most people are of that department. That another of their groups, as everybody's or
  that of the new department, was given access to such a container, leaves nothing over.

A grant that is known to have been given on the first day in the new department or later was given in spite of the move,
and is none. Where a platform does not tell when a grant was given, it is one: whether it is still needed, a person
decides. Departments that somebody still has a second post in are not left (`organisation.people`).
"""

from datetime import UTC, date, datetime, time
from typing import Final

import duckdb

from cloudscan.days import zone
from cloudscan.organisation.rows import fill
from cloudscan.snapshot.organisation import NO_DAY

_DAYS: Final = {"day": "DATE", "begins_on": "TIMESTAMP"}


def join(db: duckdb.DuckDBPyConnection, timezone: str) -> None:
    """Fill `joined_leftovers`, from people, accounts, moves and what `departments.join` made."""
    _of_former(db)
    _of_movers(db, timezone)


def _of_former(db: duckdb.DuckDBPyConnection) -> None:
    db.execute(
        """CREATE OR REPLACE TEMP TABLE former AS
           SELECT a.principal_uid, a.person_uid
           FROM joined_accounts AS a JOIN joined_people AS p ON p.uid = a.person_uid
           WHERE p.standing = 'left' OR p.standing IS NULL"""
    )
    db.execute(
        """INSERT INTO joined_leftovers
           SELECT f.person_uid, f.principal_uid, 'left', '', '', $no_day, g.uid, NULL, ''
           FROM former AS f JOIN grants AS g ON g.principal_uid = f.principal_uid
           WHERE g.audience > 'owner'::audience_ladder OR g.audience IS NULL
           UNION ALL
           SELECT DISTINCT f.person_uid, f.principal_uid, 'left', '', '', $no_day, NULL, m.group_uid, ''
           FROM former AS f JOIN memberships AS m ON m.member_uid = f.principal_uid""",
        {"no_day": NO_DAY},
    )


def _of_movers(db: duckdb.DuckDBPyConnection, timezone: str) -> None:
    days = [day for (day,) in db.execute("SELECT DISTINCT moved_on FROM joined_moves").fetchall() if day is not None]
    fill(db, "moving_days", _DAYS, [{"day": day.isoformat(), "begins_on": _beginning(day, timezone)} for day in days])
    db.execute(
        """CREATE OR REPLACE TEMP TABLE moved AS
           SELECT a.principal_uid, m.*, d.begins_on
           FROM (
               SELECT person_uid, from_department, arg_max(to_department, coalesce(moved_on, $no_day)) AS to_department,
                      CASE WHEN count(*) = count(moved_on) THEN max(moved_on) END AS moved_on
               FROM joined_moves GROUP BY person_uid, from_department
           ) AS m
           JOIN joined_accounts AS a ON a.person_uid = m.person_uid AND a.kind = 'own'
           LEFT JOIN moving_days AS d ON d.day = m.moved_on""",
        {"no_day": NO_DAY},
    )
    db.execute(
        """INSERT INTO joined_leftovers
           SELECT m.person_uid, m.principal_uid, 'moved', m.from_department, m.to_department, m.moved_on, g.uid, NULL,
                  coalesce(d.decided_by, i.decided_by)
           FROM moved AS m
           JOIN grants AS g ON g.principal_uid = m.principal_uid
           JOIN resources AS r ON r.uid = g.resource_uid
           LEFT JOIN joined_department_containers AS d
             ON d.resource_uid = g.resource_uid AND d.department = m.from_department
           LEFT JOIN joined_department_containers AS i
             ON i.resource_uid = r.container_uid AND i.department = m.from_department
           WHERE coalesce(d.resource_uid, i.resource_uid) IS NOT NULL
             AND NOT coalesce(g.granted_on >= m.begins_on, FALSE)
             AND (g.audience > 'owner'::audience_ladder OR g.audience IS NULL)"""
    )
    db.execute(
        """INSERT INTO joined_leftovers
           SELECT DISTINCT m.person_uid, m.principal_uid, 'moved', m.from_department, m.to_department, m.moved_on, NULL,
                  s.group_uid, 'members'
           FROM moved AS m
           JOIN memberships AS s ON s.member_uid = m.principal_uid
           JOIN department_groups AS o ON o.department = m.from_department AND o.group_uid = s.group_uid"""
    )


def _beginning(day: date, timezone: str) -> str:
    """The moment at which a day begins where the organisation is, as DuckDB reads it."""
    moment = datetime.combine(day, time(), zone(timezone)).astimezone(UTC)
    return moment.replace(tzinfo=None).isoformat(sep=" ")
