"""Reusing: the evidence of an earlier version in the place of reading and replaying."""
