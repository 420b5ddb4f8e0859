"""Waivers, and how each finding stood from scan to scan.

The stretches of older scans are told from their events; how far a finding reached then is taken from what is known
of it now.
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("scans", sa.Column("night", sa.Text))
    op.add_column("findings", sa.Column("waiver_id", sa.Integer))
    op.add_column("events", sa.Column("waiver_id", sa.Integer))
    op.add_column("events", sa.Column("reason", sa.String(20), nullable=False, server_default=""))
    stretches = op.create_table(
        "stretches",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("fingerprint", sa.String(64), nullable=False, index=True),
        sa.Column("from_on", sa.DateTime, nullable=False, index=True),
        sa.Column("to_on", sa.DateTime, index=True),
        sa.Column("severity", sa.String(20)),
        sa.Column("waived", sa.Boolean, nullable=False),
        sa.Column("audience", sa.String(40)),
        sa.Column("access", sa.String(20)),
        sa.Column("resources", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger),
        sa.Column("people", sa.BigInteger),
        sa.UniqueConstraint("fingerprint", "from_on"),
    )
    op.create_table(
        "waivers",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("rule_id", sa.String(200), nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("given_on", sa.DateTime, nullable=False),
        sa.Column("until", sa.Date, nullable=False),
    )
    op.create_table(
        "revocations",
        sa.Column("waiver_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("on_time", sa.DateTime, nullable=False),
    )
    op.create_table(
        "accepted",
        sa.Column("waiver_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("on_time", sa.DateTime, nullable=False),
        sa.Column("reach", sa.Text, nullable=False),
    )
    op.create_table(
        "outgrown",
        sa.Column("waiver_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("on_time", sa.DateTime, nullable=False),
        sa.Column("grown", sa.Text, nullable=False),
    )
    if rows := _told_by_events(op.get_bind()):
        op.bulk_insert(stretches, rows)


def downgrade() -> None:
    for table in ("outgrown", "accepted", "revocations", "waivers", "stretches"):
        op.drop_table(table)
    for table, column in (("events", "reason"), ("events", "waiver_id"), ("findings", "waiver_id"), ("scans", "night")):
        op.drop_column(table, column)


def _told_by_events(db: sa.Connection) -> list[dict[str, Any]]:
    findings = sa.table("findings", sa.column("fingerprint", sa.String), sa.column("verdict", sa.Text))
    events = sa.table(
        "events",
        sa.column("id", sa.Integer),
        sa.column("fingerprint", sa.String),
        sa.column("on_time", sa.DateTime),
        sa.column("kind", sa.String),
    )
    verdicts = {row.fingerprint: json.loads(row.verdict) for row in db.execute(sa.select(findings))}
    rows: list[dict[str, Any]] = []
    standing: dict[str, dict[str, Any]] = {}
    for event in db.execute(sa.select(events).order_by(events.c.id)):
        if event.kind == "resolved":
            if event.fingerprint in standing:
                standing.pop(event.fingerprint)["to_on"] = event.on_time
            continue
        verdict = verdicts.get(event.fingerprint, {})
        standing[event.fingerprint] = {
            "fingerprint": event.fingerprint,
            "from_on": event.on_time,
            "to_on": None,
            "severity": None,
            "waived": False,
            "resources": verdict.get("resources", 1),
            **{name: verdict.get(name) for name in ("audience", "access", "bytes", "people")},
        }
        rows.append(standing[event.fingerprint])
    return rows
