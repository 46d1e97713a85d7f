"""A build as tasks of Prefect: its shards, their shares of windows and budget, what is shown."""
