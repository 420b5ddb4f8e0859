"""What Microsoft's answers mean, in our words. Pure functions."""
