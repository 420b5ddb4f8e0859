"""The words for what the connector for Google Drive says of gaps and grants: see `cloudscan.reason`."""
