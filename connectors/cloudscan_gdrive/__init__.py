"""Google Drive: who can reach which file."""
