SELECT s.* REPLACE (coalesce(s.origin_uid, o.origin_uid, s.resource_uid) AS origin_uid)
FROM ({grants}) AS s LEFT JOIN origins AS o ON o.grant_uid = s.uid
