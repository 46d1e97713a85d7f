"""What judges share: templates, fences around candidates, and reading what is said."""
