"""Access as it is, compared with what the permission templates intend.

A grant counts where it was given: on what a template names, or below it. What is inherited from above counts on the
resource that the template names, once. Of a grant it is said

=============  ======================================================================================================
wider          nobody of so wide an audience is intended
unlisted       no line is for this principal, or for some members of the group
stronger       a line is for it, with less access
expired        a line was for it, until a day that is over, or for fewer days
as-intended    a line is for it; or it is the owner's own
NULL           one of these, but which one is not known: members, departments or the day of the grant are missing
=============  ======================================================================================================

The best line counts for a principal, and the worst member for a group. Latent and expired grants open nothing and are
left out, and so is seeing the names of folders on the way to something.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import duckdb

from cloudscan.days import zone
from cloudscan.organisation import template_fit
from cloudscan.organisation.rows import fill
from cloudscan.organisation.template import Template
from cloudscan.organisation.template_fit import GROUPS, MAY_BE_ANY_COLLEAGUE, MAY_BE_ANYBODY, UNREAD, Who
from cloudscan.organisation.template_scope import ABOVE_ALL, LEAVES, find_named

_FITS, _MAY_FIT, _STRONGER, _EXPIRED, _MAY_FIT_BUT_NOT_SO, _NONE = 5, 4, 3, 2, 1, 0
"""What one line says of one profile; the highest counts."""

_LINES: Final = {
    "template": "BIGINT", "line": "BIGINT", "who": "BIGINT", "kind": "VARCHAR", "label": "VARCHAR",
    "audience": "audience_ladder", "access": "access_ladder", "until": "DATE", "days": "BIGINT",
}  # fmt: skip
_LONG_AGO: Final = 1_000_000  # days: before any number of days that a line has
_ON_THE_WAY: Final = (
    "template_places", "template_matches", "template_candidates", "template_tops", "template_folders", "judged",
    "cases", "judged_principals", "template_members", "template_principals", "template_fits", "principal_profiles",
    "group_profiles", "profile_fits", "colleagues", "current_posts", "reached", "compared", "decided", "told_grants",
)  # fmt: skip
_OUTSIDE: Final = ("partner", "external", "anyone")  # kinds of lines


def join(
    db: duckdb.DuckDBPyConnection, templates: Sequence[Template], *, now: datetime, today: date, timezone: str
) -> None:
    """Fill `joined_templates` and `joined_drift`. `today` is the organisation's day of `now`."""
    if not templates:
        return
    find_named(db, templates)
    _find_judged(db, templates, now, today, timezone)
    db.execute(
        """CREATE OR REPLACE TEMP TABLE judged_principals AS
           SELECT DISTINCT principal_uid FROM cases WHERE principal_uid IS NOT NULL"""
    )
    who_numbers = template_fit.find_fitting(db, templates, today)
    _fill_lines(db, templates, who_numbers)
    _find_profiles(db)
    _compare(db, today)
    _decide(db)
    _write(db)


def forget(db: duckdb.DuckDBPyConnection) -> None:
    """Free what `join` made on the way. Only `joined_templates` and `joined_drift` are left."""
    for table in _ON_THE_WAY:
        db.execute(f"DROP TABLE IF EXISTS {table}")


def _find_judged(
    db: duckdb.DuckDBPyConnection, templates: Sequence[Template], now: datetime, today: date, timezone: str
) -> None:
    """`judged`: the grants that count; `cases`: those of them that differ in nothing that matters, as one."""
    owners = {n: one.access for n, template in enumerate(templates) for one in template.lines if one.kind == "owner"}
    fill(
        db,
        "owner_lines",
        {"template": "BIGINT", "access": "access_ladder"},
        [{"template": number, "access": access} for number, access in owners.items()],
    )
    db.execute(
        f"""CREATE OR REPLACE TEMP TABLE judged AS
            SELECT g.uid AS grant_uid, n.resource_uid AS top_uid, n.template,
                   g.principal_uid, g.audience, g.access, g.effective,
                   {_age(templates, today, timezone)} AS age,
                   coalesce(g.audience IN ('nobody', 'owner'), FALSE)
                   OR coalesce(g.principal_uid = r.owner_uid, FALSE)
                   OR coalesce(g.principal_uid = top.owner_uid AND g.access <= o.access, FALSE) AS is_own
            FROM grants AS g
            JOIN resources AS r ON r.uid = g.resource_uid
            LEFT JOIN template_tops AS t ON t.resource_uid = g.resource_uid
            LEFT JOIN template_folders AS f
              ON t.resource_uid IS NULL AND f.uid = coalesce(r.parent_uid, r.container_uid)
             AND coalesce(g.origin_uid, g.resource_uid) = g.resource_uid
            JOIN template_tops AS n ON n.resource_uid = coalesce(t.resource_uid, f.top_uid)
            JOIN resources AS top ON top.uid = n.resource_uid
            LEFT JOIN owner_lines AS o ON o.template = n.template
            WHERE coalesce(g.expires_on > $now, TRUE) AND coalesce(g.effective, TRUE)
              AND NOT coalesce(g.access = 'list' AND g.audience IN ('named', 'named_external'), FALSE)""",
        {"now": now.astimezone(UTC).replace(tzinfo=None)},
    )
    db.execute(
        """CREATE OR REPLACE TEMP TABLE cases AS
           SELECT row_number() OVER () AS n, * FROM (
               SELECT DISTINCT template, principal_uid, audience, access, age FROM judged WHERE NOT is_own)"""
    )


