"""Tables that a recipe can read. One file, one kind."""
