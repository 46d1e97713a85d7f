"""What judges said of a response becomes its score."""
