"""Scans, findings and the events of their lives."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "scans",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("started_on", sa.DateTime, nullable=False),
        sa.Column("finished_on", sa.DateTime, nullable=False),
        sa.Column("complete", sa.Boolean, nullable=False),
        sa.Column("snapshot", sa.Text, nullable=False),
        sa.Column("report", sa.LargeBinary),
    )
    op.create_table(
        "findings",
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("rule_id", sa.String(200), nullable=False, index=True),
        sa.Column("platform", sa.String(50), nullable=False),
        sa.Column("account", sa.String(200), nullable=False),
        sa.Column("state", sa.String(20), nullable=False, index=True),
        sa.Column("verified", sa.Boolean, nullable=False),
        sa.Column("first_seen_on", sa.DateTime, nullable=False),
        sa.Column("last_seen_on", sa.DateTime, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("fingerprint", sa.String(64), nullable=False, index=True),
        sa.Column("scan_id", sa.String(64), nullable=False),
        sa.Column("on_time", sa.DateTime, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.UniqueConstraint("fingerprint", "scan_id", "kind"),
    )


def downgrade() -> None:
    for table in ("events", "findings", "scans"):
        op.drop_table(table)
