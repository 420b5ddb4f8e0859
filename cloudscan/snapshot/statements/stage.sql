-- Every line of the spool as a row. Ids become keys; their text is kept beside them for the table of ids.
SELECT * EXCLUDE ({uids}, filename, type, scope_file),
       {keyed_uids},
       coalesce(scope_file, parse_filename(filename)) AS scope_file,
       CASE WHEN type IN ({known_types}) THEN type ELSE 'malformed' END AS type
FROM read_json([{files}], format = 'newline_delimited', ignore_errors = true, filename = true, columns = {columns})
WHERE type IS DISTINCT FROM 'report'
