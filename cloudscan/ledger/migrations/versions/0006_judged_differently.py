"""Each scan remembers what it was judged by, each change whether the estate changed or only the judgement."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("scans", sa.Column("basis", sa.Text))
    for table in ("events", "exposure_periods"):
        op.add_column(table, sa.Column("changed_by", sa.String(20), nullable=False, server_default=""))


def downgrade() -> None:
    for table in ("exposure_periods", "events"):
        op.drop_column(table, "changed_by")
    op.drop_column("scans", "basis")
