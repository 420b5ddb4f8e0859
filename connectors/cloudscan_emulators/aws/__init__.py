"""AWS: moto over HTTP, with faults on demand, and the demo company's buckets."""
