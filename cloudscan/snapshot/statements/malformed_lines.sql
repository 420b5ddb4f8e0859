SELECT scope_file, count(*) FROM stage WHERE type = 'malformed' GROUP BY ALL ORDER BY ALL
