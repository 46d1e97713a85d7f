"""Choices among the pairs. One file, one kind."""
