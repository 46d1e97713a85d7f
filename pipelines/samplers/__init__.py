"""Ways to draw candidate responses. One file, one kind."""
