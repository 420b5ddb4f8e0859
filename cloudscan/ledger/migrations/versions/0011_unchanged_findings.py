"""A finding that a night saw unchanged keeps its row as it is: when it was last seen follows from the last scan.

A digest of its verdict tells whether it changed. That of a row from before is empty: the next scan writes it once. The
last report keeps its findings apart, without their verdicts: these are in the findings' own rows.
"""

import json
import zlib
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

FINDINGS = sa.table(
    "findings",
    *(sa.column(name) for name in ("fingerprint", "state", "verdict")),
    sa.column("verified", sa.Boolean),
    sa.column("last_seen_on", sa.DateTime),
)
SCANS = sa.table(
    "scans", *(sa.column(name) for name in ("id", "report", "findings")), sa.column("started_on", sa.DateTime)
)
LAST_SCAN = sa.select(sa.func.max(SCANS.c.started_on)).scalar_subquery()
UNRESOLVED = ("open", "reopened")


def upgrade() -> None:
    with op.batch_alter_table("findings") as findings:
        findings.add_column(sa.Column("digest", sa.String(32), nullable=False, server_default=""))
        findings.alter_column("last_seen_on", existing_type=sa.DateTime, nullable=True)
    op.add_column("scans", sa.Column("findings", sa.LargeBinary))
    last = (FINDINGS.c.state.in_(UNRESOLVED), FINDINGS.c.verified, FINDINGS.c.last_seen_on == LAST_SCAN)
    op.execute(sa.update(FINDINGS).where(*last).values(last_seen_on=None))
    for scan in _with_report():
        try:
            report = _unpacked(scan.report)
        except (zlib.error, ValueError):
            continue  # it cannot be read anyhow, which is reported where it is read
        findings = report.pop("findings")
        for finding in findings:
            finding.pop("verdict", None)
        _write(scan.id, _packed(report | {"findings": []}), _packed(findings))


def downgrade() -> None:
    verdicts = sa.select(FINDINGS.c.fingerprint, FINDINGS.c.verdict).where(FINDINGS.c.state.in_(UNRESOLVED))
    for scan in _with_report():
        of = {row.fingerprint: json.loads(row.verdict) for row in op.get_bind().execute(verdicts)}
        findings = [finding | {"verdict": of[finding["fingerprint"]]} for finding in _unpacked(scan.findings)]
        _write(scan.id, _packed(_unpacked(scan.report) | {"findings": findings}), None)
    op.execute(sa.update(FINDINGS).where(FINDINGS.c.last_seen_on.is_(None)).values(last_seen_on=LAST_SCAN))
    op.drop_column("scans", "findings")
    with op.batch_alter_table("findings") as table:
        table.alter_column("last_seen_on", existing_type=sa.DateTime, nullable=False)
        table.drop_column("digest")


def _with_report() -> list[Any]:
    query = sa.select(SCANS.c.id, SCANS.c.report, SCANS.c.findings).where(SCANS.c.report.is_not(None))
    return list(op.get_bind().execute(query))


def _write(scan_id: str, report: bytes, findings: bytes | None) -> None:
    op.execute(sa.update(SCANS).where(SCANS.c.id == scan_id).values(report=report, findings=findings))


def _unpacked(content: bytes) -> Any:
    return json.loads(zlib.decompress(content))


def _packed(value: object) -> bytes:
    return zlib.compress(json.dumps(value).encode())
