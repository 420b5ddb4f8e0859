"""Each address and each tracker remembers the last scan that it was told of.

Until now a scan was told to all addresses or to none. The last one that was told becomes the row without an id, which
stands for every address that has no row yet.
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

NOTIFICATIONS = sa.table("notifications", sa.column("scan_id"), sa.column("sent_on", sa.DateTime))


def upgrade() -> None:
    channels = op.create_table(
        "channels",
        sa.Column("kind", sa.String(20), primary_key=True),
        sa.Column("id", sa.String(100), primary_key=True),
        sa.Column("scan_id", sa.String(64), nullable=False),
        sa.Column("before_id", sa.String(64), nullable=False),
        sa.Column("informed_on", sa.DateTime),
        sa.Column("failing_since", sa.DateTime),
    )
    last = op.get_bind().execute(sa.select(NOTIFICATIONS).order_by(NOTIFICATIONS.c.sent_on.desc()).limit(1)).first()
    if last:
        row = {"kind": "address", "id": "", "scan_id": last.scan_id, "before_id": "", "informed_on": last.sent_on}
        op.bulk_insert(channels, [row])
    op.drop_table("notifications")


def downgrade() -> None:
    notifications = op.create_table(
        "notifications",
        sa.Column("scan_id", sa.String(64), primary_key=True),
        sa.Column("sent_on", sa.DateTime, nullable=False),
    )
    channels = sa.table("channels", *map(sa.column, ("kind", "scan_id", "informed_on")))
    told = sa.select(channels.c.scan_id, sa.func.max(channels.c.informed_on)).where(
        channels.c.kind == "address", channels.c.scan_id != "", channels.c.informed_on.is_not(None)
    )
    rows = op.get_bind().execute(told.group_by(channels.c.scan_id)).all()
    op.drop_table("channels")
    if rows:
        op.bulk_insert(notifications, [{"scan_id": scan_id, "sent_on": _moment(sent_on)} for scan_id, sent_on in rows])


def _moment(value: object) -> object:
    """SQLite gives the maximum of moments as text."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value
