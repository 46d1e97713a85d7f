"""Diversity: sets of responses that were drawn to differ, and how much they do."""
