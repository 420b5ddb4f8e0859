"""One module a format that people or machines read."""
