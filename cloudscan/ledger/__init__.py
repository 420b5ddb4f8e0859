"""What became of the judgements: findings, their lives, waivers, history."""
