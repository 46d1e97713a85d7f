"""The tables of a published version, open for queries."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import duckdb

from pipelines.errors import StoreError
from schemas.tables import PUBLISHED

if TYPE_CHECKING:
    from pipelines.publishing.versions import Version


class PublishedTables:
    """Asks some tables of one version, which are views over its Parquet files."""

    def __init__(self, version: "Version", *tables: str) -> None:
        # each thread would hold a row group of texts, to show three pairs
        self._connection = duckdb.connect(config={"threads": 1})
        self._ref = version.ref
        for table in tables:
            files = list(map(str, version.files(table)))
            with self._errors():
                self._relation(table, files).create_view(table)

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query with named parameters. Raises StoreError."""
        with self._errors():
            return self._connection.execute(query, values).fetchall()

    def rows_of(self, query: str, ids: Sequence[str], **values: Any) -> list[tuple[Any, ...]]:
        """As `rows`, of a query with `IN ids`: each id is a parameter, by which files are skipped."""
        if not ids:
            return []
        named = {f"id_{number}": one for number, one in enumerate(ids)}
        listed = ", ".join(f"${name}" for name in named)
        return self.rows(query.replace("IN ids", f"IN ({listed})"), **named, **values)

    def _relation(self, table: str, files: list[str]) -> duckdb.DuckDBPyRelation:
        if not files:
            return self._connection.from_arrow(PUBLISHED[table].empty_table())
        rows = self._connection.read_parquet(files)
        later = [name for name in PUBLISHED[table].names if name not in rows.columns]
        return rows.project(", ".join(["*", *(f'NULL AS "{name}"' for name in later)]))

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            raise StoreError(f"{self._ref}: {error}. `pairwright verify {self._ref}`") from error
