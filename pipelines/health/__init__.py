"""What may be wrong with an installation, a store or a recipe, and what helps."""
