"""The ledger's tables. `cloudscan/ledger/migrations` creates them step by step; a test keeps the two in step."""

from typing import Final

import sqlalchemy as sa

HEAD: Final = "0011"
SCHEMA = sa.MetaData()

SCANS = sa.Table(
    "scans",
    SCHEMA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("started_on", sa.DateTime, nullable=False),
    sa.Column("finished_on", sa.DateTime, nullable=False),
    sa.Column("complete", sa.Boolean, nullable=False),
    sa.Column("snapshot", sa.Text, nullable=False),
    sa.Column("report", sa.LargeBinary),  # of the last scan only, without its findings: compressed JSON
    sa.Column("findings", sa.LargeBinary),  # of that report, without their verdicts: compressed JSON
    sa.Column("figures", sa.Text),  # `cloudscan.report.ScanFigures` as JSON
    sa.Column("basis", sa.Text),  # `cloudscan.ledger.basis.Basis` as JSON; NULL: an older cloudscan recorded it
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
    sa.Column("last_seen_on", sa.DateTime),  # NULL: in the last scan
    sa.Column("verdict", sa.Text, nullable=False),  # `cloudscan.finding.Verdict` as JSON
    sa.Column("waiver_id", sa.Integer),  # the waiver in force when it was last decided
    sa.Column("digest", sa.String(32), nullable=False, server_default=""),  # of the verdict; empty: not known
)
RENAMED_FINGERPRINTS = sa.Table(
    "renamed_fingerprints",  # of findings whose rule has a new id: tickets still show the old ones
    SCHEMA,
    sa.Column("old_fingerprint", sa.String(64), primary_key=True),
    sa.Column("new_fingerprint", sa.String(64), nullable=False),
    sa.Column("old_rule_id", sa.String(200), nullable=False),
    sa.Column("new_rule_id", sa.String(200), nullable=False),
)
EVENTS = sa.Table(
    "events",
    SCHEMA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("fingerprint", sa.String(64), nullable=False, index=True),
    sa.Column("scan_id", sa.String(64), nullable=False),  # or waiver-N, if a decision and not a scan was the cause
    sa.Column("happened_on", sa.DateTime, nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("waiver_id", sa.Integer),
    sa.Column("reason", sa.String(20), nullable=False, server_default=""),
    sa.Column("changed_by", sa.String(20), nullable=False, server_default=""),  # `cloudscan.report.ChangedBy`
    sa.UniqueConstraint("fingerprint", "scan_id", "kind"),
)
EXPOSURE_PERIODS = sa.Table(
    "exposure_periods",
    SCHEMA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("fingerprint", sa.String(64), nullable=False, index=True),
    sa.Column("from_on", sa.DateTime, nullable=False, index=True),  # start of the first scan of the period
    sa.Column("to_on", sa.DateTime, index=True),  # start of the first scan after it; NULL: the current period
    sa.Column("severity", sa.String(20)),
    sa.Column("waived", sa.Boolean, nullable=False),
    sa.Column("audience", sa.String(40)),
    sa.Column("access", sa.String(20)),
    sa.Column("resources", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger),
    sa.Column("people", sa.BigInteger),
    sa.Column("changed_by", sa.String(20), nullable=False, server_default=""),  # why its reach is another than before
    sa.UniqueConstraint("fingerprint", "from_on"),
)
WAIVERS = sa.Table(
    "waivers",
    SCHEMA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("rule_id", sa.String(200), nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("gap", sa.String(64), nullable=False, server_default=""),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("given_on", sa.DateTime, nullable=False),
    sa.Column("until", sa.Date, nullable=False),
)
REVOCATIONS = sa.Table(
    "revocations",
    SCHEMA,
    sa.Column("waiver_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("happened_on", sa.DateTime, nullable=False),
)
WAIVER_BASELINES = sa.Table(
    "waiver_baselines",
    SCHEMA,
    sa.Column("waiver_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("fingerprint", sa.String(64), primary_key=True),
    sa.Column("happened_on", sa.DateTime, nullable=False),
    sa.Column("reach", sa.Text, nullable=False),  # `cloudscan.reach.Reach` as JSON
)
WAIVER_WIDENINGS = sa.Table(
    "waiver_widenings",
    SCHEMA,
    sa.Column("waiver_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("fingerprint", sa.String(64), primary_key=True),
    sa.Column("happened_on", sa.DateTime, nullable=False),
    sa.Column("widened", sa.Text, nullable=False),  # what reaches further, as a JSON list
)
WAIVER_REVIEWS = sa.Table(
    "waiver_reviews",  # what was decided when somebody looked again; rows are only added
    SCHEMA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("subject", sa.Text, nullable=False),  # the uid of a row of the snapshot's table `waivers`
    sa.Column("decision", sa.String(20), nullable=False),  # `cloudscan.report.ReviewDecision`
    sa.Column("decided_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("until", sa.Date),  # the new last day, where it was shortened
    sa.Column("happened_on", sa.DateTime, nullable=False),
)
GAPS = sa.Table(
    "gaps",  # answers that scans lacked
    SCHEMA,
    sa.Column("gap", sa.String(64), primary_key=True),  # `cloudscan.coverage.Coverage.gap`
    sa.Column("first_seen_on", sa.DateTime, nullable=False),  # the first scan without the answer, of those in a row
    sa.Column("last_seen_on", sa.DateTime, nullable=False),
)
CLOSINGS = sa.Table(
    "closings",  # of what those who leave had: open or done, and since which scan
    SCHEMA,
    sa.Column("item", sa.String(64), primary_key=True),  # `cloudscan.checklist.item_key`
    sa.Column("state", sa.String(20), nullable=False),  # `cloudscan.checklist.ItemState`
    sa.Column("since_on", sa.DateTime),  # NULL: it was so when it was first looked at
)
TICKETS = sa.Table(
    "tickets",
    SCHEMA,
    sa.Column("tracker", sa.String(100), primary_key=True),
    sa.Column("marker", sa.String(64), primary_key=True),
    sa.Column("phase", sa.String(20), nullable=False),  # `cloudscan.tracker.TicketPhase`
    sa.Column("acted_on", sa.DateTime, nullable=False),
    sa.Column("key", sa.String(200), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("marker_line", sa.Text, nullable=False),  # `cloudscan.ticketing.marker_line`, as last written
    sa.Column("changes", sa.Integer, nullable=False),
)
PENDING_COMMENTS = sa.Table(
    "pending_comments",  # `cloudscan.ticketing.memory`
    SCHEMA,
    sa.Column("tracker", sa.String(100), primary_key=True),
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("comment_id", sa.String(100), primary_key=True),
    sa.Column("marker", sa.String(64), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("planned_on", sa.DateTime, nullable=False),
)
TICKET_TROUBLES = sa.Table(
    "ticket_troubles",  # what failed in the last run
    SCHEMA,
    sa.Column("tracker", sa.String(100), primary_key=True),
    sa.Column("id", sa.String(64), primary_key=True),  # a hash: names of people and keys may be in it
    sa.Column("since", sa.DateTime, nullable=False),
    sa.Column("runs", sa.Integer, nullable=False),
)
CHANNELS = sa.Table(
    "channels",  # who is told of scans
    SCHEMA,
    sa.Column("kind", sa.String(20), primary_key=True),  # `cloudscan.channel.ChannelKind`
    sa.Column("id", sa.String(100), primary_key=True),  # a tracker's name, or a keyed hash of an address
    sa.Column("scan_id", sa.String(64), nullable=False),  # the last scan that it was told of; empty: none
    sa.Column("before_id", sa.String(64), nullable=False),  # the one before that
    sa.Column("informed_on", sa.DateTime),
    sa.Column("failing_since", sa.DateTime),
)
