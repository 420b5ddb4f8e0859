"""Who has access to a bucket: policies, ACLs and blocks evaluated as AWS does. Names no SDK; readable by itself."""
