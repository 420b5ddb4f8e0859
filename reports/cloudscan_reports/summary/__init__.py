"""What the first page says: figures, ranking, charts, roadmap."""
