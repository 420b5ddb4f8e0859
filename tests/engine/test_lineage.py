"""What a rule rests on: the columns that decide, not those that are shown."""

import pytest

from cloudscan.snapshot.lineage import lineage

FILES = "FROM exposures AS e WHERE e.platform = 'toy'"
ALWAYS = {"resources.uid", "resources.platform", "grants.uid"}


def rests_on(sql: str, *identity: str) -> set[str]:
    """The base columns, as ``table.column`` or ``table.detail:key``."""
    found = lineage(sql, identity).rests_on
    return {f"{one.table}.{one.column}" + (f":{one.key}" if one.key else "") for one in found}


@pytest.mark.parametrize(
    ("sql", "more"),
    [
        (f"SELECT e.resource_uid, e.owner_email, e.url, e.audience = 'owner' AS flagged {FILES}", {"grants.audience"}),
        (
            f"SELECT e.resource_uid, e.principal_affiliation = 'external' AS flagged {FILES}",
            {"principals.affiliation", "grants.principal_uid"},
        ),
        (
            f"SELECT e.resource_uid, JSON_EXTRACT_STRING(e.grant_detail, '$.claim') = 'x' AS flagged {FILES}",
            {"grants.detail:claim"},
        ),
        (
            "SELECT e.resource_uid, o.name, e.effective AS flagged FROM exposures AS e "
            "LEFT JOIN resources AS o ON o.uid = e.origin_uid WHERE e.platform = 'toy'",
            {"grants.effective"},
        ),
        (
            "SELECT e.resource_uid, o.label <> '' AS flagged FROM exposures AS e "
            "LEFT JOIN resources AS o ON o.uid = e.origin_uid WHERE e.platform = 'toy'",
            {"resources.label", "grants.origin_uid"},
        ),
        (
            "SELECT e.resource_uid, TRUE AS flagged FROM exposures AS e "
            "JOIN members AS m ON m.group_uid = e.principal_uid WHERE e.platform = 'toy'",
            {"memberships.group_uid", "memberships.member_uid", "grants.principal_uid"},
        ),
        (
            f"SELECT e.resource_uid, TRUE AS flagged {FILES} AND NOT EXISTS "
            "(SELECT 1 FROM activity AS a WHERE a.resource_uid = e.resource_uid AND a.day > $as_of)",
            {"activity.resource_uid", "activity.day"},
        ),
        (
            "SELECT e.resource_uid, s.value = 'true' AND l.value = '0' AS flagged FROM exposures AS e "
            "LEFT JOIN settings AS s ON s.scope_uid = e.resource_uid AND s.name IN ('website', 'web') "
            "LEFT JOIN settings AS l ON l.scope_uid = e.resource_uid WHERE e.platform = 'toy'",
            {
                "settings.scope_uid",
                "settings.name",
                "settings.value:website",
                "settings.value:web",
                "settings.value",
            },
        ),
        (
            "WITH c AS (SELECT i.origin_uid, COUNT(*) AS files, MAX(i.rank) AS top FROM exposures AS i "
            "WHERE i.inherited GROUP BY i.origin_uid) "
            "SELECT e.resource_uid, c.top, c.files > 3 AS flagged FROM exposures AS e "
            "LEFT JOIN c ON c.origin_uid = e.resource_uid WHERE e.platform = 'toy'",
            {"grants.origin_uid", "grants.inherited"},
        ),
    ],
)
def test_a_verdict_rests_on_what_decides(sql: str, more: set[str]) -> None:
    """Shown columns, and joins that only add them, do not count; conditions, nested queries and views do."""
    assert rests_on(sql, "resource_uid") == ALWAYS | more


def test_an_identity_column_has_an_origin() -> None:
    """The base column that it shows; none where it is computed."""
    sql = f"SELECT e.origin_uid, LOWER(e.principal_domain) AS domain, TRUE AS flagged {FILES}"

    first, second = lineage(sql, ("origin_uid", "domain")).subjects

    assert first is not None
    assert (first.table, first.column) == ("grants", "origin_uid")
    assert second is None
    assert {"grants.origin_uid", "principals.domain"} <= rests_on(sql, "origin_uid", "domain")
