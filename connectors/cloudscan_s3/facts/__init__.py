"""The facts about buckets and objects, and the sentences that explain them."""
