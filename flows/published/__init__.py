"""What commands look up in a published version, by SQL over its files."""
