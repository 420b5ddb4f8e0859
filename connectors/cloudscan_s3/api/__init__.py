"""Requests to AWS: clients, the permission that each request needs, inventories."""
