"""What Google's answers mean as facts. Pure functions."""
