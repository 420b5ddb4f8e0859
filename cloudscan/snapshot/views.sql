-- What rules read beside the facts themselves. Sealing computes these once; rule examples and the live preview use
-- the views. They need the tables resources, principals, grants and memberships, with keys for ids.

CREATE VIEW members AS
WITH RECURSIVE closure (group_uid, member_uid) AS (
    SELECT group_uid, member_uid FROM memberships
    UNION -- not UNION ALL: groups that contain each other must come to an end
    SELECT closure.group_uid, memberships.member_uid
    FROM closure JOIN memberships ON memberships.group_uid = closure.member_uid
)
SELECT group_uid, member_uid FROM closure;

CREATE VIEW exposures AS
SELECT
    r.uid AS resource_uid,
    r.kind AS resource_kind,
    r.name AS resource_name,
    r.path AS resource_path,
    r.platform,
    r.account,
    r.parent_uid,
    r.container_uid,
    r.owner_uid,
    o.email AS owner_email,
    o.status AS owner_status,
    r.label,
    r.rank,
    r.size_bytes,
    r.created_on,
    r.modified_on,
    r.url,
    r.detail AS resource_detail,
    g.uid AS grant_uid,
    coalesce(g.origin_uid, r.uid) AS origin_uid,
    g.inherited,
    g.principal_uid,
    p.kind AS principal_kind,
    p.email AS principal_email,
    p.name AS principal_name,
    p.domain AS principal_domain,
    p.affiliation AS principal_affiliation,
    p.status AS principal_status,
    CASE WHEN g.uid IS NULL THEN 'nobody'::audience_ladder ELSE g.audience END AS audience,
    g.access,
    g.via,
    g.discoverable,
    g.expires_on,
    g.password,
    g.granted_on,
    CASE WHEN g.uid IS NULL THEN TRUE ELSE g.effective END AS effective,
    CASE WHEN g.uid IS NULL THEN '' ELSE g.blocked_by END AS blocked_by,
    g.detail AS grant_detail
FROM resources AS r
LEFT JOIN grants AS g ON g.resource_uid = r.uid
LEFT JOIN principals AS p ON p.uid = g.principal_uid
LEFT JOIN principals AS o ON o.uid = r.owner_uid;
