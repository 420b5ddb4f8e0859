"""Who has access to a bucket: policies, ACLs and blocks evaluated as AWS does. Names no SDK and can be read by itself.

In reading order: `bucket` and `policy` (what S3 stores); `conditions` and `request` (what a policy decides about one
request); `texts`, `forms` and `shapes` (sets of values, and the forms that real ones have); `callers` and `networks`
(who could call, and from where); `members` and `request_search` (whether one of a set of callers gets in, or that none
does); `path_finder` (whom a statement admits); `access_paths` (every path, through all layers).
"""
