"""A first draft of permission templates, from access as it is: what most people of a department or role have in common.

A cell is a folder, drive, site or bucket and a department, a role, or both. Of the *n* people in the group *m* have
access there. It becomes a line if *n* is at least 5 and *m* at least 60 % of it, with the strongest access that 60 %
of the *m* have; what 60 % of everybody has is one line for everybody. Bottom-up role mining with a least popularity,
as identity governance does it; that an exact and small set of roles is hard to find, and over-fits, is known (Vaidya,
Atluri, Guo: *The Role Mining Problem*, 2007). Here folders are the candidates, since they are a tree already.

Nothing is learnt from access that should not be: links for anyone, what has expired or is latent, people who left,
partners whose contract is over, and grants that an open finding of high severity is about. No line describes fewer
than 3 people, and none names a person.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final, NamedTuple

import duckdb

from cloudscan.errors import ConfigurationError
from cloudscan.facts import Access
from cloudscan.organisation import templates
from cloudscan.organisation.patterns import exact, folded, make_places, problem, written
from cloudscan.organisation.rows import create_over, fill
from cloudscan.organisation.template import Template, TemplateLine
from cloudscan.organisation.template_fit import GROUPS
from cloudscan.organisation.template_scope import ABOVE_ALL, LEAVES
from cloudscan.sentence import say

FEWEST: Final = 3
"""A line about fewer people would describe them one by one."""

_HOLDERS: Final = f"(SELECT * FROM resources WHERE kind NOT IN {LEAVES})"
_RUNGS: Final = tuple(Access)


@dataclass(frozen=True, kw_only=True)
class Method:
    """What is learnt, and from what."""

    least: int = 5  # people in a group
    share: float = 0.6  # of a group that has access, and of those that have so strong an access
    refused: Collection[int] = ()  # keys of grants that nothing is learnt from
    resources: Collection[int] | None = None  # keys: learn about these, and what is in them, only; None: everything
    departments: Collection[str] | None = None  # learn lines for these only; None: all


class Cell(NamedTuple):
    """A group of people; an empty department or role is any."""

    department: str = ""
    role: str = ""
    partner: str = ""

    @property
    def is_everybody(self) -> bool:
        """Whether it is all of ours."""
        return self == _EVERYBODY


_EVERYBODY: Final = Cell()


class LearntLine(NamedTuple):
    """A line with the numbers that it was learnt from."""

    cell: Cell
    access: Access
    people: int  # in the group
    having: tuple[int, int]  # how many of them have access: the fewest and the most in what the template names

    @property
    def line(self) -> TemplateLine:
        """The line as a template has it."""
        cell = self.cell
        if cell.is_everybody:
            return TemplateLine(who="everybody", access=self.access)
        return TemplateLine(department=cell.department, role=cell.role, partner=cell.partner, access=self.access)

    @property
    def says(self) -> tuple[Cell, Access]:
        """What the line says, without the numbers."""
        return self.cell, self.access


@dataclass(frozen=True, kw_only=True)
class LearntTemplate:
    """A template with the numbers beside each of its lines, and what was not learnt there."""

    template: Template
    lines: Sequence[LearntLine]
    outliers: Mapping[str, int] = field(
        default_factory=dict
    )  # grants by kind of drift; `unclear` could not be determined


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """What was learnt, and what was looked at for it."""

    templates: Sequence[LearntTemplate]
    resources: int  # that were looked at
    without_lines: int  # of them, those in which no group has access in common
    unnamed: int  # that no pattern can name, since several are called alike
    refused: int  # grants that an open finding is about


def learn(db: duckdb.DuckDBPyConnection, method: Method, *, now: datetime, today: date, timezone: str) -> Learnt:
    """Templates for the estate of a sealed snapshot. Raises `ConfigurationError` where nobody's department is known."""
    create_over(db, ("templates", "drift"))
    make_places(db, among=_HOLDERS)
    _find_people(db, today)
    _find_candidates(db, method)
    _find_access(db, method, now, today)
    names = _names(db)
    lines = {uid: found for uid, found in _lines(db, method).items() if uid in names}
    above = dict(db.execute("SELECT uid, above_uid FROM learnable").fetchall())
    kept = _rolled_up(db, _without_repetitions({uid: lines.get(uid, ()) for uid in names}, above), names)
    drafts = _merged(kept, names)
    drafts = _with_outliers(db, drafts, now=now, today=today, timezone=timezone)
    return Learnt(
        templates=drafts,
        resources=len(above),
        without_lines=sum(not lines.get(uid) for uid in names),
        unnamed=len(above) - len(names),
        refused=_count(db, "SELECT count(*) FROM refused_grants SEMI JOIN grants ON grants.uid = refused_grants.uid"),
    )


