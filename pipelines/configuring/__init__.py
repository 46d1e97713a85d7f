"""From the TOML of a recipe to its tables: read, merged, checked, and faults in words."""
