"""The tables and views of one version, open for the queries of the report."""

from types import TracebackType
from typing import Any, Self

import duckdb

from pipelines.publishing.reading import reading
from pipelines.publishing.versions import Version
from pipelines.querying.version_schema import add_schema

Row = dict[str, Any]
"""Column -> value."""

MEMORY = "1GB"


class Tables:
    """Asks the views of a version, as `pairwright sql` does."""

    def __init__(self, version: Version) -> None:
        """Opens it. One thread: sums of floats come out the same every time."""
        self._version = version
        self._connection = duckdb.connect(config={"threads": 1, "memory_limit": MEMORY})
        self._connection.execute("SET parquet_metadata_cache = true")
        add_schema(self._connection, "version", version)
        self._connection.execute("USE version")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def rows(self, query: str, **values: str) -> list[Row]:
        """The rows of a query with `$NAME` for `values`. Raises StoreError for unreadable files."""
        with reading(self._version):
            found = self._connection.sql(query, params=values or None)
            return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
