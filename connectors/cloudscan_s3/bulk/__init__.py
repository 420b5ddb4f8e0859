"""What is known of buckets without asking about each: AWS Config's items, by an aggregator or from its snapshots."""
