"""The wording of findings, shared by reports and trackers."""
