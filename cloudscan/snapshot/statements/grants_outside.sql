SELECT count(*) FROM grants AS g WHERE NOT EXISTS (SELECT 1 FROM resources AS r WHERE r.uid = g.resource_uid)
