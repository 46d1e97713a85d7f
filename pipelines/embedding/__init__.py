"""Texts as points, for selectors that look at how a set is spread."""
