"""Local stand-ins for the platforms, spoken to over HTTP. Strangers to the connectors that they stand in for."""
