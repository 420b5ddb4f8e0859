-- Inherited grants that name no origin, each at the parent of its resource.
CREATE TEMP TABLE climbing AS
SELECT g.uid AS grant_uid, r.parent_uid AS at_uid, g.principal_uid, g.audience, g.access
FROM staged_grants AS g JOIN resources AS r ON r.uid = g.resource_uid
WHERE g.inherited AND g.origin_uid_text IS NULL AND r.parent_uid IS NOT NULL
