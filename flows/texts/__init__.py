"""What commands print: each page or part of one is a module, which is given what it says."""
