SELECT scope_file, count(*) FROM staged_grants AS g
WHERE NOT EXISTS (SELECT 1 FROM resources AS r WHERE r.uid = g.resource_uid)
GROUP BY scope_file ORDER BY scope_file
