"""Who has access to a bucket: policies, ACLs and blocks evaluated as AWS does. Names no SDK and can be read by itself.

In reading order: `bucket` and `policy` (what S3 stores); `conditions` and `request` (what a policy decides about one
request); `policy_literals`, `callers` and `networks` (who could call, and from where); `request_search` (whether a
class of callers gets in); `path_finder` (whom a statement admits); `access_paths` (every path, through all layers).
"""