def _find_people(db: duckdb.DuckDBPyConnection, today: date) -> None:
    """`staff` (person_uid, department, role): those at work, by each of their posts."""
    db.execute(
        """CREATE OR REPLACE TEMP TABLE staff AS
           SELECT DISTINCT p.uid AS person_uid, trim(o.department) AS department, trim(p.role) AS role
           FROM joined_people AS p
           JOIN joined_posts AS o ON o.person_uid = p.uid AND o.until >= $today AND coalesce(o.since <= $today, TRUE)
           WHERE p.standing IN ('active', 'on-leave') AND trim(o.department) <> ''""",
        {"today": today},
    )
    if not _count(db, "SELECT count(*) FROM staff"):
        raise ConfigurationError(
            say(
                "Nobody's department is known, so nothing can be learnt; name the HR system's export in [roster] "
                "file, see docs/roster.md, or fill in departments in the directory, and scan again."
            )
        )
    spellings: dict[str, str] = {}
    rows = [
        {"value": value, "name": spellings.setdefault(" ".join(folded(value).split()), value)}
        for (value,) in db.execute(
            "SELECT department AS value FROM staff UNION SELECT role FROM staff ORDER BY value"
        ).fetchall()
    ]
    fill(db, "one_spelling", {"value": "VARCHAR", "name": "VARCHAR"}, rows)
    db.execute(
        """CREATE OR REPLACE TEMP TABLE staff AS
           SELECT DISTINCT s.person_uid, d.name AS department, r.name AS role
           FROM staff AS s JOIN one_spelling AS d ON d.value = s.department
           JOIN one_spelling AS r ON r.value = s.role"""
    )


def _find_candidates(db: duckdb.DuckDBPyConnection, method: Method) -> None:
    """`learnable` (uid, above_uid): containers, and what in them has grants of its own; with the next one above."""
    fill(db, "chosen", {"uid": "BIGINT"}, [{"uid": uid} for uid in method.resources or ()])
    chosen = "TRUE" if method.resources is None else (
        "(r.uid IN (SELECT uid FROM chosen) OR r.container_uid IN (SELECT uid FROM chosen))"
    )  # fmt: skip
    db.execute(
        f"""CREATE OR REPLACE TEMP TABLE candidates AS
            SELECT r.uid, coalesce(r.parent_uid, r.container_uid) AS above_uid FROM resources AS r
            LEFT JOIN resources AS a ON a.uid = coalesce(r.parent_uid, r.container_uid)
            WHERE r.kind NOT IN {ABOVE_ALL} AND r.kind NOT IN {LEAVES} AND {chosen}
              AND (a.uid IS NULL OR a.kind IN {ABOVE_ALL}
                   OR r.uid IN (SELECT resource_uid FROM grants
                                WHERE NOT inherited AND coalesce(origin_uid, resource_uid) = resource_uid))"""
    )
    db.execute(
        """CREATE OR REPLACE TEMP TABLE learnable AS
           WITH RECURSIVE up AS (
               SELECT c.uid, c.above_uid AS here, c.above_uid IN (SELECT uid FROM candidates) AS found, 0 AS steps
               FROM candidates AS c
               UNION ALL
               SELECT u.uid, coalesce(r.parent_uid, r.container_uid),
                      coalesce(r.parent_uid, r.container_uid) IN (SELECT uid FROM candidates), u.steps + 1
               FROM up AS u JOIN resources AS r ON r.uid = u.here WHERE NOT coalesce(u.found, FALSE) AND u.steps < 128
           )
           SELECT uid, max(here) FILTER (found) AS above_uid FROM up GROUP BY uid"""
    )


