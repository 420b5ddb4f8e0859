"""Which container is which department's, as far as those who have access to it, or its owner, tell.

============  =======================================================================================================
decided by    when
============  =======================================================================================================
members       access was given on the container itself to at least three people of ours whose departments are known,
              directly or through groups, and at least 60% of them are of this department
owner         fewer people than that are known, and its owner is of this department: a drive, a tagged bucket
============  =======================================================================================================

Members come before the owner. A container of which neither is true is that of the container in which it is (the
library of a site), and otherwise nobody's. People are of their primary department; a person who left is of none. The
thresholds are those of role mining: an entitlement that fewer than 60% of a group have is not the group's, and less
than three people are no group. What is for everybody is no department's: where most of the organisation has access, a
department's share has to be larger than that in the organisation; below 20 people such a comparison says nothing, and
is left out.
"""

from typing import Final

import duckdb

LEAST_PEOPLE: Final = 3
LEAST_SHARE: Final = 60  # percent
_LEAST_COMPARED: Final = 20  # people in the organisation
_ABOVE: Final = 10  # percent, by which a share is larger than that in the organisation
_LEVELS: Final = 2  # from a library's folder to its site


def join(db: duckdb.DuckDBPyConnection) -> None:
    """Fill `joined_department_containers`, and the temporary tables `closed_groups` and `department_groups`.

    `closed_groups` is the closure of memberships, as `members` in a snapshot; `department_groups` are the groups of
    whose people most are of one department. Reads `joined_people` and `joined_accounts`.
    """
    db.execute(
        """CREATE OR REPLACE TEMP TABLE closed_groups AS
           WITH RECURSIVE closure (group_uid, member_uid) AS (
               SELECT group_uid, member_uid FROM memberships WHERE member_uid IS NOT NULL
               UNION
               SELECT c.group_uid, m.member_uid FROM closure AS c JOIN memberships AS m ON m.group_uid = c.member_uid
               WHERE m.member_uid IS NOT NULL
           )
           SELECT group_uid, member_uid FROM closure"""
    )
    db.execute(
        """CREATE OR REPLACE TEMP TABLE staffed AS
           SELECT a.principal_uid, p.uid AS person_uid, p.department
           FROM joined_accounts AS a JOIN joined_people AS p ON p.uid = a.person_uid
           WHERE a.kind = 'own' AND p.standing IN ('active', 'on-leave') AND p.department <> ''"""
    )
    db.execute(
        """CREATE OR REPLACE TEMP TABLE organisation_shares AS
           SELECT department, sum(people) OVER () AS staff, 100 * people / sum(people) OVER () AS share
           FROM (SELECT department, count(DISTINCT person_uid) AS people FROM staffed GROUP BY department)"""
    )
    db.execute(
        """CREATE OR REPLACE TEMP TABLE of_groups AS
           SELECT m.group_uid, s.department, count(DISTINCT s.person_uid) AS people
           FROM closed_groups AS m JOIN staffed AS s ON s.principal_uid = m.member_uid
           GROUP BY m.group_uid, s.department"""
    )
    db.execute(f"CREATE OR REPLACE TEMP TABLE department_groups AS {_most('group_uid', 'of_groups')}")
    _containers(db)
    for _ in range(_LEVELS):
        _inherit(db)


def _containers(db: duckdb.DuckDBPyConnection) -> None:
    # What is in a bucket is seldom listed, and a new drive or site is empty: these are containers all the same.
    db.execute(
        """CREATE OR REPLACE TEMP TABLE containers AS
           SELECT r.uid, r.owner_uid, r.container_uid, r.parent_uid FROM resources AS r
           WHERE r.uid IN (SELECT container_uid FROM resources) OR r.kind IN ('bucket', 'shared_drive', 'site')"""
    )
    # Somebody who is in two of a container's groups counts twice: the counts of groups are made once, for all.
    db.execute(
        """CREATE OR REPLACE TEMP TABLE of_containers AS
           WITH admitted AS (
               SELECT DISTINCT g.resource_uid, g.principal_uid
               FROM grants AS g JOIN containers AS c ON c.uid = g.resource_uid
               WHERE g.audience = 'named' AND g.access > 'list'::access_ladder AND g.effective AND NOT g.inherited
           ),
           counted AS (
               SELECT a.resource_uid, s.department, count(DISTINCT s.person_uid) AS people
               FROM admitted AS a JOIN staffed AS s ON s.principal_uid = a.principal_uid
               GROUP BY a.resource_uid, s.department
               UNION ALL
               SELECT a.resource_uid, o.department, o.people FROM admitted AS a JOIN of_groups AS o
                 ON o.group_uid = a.principal_uid
               UNION ALL -- a team is a resource, and its members are those of the group with the same id
               SELECT c.uid, o.department, o.people FROM containers AS c JOIN of_groups AS o ON o.group_uid = c.uid
           )
           SELECT resource_uid, department, sum(people) AS people FROM counted GROUP BY resource_uid, department"""
    )
    db.execute(
        f"""CREATE OR REPLACE TEMP TABLE mixed AS
            SELECT resource_uid FROM of_containers GROUP BY resource_uid HAVING sum(people) >= {LEAST_PEOPLE}"""
    )
    db.execute(
        f"""INSERT INTO joined_department_containers (resource_uid, department, decided_by, share, people)
            SELECT resource_uid, department, 'members', share, people FROM ({_most("resource_uid", "of_containers")})"""
    )
    db.execute(
        """INSERT INTO joined_department_containers (resource_uid, department, decided_by, share, people)
           SELECT c.uid, s.department, 'owner', 100, 1
           FROM containers AS c JOIN staffed AS s ON s.principal_uid = c.owner_uid
           WHERE c.uid NOT IN (SELECT resource_uid FROM joined_department_containers)
             AND c.uid NOT IN (SELECT resource_uid FROM mixed)"""
    )


def _inherit(db: duckdb.DuckDBPyConnection) -> None:
    db.execute(
        """INSERT INTO joined_department_containers (resource_uid, department, decided_by, share, people)
           SELECT c.uid, d.department, d.decided_by, d.share, d.people
           FROM containers AS c
           JOIN joined_department_containers AS d ON d.resource_uid = coalesce(c.container_uid, c.parent_uid)
           WHERE c.uid NOT IN (SELECT resource_uid FROM joined_department_containers)
             AND c.uid NOT IN (SELECT resource_uid FROM mixed)"""
    )


def _most(column: str, counts: str) -> str:
    """A query for the department that most people of something are of, where there are enough of them."""
    return f"""SELECT {column}, department, (100 * people // total)::BIGINT AS share, total::BIGINT AS people
               FROM (SELECT *, sum(people) OVER (PARTITION BY {column}) AS total FROM {counts}) AS counted
               JOIN organisation_shares AS o USING (department)
               WHERE total >= {LEAST_PEOPLE} AND 100 * people >= {LEAST_SHARE} * total
                 AND NOT (o.staff >= {_LEAST_COMPARED} AND 100 * total >= {LEAST_SHARE} * o.staff
                          AND 100 * people < (o.share + {_ABOVE}) * total)"""
