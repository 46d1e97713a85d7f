"""What commands take: recipes, stores, versions, numbers, and where their result goes."""
