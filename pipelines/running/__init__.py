"""Units are run: shards of them, round by round, each one sampled, sifted and judged."""
