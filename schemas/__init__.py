"""What the data is: rows, pairs, versions. Knows nothing of how a dataset is made."""

SCHEMA_VERSION = 1
"""Version of the published tables and of the manifest. A reader refuses a newer one."""
