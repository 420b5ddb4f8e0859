"""A page for each owner: what they alone have to put right."""
