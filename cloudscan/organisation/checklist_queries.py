"""The questions behind `organisation.checklists`, in SQL.

`LEAVING` begins those about people who leave: `chosen` are these people, `own` their accounts. A query about a task
gives person, platform, how many are open, how many unclear, how many there are, names of open ones; of accounts and
keys also since when they are closed, if the directory says it of all of them, and when one was used last.
"""

from collections.abc import Mapping
from typing import Final

from cloudscan.checklist import Task

_OPEN_ACCOUNT: Final = """CASE WHEN p.status <> 'active' THEN FALSE
                              WHEN p.detail ->> 'sign_in' = 'false' THEN FALSE
                              WHEN p.detail ->> 'sign_in' = 'true' THEN p.status = 'active'
                              WHEN p.platform = 's3' THEN NULL
                              ELSE p.status = 'active' END"""
"""Whether somebody can sign in. What S3 calls a user may have keys only; its report of credentials says so."""

_OPEN_KEYS: Final = """CASE WHEN p.status <> 'active' THEN FALSE
                            ELSE try_cast(p.detail ->> 'access_keys' AS BIGINT) > 0 END"""

LEAVING: Final = f"""
    WITH moment AS (SELECT $as_of::TIMESTAMP AS as_of),
    chosen AS (
        SELECT o.uid, o.last_day FROM people AS o
        WHERE o.standing = 'left' AND (
            coalesce(o.last_day >= $since, TRUE)
            OR o.uid IN (SELECT a.person_uid FROM accounts AS a JOIN principals AS p ON p.uid = a.principal_uid
                         WHERE a.kind = 'own' AND (coalesce({_OPEN_ACCOUNT}, TRUE) OR coalesce({_OPEN_KEYS}, FALSE))))
           OR (o.standing <> 'left' AND o.last_day BETWEEN $today AND $until)
    ),
    own AS (
        SELECT a.person_uid, a.kind AS account_kind, p.uid AS principal_uid, p.platform
        FROM accounts AS a JOIN principals AS p ON p.uid = a.principal_uid
        WHERE a.person_uid IN (SELECT uid FROM chosen)
    )
"""

_WHO: Final = """o.uid AS person_uid, o.number, o.name, o.email, o.department, coalesce(m.name, '') AS manager,
       coalesce(m.email, '') AS manager_email,
       coalesce(m.standing IN ('active', 'on-leave'), FALSE) AS manager_is_here"""

PEOPLE: Final = f"""
    SELECT {_WHO}, o.last_day, o.standing
    FROM people AS o JOIN chosen AS c ON c.uid = o.uid LEFT JOIN people AS m ON m.uid = o.manager_uid
    ORDER BY o.last_day NULLS LAST, o.number, o.uid
"""

_ACCOUNTS: Final = f"""
    SELECT person_uid, platform, count_if(is_open), count_if(is_open IS NULL), count(*),
           list(DISTINCT shown) FILTER (WHERE is_open), CASE WHEN count(*) = count(closed_on) THEN max(closed_on) END,
           max(last_seen_on)
    FROM (
        SELECT a.person_uid, p.platform, {_OPEN_ACCOUNT} AS is_open, coalesce(nullif(p.email, ''), p.name) AS shown,
               try_cast(p.detail ->> 'disabled_on' AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS closed_on, p.last_seen_on
        FROM accounts AS a JOIN principals AS p ON p.uid = a.principal_uid JOIN chosen AS c ON c.uid = a.person_uid
        WHERE a.kind = 'own'
    ) GROUP BY person_uid, platform
"""

_KEYS: Final = f"""
    SELECT person_uid, platform, count_if(is_open), count_if(is_open IS NULL), count(*),
           list(DISTINCT shown) FILTER (WHERE is_open), NULL, NULL, max(used)
    FROM (
        SELECT a.person_uid, p.platform, {_OPEN_KEYS} AS is_open, p.name AS shown,
               try_cast(p.detail ->> 'keys_last_used_on' AS DATE) AS used
        FROM accounts AS a JOIN principals AS p ON p.uid = a.principal_uid JOIN chosen AS c ON c.uid = a.person_uid
        WHERE a.kind = 'own' AND (json_exists(p.detail, '$.access_keys')
                                  OR (p.platform = 's3' AND NOT json_exists(p.detail, '$.identities')))
    ) GROUP BY person_uid, platform
"""

