"""What Microsoft's answers mean as facts. Pure functions."""
