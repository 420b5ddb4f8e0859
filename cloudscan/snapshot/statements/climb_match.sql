-- An ancestor with the same grant of its own is the origin.
INSERT INTO origins
SELECT DISTINCT c.grant_uid, c.at_uid
FROM climbing AS c JOIN staged_grants AS g
  ON g.resource_uid = c.at_uid AND NOT g.inherited AND g.access = c.access
 AND g.principal_uid IS NOT DISTINCT FROM c.principal_uid
 AND g.audience IS NOT DISTINCT FROM c.audience
