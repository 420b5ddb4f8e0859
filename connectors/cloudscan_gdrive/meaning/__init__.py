"""What Google's answers mean, in our words. Pure functions."""
