"""Google Drive and its company: what the connector reads."""
