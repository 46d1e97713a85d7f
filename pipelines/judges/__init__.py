"""Ways to judge responses. One file, one kind; its template stands beside it."""
