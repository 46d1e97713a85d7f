"""Formats that trainers read. One file, one kind."""
