"""Values into Arrow and out of it, by way of Polars.

pyarrow's own ways, of constants too, import pandas wherever it is installed: that takes longer than
publishing a small version.
"""

from typing import Any

import numpy.typing as npt
import polars as pl
import pyarrow as pa


def array(values: Any) -> pa.Array:
    """Numbers or flags, as a NumPy array or a list, as an Arrow array."""
    return pl.Series(values).to_arrow()


def numpy(values: pa.Array | pa.ChunkedArray) -> npt.NDArray[Any]:
    """Numbers without nulls as a NumPy array."""
    return pl.Series(values).to_numpy()


def scalar(value: float | str) -> pa.Scalar:
    """A constant."""
    kind = pa.string() if isinstance(value, str) else pa.float64()
    return pl.Series([value]).to_arrow(compat_level=pl.CompatLevel.oldest()).cast(kind)[0]


def empty_table(schema: pa.Schema) -> pa.Table:
    """A table without rows."""
    return pa.Table.from_batches([], schema)


def in_one_piece(rows: pa.Table) -> pa.Table:
    """`rows` with one chunk a column; of the chunks, each column's are gone before the next."""
    schema, columns = rows.schema, rows.columns
    del rows
    whole = []
    while columns:
        whole.append(columns.pop(0).combine_chunks())
    return pa.table(whole, schema=schema)


def make_table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """A table of plain rows, each of which has every column."""
    columns = {name: [row[name] for row in rows] for name in schema.names}
    kinds = pl.DataFrame(empty_table(schema)).schema
    frame = pl.DataFrame(columns, schema=kinds)
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema)


def compact(rows: pl.DataFrame) -> pl.DataFrame:
    """The same rows with no other texts in memory: Polars keeps those of rows that were left out."""
    return pl.DataFrame(rows.to_arrow(compat_level=pl.CompatLevel.oldest()))


def sparing(rows: pl.DataFrame) -> pl.DataFrame:
    """The same rows, in which columns without a value take no memory, and no time to be moved."""
    empty = (column for column in rows if 0 < column.null_count() == rows.height)
    return rows.with_columns(pl.lit(None, column.dtype).alias(column.name) for column in empty)


def give_back() -> None:
    """Returns memory that Arrow and Python have freed to the system."""
    pa.default_memory_pool().release_unused()


def keeping_pool() -> pa.MemoryPool:
    """A pool that keeps what is freed for a while, where there is one.

    Where pieces come and go that takes less time: the system is asked for pages less often.
    """
    there = "jemalloc" in pa.supported_memory_backends()
    return pa.jemalloc_memory_pool() if there else pa.default_memory_pool()
