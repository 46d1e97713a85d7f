"""Shards: a stream of sorted rows, cut into Parquet files of exact sizes."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.arrow import empty_table, in_one_piece
from pipelines.errors import StoreError
from pipelines.staging.pieces import in_pieces
from schemas.tables import repeating

BATCH_ROWS = 2048
"""Rows that are read at once."""


class Rows:
    """A stream of rows with exactly the columns of `schema`, taken in any portions."""

    def __init__(self, tables: Iterator[pa.Table], schema: pa.Schema) -> None:
        self._tables = tables
        self._schema = schema
        self._pending = empty_table(schema)

    def take(self, count: int) -> pa.Table:
        """The next `count` rows; fewer at the end of the stream."""
        tables, rows = [self._pending], self._pending.num_rows
        while rows < count and (table := next(self._tables, None)) is not None:
            tables.append(table.select(self._schema.names).cast(self._schema))
            rows += table.num_rows
        together = pa.concat_tables(tables)
        self._pending = together.slice(count)
        return together.slice(0, count)


def write_shard(rows: Rows, count: int, path: Path, schema: pa.Schema, group_rows: int) -> None:
    """Writes the next `count` rows to `path`, `group_rows` to a row group.

    Equal rows give equal bytes: groups are cut by count, however the rows come in. Raises
    StoreError where there are fewer rows.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"compression": "zstd", "use_dictionary": repeating(schema)}
    with in_pieces(path) as file, pq.ParquetWriter(file, schema, **options) as writer:
        for portion in portions(count, group_rows):
            taken = in_one_piece(rows.take(portion))
            if taken.num_rows != portion:
                raise StoreError(f"{path}: rows are missing at its end")
            writer.write_table(taken, row_group_size=group_rows)


def portions(count: int, size: int) -> list[int]:
    """How many rows each row group takes.

    >>> portions(10, 4)
    [4, 4, 2]
    """
    return [min(size, count - start) for start in range(0, count, size)]
