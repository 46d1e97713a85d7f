"""From scores to kept pairs, table to table: pairings, filters, selectors."""
