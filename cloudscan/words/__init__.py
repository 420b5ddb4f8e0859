"""The words for what the core says of gaps: see `cloudscan.reason`."""
