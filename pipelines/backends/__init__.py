"""Ways to reach a model. One file, one kind."""
