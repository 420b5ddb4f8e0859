"""A page for each owner: what they have to fix, and nothing of other owners."""
