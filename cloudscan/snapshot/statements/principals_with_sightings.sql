SELECT p.* REPLACE (greatest(p.last_seen_on, s.last_seen_on) AS last_seen_on)
FROM ({principals}) AS p
LEFT JOIN (
    SELECT principal_uid, max(last_seen_on) AS last_seen_on
    FROM staged_sightings GROUP BY principal_uid
) AS s ON s.principal_uid = p.uid
