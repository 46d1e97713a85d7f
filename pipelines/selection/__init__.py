"""From judgments to kept pairs, table to table: scores, pairings, filters, selectors."""
