"""SQL over published versions: the catalogue, the views of each, and queries that can do no harm."""
