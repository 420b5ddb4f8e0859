"""Who works here, as the organisation's own list says: read, cleaned and judged against a day."""
