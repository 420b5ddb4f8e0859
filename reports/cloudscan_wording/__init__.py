"""How findings are put into words: shared by reports and trackers."""
