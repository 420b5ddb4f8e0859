"""The words for what the connector for Amazon S3 says of gaps and grants: see `cloudscan.reason`."""
