"""When and from where pairwright runs: the command line and the recipes it ships."""
