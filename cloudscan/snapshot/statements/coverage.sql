SELECT {scope_key} AS scope_uid, scope_uid AS scope_text, scope_name, platform, account, "table" AS table_name, outcome,
       coalesce(gap, '') AS gap, coalesce(question, '') AS question,
       coalesce(CASE json_type(reason) WHEN 'OBJECT' THEN reason ->> '$.code' ELSE reason ->> '$' END, '') AS reason,
       reason AS reason_record, hides, coalesce(needs, '') AS needs,
       {resource_key} AS resource_uid, resource_uid AS resource_text,
       seen, total, coalesce(facts, 0) AS facts, coalesce(requests, 0) AS requests
FROM read_json({file}, format = 'newline_delimited', columns = {columns})