def _age(templates: Sequence[Template], today: date, timezone: str) -> str:
    """The SQL of how many days a grant is old, as far as lines ask: the least of their numbers that it is within."""
    asked = sorted({line.days for template in templates for line in template.lines if line.days})
    if not asked:
        return "0"
    cases = " ".join(
        f"WHEN g.granted_on >= TIMESTAMP '{_begin(today - timedelta(days=days), timezone):%Y-%m-%d %H:%M}' THEN {days}"
        for days in asked
    )
    return f"CASE WHEN g.granted_on IS NULL THEN NULL {cases} ELSE {_LONG_AGO} END"


def _begin(day: date, timezone: str) -> datetime:
    """The moment, in UTC, at which a day begins where the organisation is."""
    return datetime.combine(day, time(), zone(timezone)).astimezone(UTC)


def _fill_lines(db: duckdb.DuckDBPyConnection, templates: Sequence[Template], who_numbers: Mapping[Who, int]) -> None:
    fill(
        db,
        "template_lines",
        _LINES,
        [
            {
                "template": number,
                "line": place,
                "who": who_numbers[template_fit.who_of(line)],
                "kind": template_fit.who_of(line)[0],
                "label": line.label,
                "audience": str(line.widest),
                "access": str(line.access),
                "until": line.until.isoformat() if line.until else None,
                "days": line.days,
            }
            for number, template in enumerate(templates)
            for place, line in enumerate(template.lines)
        ],
    )
    fill(db, "template_names", {"template": "BIGINT", "name": "VARCHAR"},
         [{"template": number, "name": one.name} for number, one in enumerate(templates)])  # fmt: skip


def _find_profiles(db: duckdb.DuckDBPyConnection) -> None:
    """`reached` (n, profile, people): who is admitted in each case."""
    db.execute(
        f"""CREATE OR REPLACE TEMP TABLE reached AS
            WITH sorted AS (
                SELECT c.*, p.kind AS principal_kind, p.affiliation,
                       c.principal_uid IN (
                           SELECT g.principal_uid FROM named_groups AS g
                           JOIN template_lines AS l ON l.who = g.who AND l.template = c.template) AS is_named
                FROM cases AS c LEFT JOIN principals AS p ON p.uid = c.principal_uid
            ),
            told AS (
                SELECT *, coalesce(audience >= 'organisation'::audience_ladder, FALSE) AS is_wide,
                       coalesce(principal_kind IN {GROUPS} AND affiliation = 'internal' AND NOT is_named, FALSE)
                       AS is_group
                FROM sorted
            )
            SELECT n, 'wide' AS profile, 1 AS people FROM told WHERE is_wide
            UNION ALL
            SELECT n, '{UNREAD}', 1 FROM told WHERE NOT is_wide AND (principal_uid IS NULL OR audience IS NULL)
            UNION ALL
            SELECT t.n, g.profile, g.people
            FROM told AS t JOIN group_profiles AS g ON g.group_uid = t.principal_uid
            WHERE NOT is_wide AND is_group AND audience IS NOT NULL
            UNION ALL
            SELECT t.n, coalesce(p.profile, ''), 1
            FROM told AS t LEFT JOIN principal_profiles AS p ON p.principal_uid = t.principal_uid
            WHERE NOT is_wide AND NOT is_group AND t.principal_uid IS NOT NULL AND audience IS NOT NULL"""
    )


