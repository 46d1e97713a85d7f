"""Numbers for pairs that filters and selectors can go by. One file, one kind."""
