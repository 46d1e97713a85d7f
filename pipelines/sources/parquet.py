"""Parquet files, streamed in batches."""

from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow.parquet as pq

from pipelines.source import BadRow, Row
from pipelines.sources._arrow import BATCH_ROWS, rows_of
from pipelines.sources._files import FileSource, refuse_other_columns


class Parquet(FileSource):
    """Rows from Parquet. All files have the same columns."""

    def columns(self, root: Path) -> tuple[str, ...] | None:
        """The columns of the first file. Raises RecipeError where another file's differ."""
        first: tuple[str, ...] | None = None
        for file in self.files(root):
            with self.reading(root, file):
                names = tuple(pq.read_schema(file).names)
            first = names if first is None else first
            refuse_other_columns(names, first, file, self.where(root))
        return first

    def rows(self, root: Path, columns: Collection[str] = ()) -> Iterator[Row | BadRow]:
        """The rows, file by file. Raises RecipeError where a file is missing or damaged."""
        for prefix, file in self.places(root):
            with self.reading(root, file), pq.ParquetFile(file) as table:
                wanted = [name for name in table.schema_arrow.names if name in columns]
                batches = table.iter_batches(BATCH_ROWS, columns=wanted if columns else None)
                yield from rows_of(batches, prefix)
