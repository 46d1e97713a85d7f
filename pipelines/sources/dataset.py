"""A published version of another dataset: the next round starts from what the last one made.

    [sources.turns]
    kind = "dataset"
    dataset = "first_turn"       # or "first_turn@2"
    query = "SELECT ... FROM responses JOIN prompts USING (prompt_id) ..."

It is read from the store that the build goes into. The query sees the tables and views that
`pairwright sql --dataset NAME` shows, and nothing else.
"""

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import model_validator

from pipelines.errors import nearest
from pipelines.part import Where
from pipelines.source import BadRow, Row
from pipelines.sources._arrow import BATCH_ROWS, rows_of
from pipelines.sources._files import place_of
from pipelines.sources._sql import Connection, add_files, queried, table_files
from pipelines.sources._store import VersionSource
from schemas.tables import PUBLISHED

if TYPE_CHECKING:
    import duckdb


class Dataset(VersionSource):
    """The rows of a table of a published version, or of one SELECT over its tables.

    A table's rows come in their published order, those of a SELECT in that of its ORDER BY.
    """

    table: str | None = None
    """Name of the table that is read: "pairs", "prompts", "responses"... Exactly one of `table` and
    `query` is given."""
    query: str | None = None
    """A SELECT over the version's tables and views, as `pairwright sql --dataset NAME` takes it."""
    tables: dict[str, str] = {}
    """Further tables of the query: name -> path of a .parquet, .csv, .jsonl or .json file, a glob, or
    "builtin:NAME", a shipped table."""

    @model_validator(mode="after")
    def _one_way_to_ask(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("exactly one of table and query is needed")
        if self.tables and self.query is None:
            raise ValueError("tables: they are for a query")
        return self

    def check(self, where: Where) -> None:
        """Raises RecipeError for a table that no version has, and for a file that is missing."""
        if self.table is not None and self.table not in PUBLISHED:
            raise where.error(
                f'no such table "{self.table}"; {nearest(self.table, PUBLISHED)}', "table"
            )
        table_files(self.tables, where)

    def files(self, root: Path) -> tuple[Path, ...]:
        """Those of `tables`."""
        found = table_files(self.tables, place_of(self, root))
        return tuple(file for files in found.values() for file in files)

    def is_repeatable(self) -> bool:
        """Whether a table is read: a query may ask for the time."""
        return self.query is None

    def columns(self, root: Path) -> tuple[str, ...] | None:
        """The columns of the table or query. Raises RecipeError with DuckDB's message."""
        with self._relation(root) as relation:
            return tuple(relation.columns)

    def rows(self, root: Path, columns: Collection[str] = ()) -> Iterator[Row | BadRow]:
        """The rows of the table or query. Raises RecipeError as `columns`."""
        with self._relation(root) as relation:
            yield from rows_of(relation.arrow(BATCH_ROWS))

    def _relation(self, root: Path) -> "AbstractContextManager[duckdb.DuckDBPyRelation]":
        from pipelines.querying.safe_sql import add_version

        where = place_of(self, root)
        tables = table_files(self.tables, where)

        def give(connection: Connection) -> None:
            add_version(connection, "main", self.version)
            self._refuse_taken(connection, where)
            add_files(connection, tables)

        if self.table is not None:
            return queried(f"FROM {self.table}", where, give, "table")
        return queried(str(self.query), where, give)

    def _refuse_taken(self, connection: Connection, where: Where) -> None:
        """Raises RecipeError for a further table that would hide one of the version's, or a view."""
        names = connection.execute("SELECT lower(table_name) FROM information_schema.tables")
        taken = {name for (name,) in names.fetchall()}
        for name in self.tables:
            if name.lower() in taken:
                raise where.error("the version has a table or view of that name", f"tables.{name}")
