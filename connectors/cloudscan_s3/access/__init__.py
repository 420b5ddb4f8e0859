"""Who gets into a bucket: policies, ACLs and blocks evaluated as AWS does. Names no SDK; can be read by itself."""
