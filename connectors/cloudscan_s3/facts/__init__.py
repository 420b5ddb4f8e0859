"""What is told of buckets and objects: facts, and the sentences that explain them."""
