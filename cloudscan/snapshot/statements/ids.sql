-- The ids of things that facts mention but do not describe: those described have theirs in their own table.
SELECT DISTINCT key, uid FROM ({mentioned}) AS m
WHERE NOT EXISTS (
    SELECT 1 FROM (SELECT uid FROM resources UNION ALL SELECT uid FROM principals) AS k WHERE k.uid = m.key
)
