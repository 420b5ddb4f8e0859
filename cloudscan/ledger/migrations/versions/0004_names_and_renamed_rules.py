"""Tables and columns get the names that they keep, and findings move to the new ids of renamed rules.

A fingerprint contains the rule's id, so that it changes with it. `renamed_fingerprints` remembers the old ones, which
tickets still show.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TABLES = (
    ("stretches", "exposure_periods"),
    ("accepted", "waiver_baselines"),
    ("outgrown", "waiver_widenings"),
    ("notices", "notifications"),
)
COLUMNS = (  # by the table's new name
    ("scans", "night", "figures"),
    ("events", "on_time", "happened_on"),
    ("revocations", "on_time", "happened_on"),
    ("waiver_baselines", "on_time", "happened_on"),
    ("waiver_widenings", "on_time", "happened_on"),
    ("waiver_widenings", "grown", "widened"),
    ("waivers", "place", "target"),
    ("tickets", "stamp", "marker_line"),
)
INDEXED = ("fingerprint", "from_on", "to_on")  # columns of exposure_periods
WITH_FINGERPRINT = ("events", "exposure_periods", "waivers", "waiver_baselines", "waiver_widenings")
RULES: Mapping[str, str] = {
    "drive-foreign-domain": "drive-external-domain",
    "drive-group-open-to-outsiders": "drive-group-open-to-externals",
    "drive-leaver-still-named": "drive-grant-to-former-employee",
    "drive-no-warning-before-sharing-outside": "drive-no-warning-before-external-sharing",
    "drive-outside-group": "drive-external-group",
    "drive-outsider-can-edit": "drive-external-can-edit",
    "drive-outsider-dormant": "drive-external-dormant",
    "drive-outsider-in-shared-drive": "drive-external-in-shared-drive",
    "drive-outsider-manages-shared-drive": "drive-external-manages-shared-drive",
    "drive-outsider-without-expiry": "drive-external-without-expiry",
    "drive-outsiders-may-move-content-out": "drive-external-move-out-allowed",
    "drive-own-persons-private-account": "drive-shared-with-own-private-account",
    "drive-owned-by-outsider": "drive-owned-by-external",
    "drive-owner-left-still-shared": "drive-former-owner-still-shared",
    "drive-receives-files-from-anybody": "drive-inbound-sharing-unrestricted",
    "drive-shared-drive-lets-non-members-in": "drive-shared-drive-non-members-allowed",
    "drive-shared-drive-lets-outsiders-in": "drive-shared-drive-externals-allowed",
    "drive-shared-drives-cannot-be-made": "drive-shared-drive-creation-disabled",
    "drive-sharing-with-everybody-allowed": "drive-sharing-with-anyone-allowed",
    "m365-anybody-may-invite-guests": "m365-guest-invites-unrestricted",
    "m365-anybody-may-share-outside": "m365-external-sharing-not-limited-to-groups",
    "m365-anyone-link-held-back": "m365-anyone-link-blocked",
    "m365-deleted-account-on-the-list": "m365-grant-to-deleted-account",
    "m365-disabled-account-holds-access": "m365-grant-to-disabled-account",
    "m365-foreign-application": "m365-third-party-application",
    "m365-group-holds-outsiders": "m365-group-contains-externals",
    "m365-guests-need-not-prove-themselves-again": "m365-email-code-reauth-too-rare",
    "m365-invitation-good-for-any-account": "m365-invitation-redeemable-by-any-account",
    "m365-leavers-onedrive-still-shared": "m365-former-employee-onedrive-still-shared",
    "m365-leaver-can-still-sign-in": "m365-former-employee-can-still-sign-in",
    "m365-links-for-anyone-need-not-expire": "m365-links-for-anyone-without-expiry-allowed",
    "m365-everyone-is-offered-in-the-picker": "m365-everyone-offered-in-people-picker",
    "m365-outsider-as-member": "m365-external-as-member",
    "m365-outsider-can-edit": "m365-external-can-edit",
    "m365-outsider-can-read": "m365-external-can-read",
    "m365-outsider-without-expiry": "m365-external-without-expiry",
    "m365-site-lets-links-live-for-ever": "m365-site-links-without-expiry-allowed",
    "s3-foreign-account": "s3-external-account",
    "s3-foreign-organisation": "s3-external-organisation",
    "s3-open-to-a-network": "s3-open-by-network-only",
}


_FIGURES = sa.text("UPDATE scans SET figures = REPLACE(figures, :old, :new) WHERE figures IS NOT NULL")  # is JSON


def upgrade() -> None:
    for old, new in TABLES:
        op.rename_table(old, new)
    for table, old, new in COLUMNS:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")
    _rename_indexes("stretches", "exposure_periods")
    renamed = op.create_table(
        "renamed_fingerprints",
        sa.Column("old_fingerprint", sa.String(64), primary_key=True),
        sa.Column("new_fingerprint", sa.String(64), nullable=False),
        sa.Column("old_rule_id", sa.String(200), nullable=False),
        sa.Column("new_rule_id", sa.String(200), nullable=False),
    )
    db = op.get_bind()
    db.execute(sa.text("UPDATE events SET reason = 'widened' WHERE reason = 'outgrown'"))
    db.execute(_FIGURES, {"old": '"places":', "new": '"subjects":'})
    rows = _rename_rules(db, RULES)
    if rows:
        op.bulk_insert(renamed, rows)


def downgrade() -> None:
    db = op.get_bind()
    _rename_rules(db, {new: old for old, new in RULES.items()})
    db.execute(sa.text("UPDATE events SET reason = 'outgrown' WHERE reason = 'widened'"))
    db.execute(_FIGURES, {"old": '"subjects":', "new": '"places":'})
    op.drop_table("renamed_fingerprints")
    _rename_indexes("exposure_periods", "stretches")
    for table, old, new in reversed(COLUMNS):
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {new} TO {old}")
    for old, new in reversed(TABLES):
        op.rename_table(new, old)


def _rename_indexes(old: str, new: str) -> None:
    """Called while the table is named exposure_periods. SQLite cannot rename an index."""
    for column in INDEXED:
        op.drop_index(f"ix_{old}_{column}", table_name="exposure_periods")
        op.create_index(f"ix_{new}_{column}", "exposure_periods", [column])


def _rename_rules(db: sa.Connection, rules: Mapping[str, str]) -> list[dict[str, str]]:
    """Give findings of renamed rules their new ids; the rows of `renamed_fingerprints`."""
    findings = sa.table("findings", *map(sa.column, ("fingerprint", "rule_id", "account", "verdict")))
    known = set(db.execute(sa.select(findings.c.fingerprint)).scalars())
    rows = []
    for row in db.execute(sa.select(findings).where(findings.c.rule_id.in_(rules))).all():
        verdict = json.loads(row.verdict)
        rule_id = rules[row.rule_id]
        fingerprint = _fingerprint(rule_id, row.account, verdict["identity"])
        if fingerprint in known:
            continue
        known.add(fingerprint)
        db.execute(
            sa.update(findings)
            .where(findings.c.fingerprint == row.fingerprint)
            .values(fingerprint=fingerprint, rule_id=rule_id, verdict=json.dumps(verdict | {"rule_id": rule_id}))
        )
        rows.append(
            {
                "old_fingerprint": row.fingerprint,
                "new_fingerprint": fingerprint,
                "old_rule_id": row.rule_id,
                "new_rule_id": rule_id,
            }
        )
    fingerprints = {row["old_fingerprint"]: row["new_fingerprint"] for row in rows}
    for name in WITH_FINGERPRINT:
        _replace(db, name, "fingerprint", fingerprints)
    _replace(db, "tickets", "marker", fingerprints)
    _replace(db, "waivers", "rule_id", rules)
    _rename_in_report(db, rules, fingerprints)
    return rows


def _replace(db: sa.Connection, table: str, column: str, values: Mapping[str, str]) -> None:
    target = sa.table(table, sa.column(column))
    if values:
        change = sa.update(target).where(target.c[column] == sa.bindparam("old")).values({column: sa.bindparam("new")})
        db.execute(change, [{"old": old, "new": new} for old, new in values.items()])


def _rename_in_report(db: sa.Connection, rules: Mapping[str, str], fingerprints: Mapping[str, str]) -> None:
    """The last scan's report is stored whole."""
    scans = sa.table("scans", sa.column("id"), sa.column("report", sa.LargeBinary))
    for row in db.execute(sa.select(scans).where(scans.c.report.is_not(None))).all():
        try:
            report = json.loads(zlib.decompress(row.report))
        except (zlib.error, ValueError):
            continue  # it cannot be read anyhow, which is reported where it is read
        for rule in report.get("rules", ()):
            rule["id"] = rules.get(rule["id"], rule["id"])
        for finding in report.get("findings", ()):
            finding["fingerprint"] = fingerprints.get(finding["fingerprint"], finding["fingerprint"])
            waiver = finding.get("waiver") or {}
            if "place" in waiver:
                waiver["target"] = waiver.pop("place")
        for verdict in _verdicts(report):
            verdict["rule_id"] = rules.get(verdict["rule_id"], verdict["rule_id"])
        content = zlib.compress(json.dumps(report).encode())
        db.execute(sa.update(scans).where(scans.c.id == row.id).values(report=content))


def _verdicts(report: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    yield from (finding["verdict"] for finding in report.get("findings", ()))
    yield from report.get("unknowns", ())


def _fingerprint(rule_id: str, account: str, identity: Iterable[str]) -> str:
    """`cloudscan.finding.fingerprint` under scheme 1, as it was when this migration was written."""
    parts = "\x1f".join(("1", rule_id, account, *identity))
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:32]
