"""Where an estate is too large for one machine: reading and judging it on a Spark cluster that is there already."""
