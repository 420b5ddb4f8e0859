"""Tickets remember how often they were written, which comments about them are still due, and what failed."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("tickets", sa.Column("changes", sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "pending_comments",
        sa.Column("tracker", sa.String(100), primary_key=True),
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("comment_id", sa.String(100), primary_key=True),
        sa.Column("marker", sa.String(64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("planned_on", sa.DateTime, nullable=False),
    )
    op.create_table(
        "ticket_troubles",
        sa.Column("tracker", sa.String(100), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("since", sa.DateTime, nullable=False),
        sa.Column("runs", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("ticket_troubles")
    op.drop_table("pending_comments")
    with op.batch_alter_table("tickets") as table:
        table.drop_column("changes")