def _find_access(db: duckdb.DuckDBPyConnection, method: Method, now: datetime, today: date) -> None:
    """`held` (uid, person_uid, rung): the strongest access of each person; `given` to everybody and to partners."""
    fill(db, "refused_grants", {"uid": "BIGINT"}, [{"uid": uid} for uid in method.refused])
    db.execute(
        """CREATE OR REPLACE TEMP TABLE sound AS
           SELECT l.uid, g.principal_uid, g.audience, enum_code(g.access) AS rung
           FROM learnable AS l JOIN grants AS g ON g.resource_uid = l.uid
           WHERE g.effective AND g.expires_on > $now AND g.access IS NOT NULL AND g.access <> 'list'
             AND g.uid NOT IN (SELECT uid FROM refused_grants)""",
        {"now": now.astimezone(UTC).replace(tzinfo=None)},
    )
    db.execute(
        f"""CREATE OR REPLACE TEMP TABLE held AS
            WITH admitted AS (
                SELECT s.uid, coalesce(m.member_uid, s.principal_uid) AS principal_uid, s.rung
                FROM sound AS s JOIN principals AS p ON p.uid = s.principal_uid
                LEFT JOIN members AS m ON m.group_uid = s.principal_uid AND p.kind IN {GROUPS}
                WHERE s.audience IN ('named', 'named_external')
            )
            SELECT d.uid, a.person_uid, max(d.rung) AS rung
            FROM admitted AS d JOIN joined_accounts AS a ON a.principal_uid = d.principal_uid AND a.kind = 'own'
            WHERE a.person_uid IN (SELECT person_uid FROM staff)
            GROUP BY ALL"""
    )
    db.execute(
        """CREATE OR REPLACE TEMP TABLE given AS
           SELECT uid, max(rung) AS rung FROM sound WHERE audience = 'organisation' GROUP BY uid"""
    )
    db.execute(
        """CREATE OR REPLACE TEMP TABLE held_by_partners AS
           SELECT s.uid, p.name AS partner, s.principal_uid, max(s.rung) AS rung
           FROM sound AS s JOIN joined_partner_accounts AS a ON a.principal_uid = s.principal_uid
           JOIN joined_partners AS p ON p.uid = a.partner_uid
           WHERE coalesce(p.contract_ends >= $today, TRUE) AND coalesce(p.starts_on <= $today, TRUE)
             AND s.audience = 'named_external' AND a.joined_by <> 'member'
           GROUP BY ALL""",
        {"today": today},
    )


def _lines(db: duckdb.DuckDBPyConnection, method: Method) -> dict[int, tuple[LearntLine, ...]]:
    """The lines of each resource that has any."""
    strongest = "list_sort(list(h.rung), 'DESC')[ceil($share * count(*))::BIGINT]"
    rows = db.execute(
        f"""WITH cells AS (
                SELECT department, role, count(DISTINCT person_uid) AS n FROM staff
                GROUP BY GROUPING SETS ((department), (department, role), (role), ())
                HAVING coalesce(role <> '', TRUE)
            ),
            everyone AS (
                SELECT DISTINCT c.department, c.role, c.n, s.person_uid FROM cells AS c
                JOIN staff AS s ON coalesce(s.department = c.department, TRUE) AND coalesce(s.role = c.role, TRUE)
                WHERE c.n >= $least
            ),
            counted AS (
                SELECT h.uid, e.department, e.role, e.n, count(*) AS m, {strongest} AS rung
                FROM everyone AS e JOIN held AS h ON h.person_uid = e.person_uid
                GROUP BY h.uid, e.department, e.role, e.n
            )
            SELECT uid, coalesce(department, ''), coalesce(role, ''), '', n, m, rung FROM counted
            WHERE m >= $share * n
            UNION ALL
            SELECT h.uid, '', '', h.partner, count(*), count(*), {strongest} FROM held_by_partners AS h
            GROUP BY h.uid, h.partner HAVING count(*) >= $least
            UNION ALL
            SELECT uid, '', '', '', (SELECT count(DISTINCT person_uid) FROM staff),
                   (SELECT count(DISTINCT person_uid) FROM staff), rung FROM given
            WHERE (SELECT count(DISTINCT person_uid) FROM staff) >= $least
            ORDER BY ALL""",
        {"least": method.least, "share": method.share},
    ).fetchall()
    found: dict[int, dict[Cell, LearntLine]] = {}
    for uid, department, role, partner, n, m, rung in rows:
        cell = Cell(department, role, partner)
        line = LearntLine(cell, _RUNGS[rung], n, (m, m))
        known = found.setdefault(uid, {}).get(cell)
        if known is None or known.access < line.access:
            found[uid][cell] = line
    return {uid: _needed(lines, method.departments) for uid, lines in found.items()}


def _needed(lines: Mapping[Cell, LearntLine], departments: Collection[str] | None) -> tuple[LearntLine, ...]:
    """The lines that say more than the wider ones: everybody, then departments, then roles in them."""
    everybody = lines.get(_EVERYBODY)
    strong = [one for cell, one in lines.items() if cell != _EVERYBODY and not _is_covered(one, everybody)]
    whole = {one.cell.department: one for one in strong if one.cell.department and not one.cell.role}
    needed = [
        one
        for one in strong
        if one.cell.partner
        or (one.cell.department and not one.cell.role)
        or (one.cell.department and not _is_covered(one, whole.get(one.cell.department)))
        or (not one.cell.department and not whole)
    ]
    if departments is not None:
        return tuple(one for one in needed if one.cell.department in departments)
    return (*((everybody,) if everybody else ()), *needed)


def _is_covered(line: LearntLine, by: LearntLine | None) -> bool:
    return by is not None and line.access <= by.access


