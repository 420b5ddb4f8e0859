-- Grants without an origin so far go up one level.
CREATE OR REPLACE TEMP TABLE climbing AS
SELECT c.grant_uid, r.parent_uid AS at_uid, c.principal_uid, c.audience, c.access
FROM climbing AS c JOIN resources AS r ON r.uid = c.at_uid
WHERE r.parent_uid IS NOT NULL AND NOT EXISTS (SELECT 1 FROM origins AS o WHERE o.grant_uid = c.grant_uid)
