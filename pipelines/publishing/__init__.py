"""From kept pairs to an immutable version, and reading it back: store, catalogue, SQL."""