def _compare(db: duckdb.DuckDBPyConnection, today: date) -> None:
    """`compared` (n, profile, line, code): what each line says of each profile in each case."""
    db.execute(
        f"""CREATE OR REPLACE TEMP TABLE compared AS
            WITH fitting AS (
                SELECT x.n, x.profile, l.line, f.certain, f.until
                FROM reached AS x JOIN cases AS c ON c.n = x.n
                JOIN template_lines AS l ON l.template = c.template
                JOIN profile_fits AS f ON f.profile = x.profile
                 AND (f.who = l.who OR f.who = {MAY_BE_ANYBODY}
                      OR (f.who = {MAY_BE_ANY_COLLEAGUE} AND l.kind = 'colleagues'))
                WHERE l.kind <> 'owner' AND (l.kind NOT IN {_OUTSIDE} OR coalesce(c.audience <= l.audience, TRUE))
                UNION ALL
                SELECT x.n, x.profile, l.line, TRUE, NULL
                FROM reached AS x JOIN cases AS c ON c.n = x.n
                JOIN template_lines AS l ON l.template = c.template AND l.audience >= c.audience
                WHERE (x.profile = 'wide' OR l.kind = 'anyone') AND x.profile <> '{UNREAD}'
            ),
            told AS (
                SELECT f.n, f.profile, f.line, f.certain,
                       coalesce(l.until >= $today, TRUE) AND coalesce(f.until >= $today, TRUE)
                       AND (l.days IS NULL OR c.age <= l.days) AS in_force,
                       c.access <= l.access AS is_weak_enough
                FROM fitting AS f JOIN cases AS c ON c.n = f.n
                JOIN template_lines AS l ON l.template = c.template AND l.line = f.line
            )
            SELECT n, profile, line,
                   CASE WHEN certain AND in_force AND is_weak_enough THEN {_FITS}
                        WHEN coalesce(in_force, TRUE) AND coalesce(is_weak_enough, TRUE) THEN {_MAY_FIT}
                        WHEN certain IS NULL THEN {_MAY_FIT_BUT_NOT_SO}
                        WHEN in_force THEN {_STRONGER}
                        WHEN in_force IS NULL THEN {_MAY_FIT_BUT_NOT_SO}
                        ELSE {_EXPIRED} END AS code
            FROM told""",
        {"today": today},
    )


def _decide(db: duckdb.DuckDBPyConnection) -> None:
    """`decided` (n, kind, line, people): what is to be said of each case."""
    outside = "coalesce(max(audience) FILTER (kind IN ('partner', 'external', 'anyone')), 'nobody'::audience_ladder)"
    db.execute(
        f"""CREATE OR REPLACE TEMP TABLE decided AS
            WITH told AS (
                SELECT x.n, x.people, greatest(coalesce(max(c.code), {_NONE}),
                                               if(x.profile = '{UNREAD}', {_MAY_FIT_BUT_NOT_SO}, {_NONE})) AS code,
                       arg_max(c.line, c.code) AS line
                FROM reached AS x LEFT JOIN compared AS c ON c.n = x.n AND c.profile = x.profile
                GROUP BY x.n, x.profile, x.people
            ),
            widest AS (
                SELECT template, max(audience) AS for_all, {outside} AS outside FROM template_lines GROUP BY template
            ),
            worst AS (
                SELECT n,
                       CASE WHEN bool_or(code = {_NONE}) THEN 'unlisted'
                            WHEN bool_or(code = {_STRONGER}) THEN 'stronger'
                            WHEN bool_or(code = {_EXPIRED}) THEN 'expired'
                            WHEN bool_or(code <> {_FITS}) THEN NULL
                            ELSE 'as-intended' END AS kind,
                       arg_min(line, CASE code WHEN {_STRONGER} THEN 1 WHEN {_EXPIRED} THEN 2 ELSE 3 END)
                           FILTER (code IN ({_STRONGER}, {_EXPIRED})) AS line,
                       sum(people) FILTER (code IN ({_NONE}, {_STRONGER}, {_EXPIRED})) AS people
                FROM told GROUP BY n
            )
            SELECT c.n, CASE WHEN w.n IS NULL THEN 'as-intended'
                             WHEN w.kind = 'unlisted' AND c.audience > greatest(
                                  CASE WHEN c.audience >= 'organisation'::audience_ladder THEN t.for_all
                                       ELSE t.outside END, 'named'::audience_ladder) THEN 'wider'
                             ELSE w.kind END AS kind,
                   w.line, w.people
            FROM cases AS c LEFT JOIN worst AS w ON w.n = c.n LEFT JOIN widest AS t ON t.template = c.template"""
    )


