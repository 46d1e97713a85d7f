"""A call is made once and paid once: the in-flight window, retries, and the ledger."""
