"""The sentences of this package in other languages than English: see `cloudscan.sentence`."""
