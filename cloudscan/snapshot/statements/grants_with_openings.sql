SELECT g.* REPLACE (
    coalesce(g.granted_on, o.granted_on) AS granted_on,
    CASE WHEN coalesce(o.granted_by, '') = '' THEN g.detail
         ELSE json_merge_patch(json_object('granted_by', o.granted_by), coalesce(g.detail, '{}'))
    END AS detail
)
FROM ({grants}) AS g
LEFT JOIN (
    SELECT resource_uid, principal_uid, max(granted_on) AS granted_on,
           max_by(granted_by, (granted_on, coalesce(granted_by, ''))) AS granted_by
    FROM staged_openings GROUP BY resource_uid, principal_uid
) AS o ON o.resource_uid = g.origin_uid AND o.principal_uid IS NOT DISTINCT FROM g.principal_uid
      AND g.audience IS NOT NULL
