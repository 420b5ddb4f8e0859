-- Which columns, by number, have keys of things that facts do not describe.
SELECT DISTINCT number FROM ({keys}) AS m
WHERE NOT EXISTS (
    SELECT 1 FROM (SELECT uid FROM resources UNION ALL SELECT uid FROM principals) AS k WHERE k.uid = m.key
)
