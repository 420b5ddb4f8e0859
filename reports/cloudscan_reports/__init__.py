"""The formats in which cloudscan writes a report down. Each receives a `Report` and nothing else."""
