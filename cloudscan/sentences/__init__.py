"""The core's sentences in other languages than English: see `cloudscan.sentence`."""