_PLACES_OF_GRANTS: Final = """
        SELECT s.person_uid, s.platform, coalesce(g.origin_uid, g.resource_uid) AS place_uid
        FROM grants AS g JOIN own AS s ON s.principal_uid = g.principal_uid
        WHERE g.audience > 'owner' AND s.account_kind = '{kind}'
          AND coalesce(g.expires_on > (SELECT as_of FROM moment), TRUE)
"""

_GRANTS: Final = f"""
    SELECT n.person_uid, n.platform, count(DISTINCT n.place_uid), 0, NULL, list(DISTINCT r.name)[:20]
    FROM ({_PLACES_OF_GRANTS.format(kind="own")}) AS n LEFT JOIN resources AS r ON r.uid = n.place_uid
    GROUP BY n.person_uid, n.platform
"""

_PRIVATE: Final = f"""
    SELECT s.person_uid, s.platform, count(DISTINCT n.place_uid), 0
    FROM own AS s
    LEFT JOIN (
        {_PLACES_OF_GRANTS.format(kind="private")}
        UNION ALL
        SELECT s.person_uid, s.platform, m.group_uid FROM memberships AS m
        JOIN own AS s ON s.principal_uid = m.member_uid WHERE s.account_kind = 'private'
    ) AS n ON n.person_uid = s.person_uid AND n.platform = s.platform
    WHERE s.account_kind = 'private' GROUP BY s.person_uid, s.platform
"""

_OWNER_ROLES: Final = "('owner', 'organizer')"
_OWNED_KINDS: Final = "('site', 'team', 'group', 'channel', 'shared_drive', 'bucket', 'account', 'application')"

_GROUPS: Final = f"""
    SELECT s.person_uid, s.platform, count(DISTINCT m.group_uid), 0, NULL, list(DISTINCT p.name)[:20]
    FROM memberships AS m JOIN own AS s ON s.principal_uid = m.member_uid AND s.account_kind = 'own'
    LEFT JOIN principals AS p ON p.uid = m.group_uid
    WHERE m.role NOT IN {_OWNER_ROLES} GROUP BY s.person_uid, s.platform
"""

_OWNED: Final = f"""
    SELECT person_uid, platform, count(DISTINCT lower(shown)), 0, NULL, list(DISTINCT shown)[:20]
    FROM (
        SELECT s.person_uid, s.platform, r.name AS shown
        FROM resources AS r JOIN own AS s ON s.principal_uid = r.owner_uid AND s.account_kind = 'own'
        WHERE r.kind IN {_OWNED_KINDS}
        UNION ALL
        SELECT s.person_uid, s.platform, coalesce(r.name, nullif(p.name, ''), p.email)
        FROM memberships AS m JOIN own AS s ON s.principal_uid = m.member_uid AND s.account_kind = 'own'
        LEFT JOIN resources AS r ON r.owner_uid = m.group_uid AND r.kind IN {_OWNED_KINDS}
        LEFT JOIN principals AS p ON p.uid = m.group_uid
        WHERE m.role IN {_OWNER_ROLES}
        UNION ALL
        SELECT s.person_uid, p.platform, p.name
        FROM principals AS p JOIN own AS s ON s.principal_uid = p.sponsor_uid AND s.account_kind = 'own'
        WHERE p.kind = 'service'
    ) WHERE shown IS NOT NULL GROUP BY person_uid, platform
"""

_FILES: Final = """
    SELECT s.person_uid, s.platform, count(DISTINCT r.uid), 0, NULL, list(DISTINCT r.name)[:20]
    FROM resources AS r JOIN own AS s ON s.principal_uid = r.owner_uid AND s.account_kind = 'own'
    JOIN grants AS g ON g.resource_uid = r.uid
    WHERE g.audience > 'named' AND g.audience <> 'organisation' AND coalesce(g.effective, TRUE)
      AND coalesce(g.expires_on > (SELECT as_of FROM moment), TRUE)
    GROUP BY s.person_uid, s.platform
"""