def _write(db: duckdb.DuckDBPyConnection) -> None:
    same = "c.template = j.template AND c.age IS NOT DISTINCT FROM j.age AND " + " AND ".join(
        f"c.{column} IS NOT DISTINCT FROM j.{column}" for column in ("principal_uid", "audience", "access")
    )
    db.execute(
        f"""CREATE OR REPLACE TEMP TABLE told_grants AS
            SELECT j.grant_uid, j.top_uid, j.template, c.n, d.line, d.people,
                   CASE WHEN j.effective IS NULL AND d.kind <> 'as-intended' THEN NULL ELSE d.kind END AS kind
            FROM judged AS j JOIN cases AS c ON {same} JOIN decided AS d ON d.n = c.n
            WHERE NOT j.is_own"""
    )
    columns = "(resource_uid, grant_uid, kind, template, line, intended_access, people)"
    db.execute(
        f"""INSERT INTO joined_drift {columns}
            SELECT g.top_uid, g.grant_uid, g.kind, t.name, coalesce(l.label, ''), coalesce(l.access::VARCHAR, ''),
                   g.people
            FROM told_grants AS g JOIN template_names AS t ON t.template = g.template
            LEFT JOIN template_lines AS l ON l.template = g.template AND l.line = g.line
            WHERE g.kind IS DISTINCT FROM 'as-intended'
            UNION ALL
            SELECT p.resource_uid, NULL, 'as-intended', t.name, '', '', NULL
            FROM template_tops AS p JOIN template_names AS t ON t.template = p.template"""
    )
    db.execute(
        f"""INSERT INTO joined_drift {columns}
            SELECT p.resource_uid, NULL, 'missing', t.name, l.label, l.access::VARCHAR, NULL
            FROM template_tops AS p JOIN template_names AS t ON t.template = p.template
            JOIN template_lines AS l ON l.template = p.template
            WHERE l.kind NOT IN ('owner', 'everybody', 'external', 'anyone')
              AND NOT EXISTS (FROM told_grants AS g JOIN compared AS c ON c.n = g.n
                              WHERE g.top_uid = p.resource_uid AND c.line = l.line
                                AND c.code > {_MAY_FIT_BUT_NOT_SO})"""
    )
    _write_rest(db)


def _write_rest(db: duckdb.DuckDBPyConnection) -> None:
    """What no template is for, by drive, site or bucket, with how much it is."""
    db.execute(
        f"""INSERT INTO joined_drift (resource_uid, kind, files, size_bytes, template, line, intended_access)
            SELECT *, '', '', '' FROM (SELECT CASE WHEN c.uid IS NULL OR c.kind IN {ABOVE_ALL} THEN r.uid
                        WHEN d.uid IS NULL OR d.kind IN {ABOVE_ALL} THEN c.uid ELSE d.uid END AS holder_uid,
                   'no-template', sum(CASE WHEN r.kind IN {LEAVES} THEN 1 ELSE coalesce(n.objects, 0) END) AS files,
                   sum(r.size_bytes)
            FROM resources AS r
            LEFT JOIN (SELECT uid, kind, container_uid FROM resources WHERE kind NOT IN {LEAVES}) AS c
              ON c.uid = r.container_uid AND c.uid <> r.uid
            LEFT JOIN (SELECT uid, kind FROM resources WHERE kind NOT IN {LEAVES}) AS d
              ON d.uid = c.container_uid AND d.uid <> c.uid
            LEFT JOIN (SELECT uid, TRY_CAST(detail ->> 'objects' AS BIGINT) AS objects FROM resources
                       WHERE kind NOT IN {LEAVES}) AS n ON n.uid = r.uid
            WHERE r.kind NOT IN {ABOVE_ALL}
              AND r.uid NOT IN (SELECT uid FROM template_folders)
              AND coalesce(r.parent_uid NOT IN (SELECT uid FROM template_folders), TRUE)
              AND coalesce(r.parent_uid IS NOT NULL OR r.container_uid NOT IN (SELECT uid FROM template_folders), TRUE)
            GROUP BY holder_uid HAVING files > 0 OR sum(r.size_bytes) > 0)"""
    )
