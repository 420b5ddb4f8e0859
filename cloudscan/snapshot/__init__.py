"""What we saw: from a connector's facts to sealed tables that rules and queries read."""
