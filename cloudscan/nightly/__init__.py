"""What a night does: scan, schedule, health, metrics, logs, retention."""