_GUESTS: Final = """
    SELECT s.person_uid, p.platform, count(DISTINCT p.uid), 0, NULL,
           list(DISTINCT coalesce(nullif(p.email, ''), p.name))[:20]
    FROM principals AS p JOIN own AS s ON s.principal_uid = p.sponsor_uid AND s.account_kind = 'own'
    WHERE p.kind = 'guest' AND coalesce(p.status = 'active', TRUE) GROUP BY s.person_uid, p.platform
"""

_PARTNERS: Final = """
    SELECT c.uid AS person_uid, 'organisation', count(*), 0, NULL, list(p.name)
    FROM partners AS p JOIN chosen AS c ON c.uid = p.owner_uid OR c.uid = p.deputy_uid GROUP BY c.uid
"""

_WAIVERS: Final = """
    SELECT c.uid AS person_uid, 'organisation', count(*), 0, NULL, list(w.stated_reason)[:20]
    FROM waivers AS w JOIN chosen AS c ON c.uid = w.owner_uid WHERE w.kind = 'waiver' GROUP BY c.uid
"""

_STAFF: Final = """
    SELECT c.uid AS person_uid, 'organisation', count(*), 0, NULL, list(o.name ORDER BY o.number)[:20]
    FROM people AS o JOIN chosen AS c ON c.uid = o.manager_uid
    WHERE o.standing IN ('active', 'on-leave', 'upcoming') AND o.uid NOT IN (SELECT uid FROM chosen) GROUP BY c.uid
"""

TASKS: Final[Mapping[Task, str]] = {
    Task.ACCOUNT: _ACCOUNTS,
    Task.KEYS: _KEYS,
    Task.PRIVATE: _PRIVATE,
    Task.GRANTS: _GRANTS,
    Task.GROUPS: _GROUPS,
    Task.OWNED: _OWNED,
    Task.FILES: _FILES,
    Task.GUESTS: _GUESTS,
    Task.PARTNERS: _PARTNERS,
    Task.WAIVERS: _WAIVERS,
    Task.STAFF: _STAFF,
}

MOVERS: Final = f"""
    SELECT {_WHO}, v.from_department, max(v.moved_on) AS moved_on,
           (SELECT list(DISTINCT p.platform) FROM accounts AS a JOIN principals AS p ON p.uid = a.principal_uid
            WHERE a.person_uid = o.uid AND a.kind = 'own') AS platforms
    FROM moves AS v JOIN people AS o ON o.uid = v.person_uid LEFT JOIN people AS m ON m.uid = o.manager_uid
    WHERE o.standing IN ('active', 'on-leave')
    GROUP BY ALL ORDER BY moved_on DESC NULLS FIRST, o.number, o.uid, v.from_department
"""

OF_MOVERS: Final[Mapping[Task, str]] = {
    Task.GRANTS: """
        SELECT l.person_uid, l.from_department, p.platform,
               count(DISTINCT coalesce(g.origin_uid, g.resource_uid)), 0, NULL, list(DISTINCT r.name)[:20]
        FROM leftovers AS l JOIN grants AS g ON g.uid = l.grant_uid JOIN principals AS p ON p.uid = l.principal_uid
        LEFT JOIN resources AS r ON r.uid = coalesce(g.origin_uid, g.resource_uid)
        WHERE l.why = 'moved' GROUP BY l.person_uid, l.from_department, p.platform""",
    Task.GROUPS: """
        SELECT l.person_uid, l.from_department, p.platform, count(DISTINCT l.group_uid), 0, NULL,
               list(DISTINCT s.name)[:20]
        FROM leftovers AS l JOIN principals AS p ON p.uid = l.principal_uid
        LEFT JOIN principals AS s ON s.uid = l.group_uid
        WHERE l.why = 'moved' AND l.group_uid IS NOT NULL GROUP BY l.person_uid, l.from_department, p.platform""",
}
"""The same about movers: person, the department that was left, platform, how many, names."""
