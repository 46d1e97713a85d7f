"""A buffer: rows on their way to a run, all but the latest of them packed as Arrow tables.

As Python objects rows take several times the memory that they take in Arrow, and to make a table of
thousands at once halts the calls that are in flight.
"""

from collections.abc import Sequence
from functools import cache
from itertools import accumulate, chain
from typing import Any

import polars as pl
import pyarrow as pa

from pipelines.arrow import empty_table
from pipelines.staging.runs import BATCH

ROWS_PER_PIECE = 512
"""Rows that are packed together..."""
CHARS_PER_PIECE = 1 << 20
"""...or fewer, where their texts have so many characters."""


class Buffer:
    """Rows of one table, in the order that they were added in."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._packed = [empty_table(schema)]
        self._latest: list[tuple[Any, ...]] = []
        self._chars = 0
        self.bytes = 0
        """Bytes of the rows that are packed."""

    def __len__(self) -> int:
        return sum(map(len, self._packed)) + len(self._latest)

    def add(self, row: tuple[Any, ...], chars: int) -> bool:
        """Takes in a row with so many characters of text; returns whether the rows were packed.

        The values of a row are in the order of the schema. Whole batches are packed (`runs.BATCH`).
        """
        self._latest.append(row)
        self._chars += chars
        enough = len(self._latest) >= ROWS_PER_PIECE or self._chars >= CHARS_PER_PIECE
        whole = enough and len(self._latest) % BATCH == 0
        if whole:
            self._pack()
        return whole

    def take(self) -> pa.Table:
        """All rows, of which none is left here."""
        self._pack()
        packed, self._packed, self.bytes = self._packed, [empty_table(self._schema)], 0
        return pa.concat_tables(packed)

    def _pack(self) -> None:
        if not self._latest:
            return
        columns = zip(*self._latest, strict=True)
        arrays = [_array(*column) for column in zip(columns, self._schema.types, strict=True)]
        self._packed.append(pa.Table.from_arrays(arrays, schema=self._schema))
        self.bytes += self._packed[-1].nbytes
        self._latest, self._chars = [], 0


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """A column as Arrow, by way of Polars: pyarrow's own way imports pandas wherever it is there.

    Lists are never null, and structs are rows with an attribute for each of their fields.
    """
    if pa.types.is_list(kind):
        starts = list(accumulate(map(len, values), initial=0))
        within = _array(list(chain.from_iterable(values)), kind.value_type)
        return pa.ListArray.from_arrays(_plain(starts, pa.int32()), within, type=kind)
    if pa.types.is_struct(kind):
        columns = [[getattr(value, field.name) for value in values] for field in kind]
        arrays = [_array(column, field.type) for column, field in zip(columns, kind, strict=True)]
        return pa.StructArray.from_arrays(arrays, fields=list(kind))
    return _plain(values, kind)


def _plain(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    series = pl.Series(values=values, dtype=_polars_type(kind))
    return series.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(kind)


@cache
def _polars_type(kind: pa.DataType) -> pl.DataType:
    return pl.DataFrame(empty_table(pa.schema([("x", kind)]))).schema["x"]
