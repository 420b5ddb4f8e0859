"""Since when something is closed of those who leave is remembered, longer than snapshots are kept."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "closings",
        sa.Column("item", sa.String(64), primary_key=True),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("since_on", sa.DateTime),
    )


def downgrade() -> None:
    op.drop_table("closings")
