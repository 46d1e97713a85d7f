"""A sweep through the rows of a table in the order of prompts, some of them at a time.

Files hold sorted runs, so what belongs to some prompts lies in groups of rows of most of them. Each
group is read once, when its first prompt is wanted; the rows of later prompts wait in memory.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.arrow import compact, empty_table
from schemas.tables import RENAMED

ARRIVAL = "arrival"
"""Place of a row among the staged rows of its table, the files sorted by name."""

PROMPT_ID = "prompt_id"


class Sweep:
    """The staged rows of a table, once each."""

    def __init__(self, files: Sequence[Path], columns: Sequence[pl.Expr]) -> None:
        """`columns` are made of staged ones and of `ARRIVAL`; `prompt_id` is one of them."""
        self._files = [(file, pq.read_metadata(file)) for file in files]
        self._columns = columns
        staged = {name for column in columns for name in column.meta.root_names()} - {ARRIVAL}
        there = self._files[0][1].schema.to_arrow_schema()
        self._names = {
            name if name in there.names else RENAMED[name]: name for name in sorted(staged)
        }
        self._schema = pa.schema(map(there.field, self._names))
        groups = _groups([metadata for _, metadata in self._files])
        self._unread = sorted(groups, key=attrgetter("least"), reverse=True)
        self._waiting = self._read([])

    def take(self, before: str | None) -> pl.DataFrame:
        """The next rows: those of prompts whose ids are below `before`; None: all that are left."""
        begun = []
        while self._unread and (before is None or self._unread[-1].least < before):
            begun.append(self._unread.pop())
        rows = pl.concat([self._waiting, self._read(begun)])
        if before is None:
            return rows
        theirs = pl.col(PROMPT_ID) < before
        self._waiting = compact(rows.filter(~theirs))
        return rows.filter(theirs)

    def _read(self, groups: Sequence["_Group"]) -> pl.DataFrame:
        """The columns of some groups of rows."""
        tables, arrival = [empty_table(self._schema)], [np.arange(0)]
        for file, own in groupby(sorted(groups), attrgetter("file")):
            path, metadata = self._files[file]
            numbers, arrivals = zip(*((group.number, group.arrival) for group in own), strict=True)
            with pq.ParquetFile(path, metadata=metadata) as reader:
                read = reader.read_row_groups(numbers, self._schema.names, use_threads=False)
            tables.append(read)
            arrival += [np.arange(*rows) for rows in arrivals]
        rows = pl.DataFrame(pa.concat_tables(tables)).rename(self._names)
        arrived = pl.Series(ARRIVAL, np.concatenate(arrival), pl.UInt32)
        return rows.with_columns(arrived).select(self._columns)


class _Group(NamedTuple):
    """A group of rows of a file."""

    file: int
    number: int
    arrival: tuple[int, int]
    """From the first row to beyond the last one."""
    least: str
    """No prompt id is smaller."""


def _groups(files: Sequence[pq.FileMetaData]) -> Iterator[_Group]:
    arrived = 0
    for file, metadata in enumerate(files):
        columns = [metadata.schema.column(place).path for place in range(metadata.num_columns)]
        place = columns.index(PROMPT_ID)
        for number in range(metadata.num_row_groups):
            group = metadata.row_group(number)
            arrival, arrived = (arrived, arrived + group.num_rows), arrived + group.num_rows
            known = group.column(place).statistics
            least = known.min if known is not None and known.has_min_max else ""
            yield _Group(file, number, arrival, least)
