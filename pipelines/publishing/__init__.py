"""From kept pairs to an immutable version in the store: its files, manifest and card."""
