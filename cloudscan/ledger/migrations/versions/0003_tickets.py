"""Which ticket stands for which finding, and which scans were told of."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "tickets",
        sa.Column("tracker", sa.String(100), primary_key=True),
        sa.Column("marker", sa.String(64), primary_key=True),
        sa.Column("phase", sa.String(20), nullable=False),
        sa.Column("acted_on", sa.DateTime, nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("stamp", sa.Text, nullable=False),
    )
    op.create_table(
        "notices",
        sa.Column("scan_id", sa.String(64), primary_key=True),
        sa.Column("sent_on", sa.DateTime, nullable=False),
    )


def downgrade() -> None:
    for table in ("notices", "tickets"):
        op.drop_table(table)
