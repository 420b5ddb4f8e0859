"""What a snapshot says of permission templates as they are now: no scan is needed to try a new line."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from cloudscan.days import day_of
from cloudscan.facts import Access, Audience
from cloudscan.organisation import templates as joining
from cloudscan.organisation.only import Only, select
from cloudscan.organisation.patterns import written
from cloudscan.organisation.rows import create_over
from cloudscan.organisation.template import Template
from cloudscan.snapshot.snapshot import Snapshot, reading

UNCLEAR: Final = "unclear"
"""The drift of a grant where it could not be determined whether it is intended."""


_DRIFT: Final = f"""
    SELECT d.resource_uid AS top_uid, d.grant_uid, coalesce(d.kind, '{UNCLEAR}') AS drift, r.uid AS resource_uid,
           r.name AS resource_name, coalesce(nullif(p.email, ''), p.name, '') AS principal_name, g.audience, g.access,
           d.line, d.intended_access, d.people, g.granted_on
    FROM joined_drift AS d JOIN grants AS g ON g.uid = d.grant_uid
    JOIN resources AS r ON r.uid = g.resource_uid LEFT JOIN principals AS p ON p.uid = g.principal_uid
    ORDER BY r.path, drift, principal_name, g.uid"""


class Drifting(msgspec.Struct, frozen=True, kw_only=True):
    """A grant that is not as intended, or of which that could not be determined."""

    grant_uid: str
    drift: str  # wider, unlisted, stronger, expired, unclear
    resource_uid: str  # what it is given on
    resource_name: str
    principal_name: str  # address, or name; empty: nobody in particular
    audience: Audience | None
    access: Access | None
    line: str  # the line that comes nearest
    intended_access: str  # by that line
    people: int | None  # members of a group for whom it is not intended
    granted_on: datetime | None


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A folder, drive, site or bucket, and how access to it compares with its template."""

    resource_uid: str
    platform: str
    kind: str
    name: str
    path: str
    template: str
    also: Sequence[str]  # less specific templates that would fit
    drift: Sequence[Drifting]
    missing: Sequence[str]  # lines that nobody has access by


class Uncovered(msgspec.Struct, frozen=True, kw_only=True):
    """A drive, site or bucket with files that no template is for."""

    resource_uid: str
    platform: str
    kind: str
    name: str
    files: int
    size_bytes: int | None


class Nothing(msgspec.Struct, frozen=True, kw_only=True):
    """A pattern that names nothing."""

    template: str
    pattern: str


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, the most drift first."""

    resources: Sequence[Compared]
    without_template: Sequence[Uncovered]  # the most files first
    names_nothing: Sequence[Nothing]

    def count(self, *, unclear: bool) -> int:
        """The grants that are not as intended; or those of which that could not be determined."""
        return sum((one.drift == UNCLEAR) is unclear for each in self.resources for one in each.drift)


def check(snapshot: Snapshot, templates: Sequence[Template], timezone: str, only: Only | None = None) -> Check:
    """Compare a snapshot's access with templates, as on the day of its scan. With `only`: that part of the estate.

    A part is what it chooses, and what somebody of it has access to. Raises `ConfigurationError` for a part that is
    nothing, and `SnapshotError`.
    """
    db, now = snapshot.db, snapshot.scan.started_on
    with reading(snapshot.path):
        create_over(db, ("templates", "drift"))
        joining.join(db, templates, now=now, today=day_of(now, timezone), timezone=timezone)
        if not templates:
            return Check(resources=(), without_template=(), names_nothing=())
        if only:
            _narrow(snapshot, only)
        found = _compared(snapshot, templates)
    return Check(
        resources=sorted(found, key=lambda one: (-len(one.drift), one.path, one.resource_uid)),
        without_template=[
            Uncovered(**row)
            for row in _rows(
                snapshot,
                """SELECT d.resource_uid, r.platform, r.kind, r.name, d.files, d.size_bytes
                   FROM joined_drift AS d JOIN resources AS r ON r.uid = d.resource_uid
                   WHERE d.kind = 'no-template' ORDER BY d.files DESC, d.size_bytes DESC NULLS LAST, r.name""",
            )
        ],
        names_nothing=[]
        if only
        else [
            Nothing(**row)
            for row in _rows(
                snapshot,
                "SELECT name AS template, pattern FROM joined_templates WHERE matches = 0 ORDER BY name, pattern",
            )
        ],
    )


def _narrow(snapshot: Snapshot, only: Only) -> None:
    """Keep the drift of what is chosen, and of grants to whom is chosen."""
    select(snapshot.db, only)
    snapshot.db.execute(
        """DELETE FROM joined_drift AS d
           WHERE d.resource_uid NOT IN (SELECT uid FROM only_resources)
             AND coalesce(d.grant_uid NOT IN (
                     SELECT g.uid FROM grants AS g
                     WHERE g.principal_uid IN (SELECT uid FROM only_principals)
                        OR g.principal_uid IN (SELECT group_uid FROM members
                                               WHERE member_uid IN (SELECT uid FROM only_principals))), TRUE)
             AND NOT (d.kind IN ('as-intended', 'missing') AND d.resource_uid IN (
                     SELECT j.top_uid FROM judged AS j
                     WHERE j.principal_uid IN (SELECT uid FROM only_principals)
                        OR j.principal_uid IN (SELECT group_uid FROM members
                                               WHERE member_uid IN (SELECT uid FROM only_principals))))"""
    )


def _compared(snapshot: Snapshot, templates: Sequence[Template]) -> list[Compared]:
    drift: dict[str, list[Drifting]] = {}
    for row in _rows(
        snapshot,
        _DRIFT,
    ):
        top = row.pop("top_uid")
        drift.setdefault(top, []).append(msgspec.convert(row, Drifting))
    missing: dict[str, list[str]] = {}
    for row in _rows(
        snapshot, "SELECT resource_uid, line FROM joined_drift WHERE kind = 'missing' ORDER BY resource_uid, line"
    ):
        missing.setdefault(row["resource_uid"], []).append(row["line"])
    paths = written(
        snapshot.db, [uid for (uid,) in snapshot.db.execute("SELECT resource_uid FROM template_tops").fetchall()]
    )
    return [
        Compared(
            resource_uid=row["resource_uid"],
            platform=row["platform"],
            kind=row["kind"],
            name=row["name"],
            path=paths[row["top"]],
            template=templates[row["template"]].name,
            also=[templates[number].name for number in row["others"]],
            drift=drift.get(row["resource_uid"], ()),
            missing=missing.get(row["resource_uid"], ()),
        )
        for row in _rows(
            snapshot,
            """SELECT t.resource_uid, t.resource_uid AS top, r.platform, r.kind, r.name, t.template, t.others
               FROM template_tops AS t JOIN resources AS r ON r.uid = t.resource_uid
               WHERE t.resource_uid IN (SELECT resource_uid FROM joined_drift)""",
        )
    ]


def _rows(snapshot: Snapshot, sql: str) -> list[dict[str, Any]]:
    answer = snapshot.query(sql)
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
