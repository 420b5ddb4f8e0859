"""What Kumo Logistics' administration hands over: exports of its personnel system, its register of partners."""
