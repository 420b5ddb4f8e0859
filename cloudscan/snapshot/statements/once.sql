-- Every fact once. Of several versions of one thing the one with the most values wins, then the one that admits more
-- people, then the same one every time.
SELECT * FROM staged_{table} AS s WHERE NOT EXISTS (SELECT 1 FROM twice_{table} AS t WHERE t.uid = s.uid)
UNION ALL
SELECT * FROM (
    SELECT * FROM staged_{table} AS s WHERE EXISTS (SELECT 1 FROM twice_{table} AS t WHERE t.uid = s.uid)
    QUALIFY row_number() OVER (PARTITION BY uid ORDER BY {values} DESC, {widest} md5(CAST(s AS VARCHAR))) = 1
)
