-- Every line of the spool as a row, ids as text.
SELECT * EXCLUDE ({packed}, filename, type, scope_file),
       CASE WHEN type NOT IN ({many}) THEN to_json(struct_pack({more})) END AS more,
       coalesce(scope_file, parse_filename(filename)) AS scope_file,
       CASE WHEN type IN ({known_types}) THEN type ELSE 'malformed' END AS type
FROM read_json([{files}], format = 'newline_delimited', ignore_errors = true, filename = true, columns = {columns})
WHERE type IS DISTINCT FROM 'report'
