"""Reports and snapshots with keyed hashes in place of names."""
