"""The ledger's tables. `cloudscan/migrations` makes them step by step; a test holds the two together."""

from typing import Final

import sqlalchemy as sa

HEAD: Final = "0003"
SCHEMA = sa.MetaData()

SCANS = sa.Table(
    "scans",
    SCHEMA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("started_on", sa.DateTime, nullable=False),
    sa.Column("finished_on", sa.DateTime, nullable=False),
    sa.Column("complete", sa.Boolean, nullable=False),
    sa.Column("snapshot", sa.Text, nullable=False),
    sa.Column("report", sa.LargeBinary),  # of the last scan only, compressed
    sa.Column("night", sa.Text),  # `cloudscan.ledger.history.Night`
)
FINDINGS = sa.Table(
    "findings",
    SCHEMA,
    sa.Column("fingerprint", sa.String(64), primary_key=True),
    sa.Column("rule_id", sa.String(200), nullable=False, index=True),
    sa.Column("platform", sa.String(50), nullable=False),
    sa.Column("account", sa.String(200), nullable=False),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("verified", sa.Boolean, nullable=False),
    sa.Column("first_seen_on", sa.DateTime, nullable=False),
    sa.Column("last_seen_on", sa.DateTime, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("waiver_id", sa.Integer),  # the waiver that held when it was last decided
)
EVENTS = sa.Table(
    "events",
    SCHEMA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("fingerprint", sa.String(64), nullable=False, index=True),
    sa.Column("scan_id", sa.String(64), nullable=False),  # or waiver-N, where a decision and not a scan was the cause
    sa.Column("on_time", sa.DateTime, nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("waiver_id", sa.Integer),
    sa.Column("reason", sa.String(20), nullable=False, server_default=""),
    sa.UniqueConstraint("fingerprint", "scan_id", "kind"),
)
STRETCHES = sa.Table(
    "stretches",
    SCHEMA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("fingerprint", sa.String(64), nullable=False, index=True),
    sa.Column("from_on", sa.DateTime, nullable=False, index=True),  # when the first scan began that saw it so
    sa.Column("to_on", sa.DateTime, index=True),  # when the first scan began that did not; NULL: it goes on
    sa.Column("severity", sa.String(20)),
    sa.Column("waived", sa.Boolean, nullable=False),
    sa.Column("audience", sa.String(40)),
    sa.Column("access", sa.String(20)),
    sa.Column("resources", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger),
    sa.Column("people", sa.BigInteger),
    sa.UniqueConstraint("fingerprint", "from_on"),
)
WAIVERS = sa.Table(
    "waivers",
    SCHEMA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("rule_id", sa.String(200), nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("given_on", sa.DateTime, nullable=False),
    sa.Column("until", sa.Date, nullable=False),
)
REVOCATIONS = sa.Table(
    "revocations",
    SCHEMA,
    sa.Column("waiver_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("on_time", sa.DateTime, nullable=False),
)
ACCEPTED = sa.Table(
    "accepted",
    SCHEMA,
    sa.Column("waiver_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("fingerprint", sa.String(64), primary_key=True),
    sa.Column("on_time", sa.DateTime, nullable=False),
    sa.Column("reach", sa.Text, nullable=False),  # `cloudscan.reach.Reach`
)
OUTGROWN = sa.Table(
    "outgrown",
    SCHEMA,
    sa.Column("waiver_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("fingerprint", sa.String(64), primary_key=True),
    sa.Column("on_time", sa.DateTime, nullable=False),
    sa.Column("grown", sa.Text, nullable=False),  # what reaches further, as a JSON list
)
TICKETS = sa.Table(
    "tickets",
    SCHEMA,
    sa.Column("tracker", sa.String(100), primary_key=True),
    sa.Column("marker", sa.String(64), primary_key=True),
    sa.Column("phase", sa.String(20), nullable=False),  # `cloudscan.ticketing.plan.Phase`
    sa.Column("acted_on", sa.DateTime, nullable=False),
    sa.Column("key", sa.String(200), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("stamp", sa.Text, nullable=False),  # `cloudscan.stamp.line` as last written, a digest of the text in it
)
NOTICES = sa.Table(
    "notices",
    SCHEMA,
    sa.Column("scan_id", sa.String(64), primary_key=True),
    sa.Column("sent_on", sa.DateTime, nullable=False),
)
