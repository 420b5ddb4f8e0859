"""Every declared question, answered in every wrong way, night after night, into the ledger."""
