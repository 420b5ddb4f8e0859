"""Missing answers are remembered from scan to scan, and can be waived."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "gaps",
        sa.Column("gap", sa.String(64), primary_key=True),
        sa.Column("first_seen_on", sa.DateTime, nullable=False),
        sa.Column("last_seen_on", sa.DateTime, nullable=False),
    )
    op.add_column("waivers", sa.Column("gap", sa.String(64), nullable=False, server_default=""))


def downgrade() -> None:
    op.execute("DELETE FROM waivers WHERE gap <> ''")
    op.drop_column("waivers", "gap")
    op.drop_table("gaps")
