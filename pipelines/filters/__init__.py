"""Row-by-row predicates. One file, one kind."""
