"""Ways to set responses against each other. One file, one kind."""
