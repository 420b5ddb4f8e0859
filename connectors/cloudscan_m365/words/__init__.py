"""The words for what the connector for Microsoft 365 says of gaps and grants: see `cloudscan.reason`."""
