SELECT min(uid_text), max(uid_text) FROM staged_{table} JOIN twice_{table} USING (uid)
GROUP BY uid HAVING min(uid_text) <> max(uid_text) LIMIT 1
