"""One module per format that people or machines read."""
