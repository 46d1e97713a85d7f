"""The commands of `pairwright`. One file, one command; its docstring is its help text."""