def _names(db: duckdb.DuckDBPyConnection) -> dict[int, str]:
    """The pattern of each candidate that a pattern can name alone."""
    rows = db.execute(
        """SELECT resource_uid, platform, place FROM (
               SELECT *, count(*) OVER (PARTITION BY platform, place) AS alike FROM places
           ) WHERE alike = 1 AND resource_uid IN (SELECT uid FROM learnable)"""
    ).fetchall()
    texts = written(db, [uid for uid, _, _ in rows])
    return {
        uid: pattern
        for uid, platform, place in rows
        if problem(pattern := f"{platform}:{texts[uid]}") is None and exact(pattern) == (platform, place)
    }


def _without_repetitions(
    lines: Mapping[int, tuple[LearntLine, ...]], above: Mapping[int, int | None]
) -> dict[int, tuple[LearntLine, ...]]:
    """What says something else than the next one above: a folder that its drive's people do not reach says so, too."""
    kept: dict[int, tuple[LearntLine, ...]] = {}
    for uid, own in lines.items():
        upper = above.get(uid)
        while upper is not None and upper not in lines:
            upper = above.get(upper)
        inherited = _statements(lines[upper]) if upper is not None else frozenset()
        if _statements(own) != inherited:
            kept[uid] = own
    return kept


def _statements(lines: Sequence[LearntLine]) -> frozenset[tuple[Cell, Access]]:
    return frozenset(line.says for line in lines)


def _rolled_up(
    db: duckdb.DuckDBPyConnection, kept: dict[int, tuple[LearntLine, ...]], names: dict[int, str]
) -> dict[int, tuple[LearntLine, ...]]:
    """Where all folders in something say the same, and nothing says it for the whole, the whole says it."""
    children: dict[int, list[int]] = {}
    rows = db.execute(
        f"""SELECT coalesce(parent_uid, container_uid) AS above_uid, uid FROM resources
            WHERE kind NOT IN {LEAVES} AND kind NOT IN {ABOVE_ALL} AND above_uid IN (SELECT uid FROM learnable)"""
    ).fetchall()
    for above, uid in rows:
        children.setdefault(above, []).append(uid)
    changed = True
    while changed:
        changed = False
        for above, inside in children.items():
            said = {_statements(kept[uid]) for uid in inside if uid in kept}
            agree = len(inside) > 1 and all(kept.get(uid) for uid in inside) and len(said) == 1
            if agree and above not in kept and above in names:
                kept[above] = _together([kept.pop(uid) for uid in inside])
                changed = True
    return kept


def _together(several: Sequence[Sequence[LearntLine]]) -> tuple[LearntLine, ...]:
    """Lines that say the same, with the range of their numbers."""
    found: dict[Cell, LearntLine] = {}
    for lines in several:
        for line in lines:
            known = found.get(line.cell, line)
            fewest, most = min(known.having[0], line.having[0]), max(known.having[1], line.having[1])
            found[line.cell] = line._replace(having=(fewest, most))
    return tuple(found.values())


def _merged(kept: Mapping[int, tuple[LearntLine, ...]], names: Mapping[int, str]) -> list[LearntTemplate]:
    """One template for all that says the same."""
    alike: dict[frozenset[tuple[Cell, Access]], list[int]] = {}
    for uid in sorted(kept, key=lambda one: names[one]):
        alike.setdefault(_statements(kept[uid]), []).append(uid)
    drafts: list[LearntTemplate] = []
    for uids in alike.values():
        lines = _together([kept[uid] for uid in uids])
        where = [names[uid] for uid in uids]
        drafts.append(
            LearntTemplate(
                template=Template(name=where[0], where=where, lines=[line.line for line in lines]), lines=lines
            )
        )
    return drafts


def _with_outliers(
    db: duckdb.DuckDBPyConnection, drafts: Sequence[LearntTemplate], *, now: datetime, today: date, timezone: str
) -> list[LearntTemplate]:
    """The drafts, with how much access they do not explain."""
    templates.join(db, [draft.template for draft in drafts], now=now, today=today, timezone=timezone)
    counts: dict[str, dict[str, int]] = {}
    for name, kind, count in db.execute(
        """SELECT template, coalesce(kind, 'unclear'), count(*) FROM joined_drift
           WHERE grant_uid IS NOT NULL GROUP BY ALL ORDER BY ALL"""
    ).fetchall():
        counts.setdefault(name, {})[kind] = count
    return [
        LearntTemplate(template=one.template, lines=one.lines, outliers=counts.get(one.template.name, {}))
        for one in drafts
    ]


def _count(db: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = db.execute(sql).fetchone()
    return int(row[0]) if row else 0
