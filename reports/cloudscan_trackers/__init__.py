"""Trackers and notifications that come with cloudscan, one module each."""
