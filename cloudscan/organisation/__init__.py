"""What the organisation knows and intends, joined with what the platforms say: people, partners, ranks, templates."""
