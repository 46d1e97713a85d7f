"""Searched trees of a version: read, and drawn for a terminal and as a picture."""
