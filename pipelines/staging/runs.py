"""Runs: staged rows that lie in their published order, and are merged when they are read.

    units finish ─> files of runs: thousands of rows, sorted, then the next ─> merged: all, sorted

A file is there twice, in Arrow's format: whole rows, as they lie in memory; and columns, without the long
texts, packed lightly, with answers to what is asked of some of them. Both are gone once the version is
published: what it takes to compress them well is better spent on the files that stay.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.arrow import array
from pipelines.errors import StoreError
from pipelines.staging.pieces import in_pieces

Numbers = npt.NDArray[np.uint32]

ROWS, COLUMNS = ".rows.arrow", ".columns.arrow"
"""Suffixes of the two forms of a file."""
TEXTS = frozenset({"text", "reasoning", "tool_calls", "params", "raw", "notes"})
"""The columns that are in the rows only."""
IS_THERE = {"norm_hash": "has_text"}
"""Column -> whether it has a value, as a column of its own: ids and hashes take long to read."""
PACKED = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
"""How columns are written: those that are empty or repeat take hardly any room, and to pack them takes
less CPU than to write them as they are."""
GROUP = 2048
"""Rows of a group in the columns: of each run so many at most wait in memory while others are selected
(`selection.sweep`)."""
STRETCH = 1024
"""Rows of a run that are put in order together."""
BATCH = 128
"""Rows that are read together: of each run, so many at most wait in memory for their turn."""


class RunWriter:
    """A new file of runs in `folder`, whose rows are sorted by some columns."""

    def __init__(self, folder: Path, name: str, schema: pa.Schema, order: Sequence[str]) -> None:
        slim = pa.schema(field for field in schema if field.name not in TEXTS)
        self._slim = slim.names
        self._asked = [column for column in IS_THERE if column in schema.names]
        for column in self._asked:
            slim = slim.append(pa.field(IS_THERE[column], pa.bool_()))
        self._rows_file = in_pieces(folder / f"{name}{ROWS}")
        self._rows = pa.ipc.new_file(self._rows_file, schema)
        self._columns_file = in_pieces(folder / f"{name}{COLUMNS}")
        self._columns = pa.ipc.new_file(self._columns_file, slim, options=PACKED)
        self._order = [(name, "ascending") for name in order]

    def write(self, rows: pa.Table) -> None:
        """Writes a run: a multiple of `BATCH` rows, unless it is the last one."""
        rows = rows.combine_chunks()
        order = pc.sort_indices(rows, self._order) if self._order else array(np.arange(len(rows)))
        for begin in range(0, len(rows), STRETCH):  # a sorted copy of all would be as large again
            some = rows.take(order[begin : begin + STRETCH])
            self._rows.write_table(some, max_chunksize=BATCH)
        slim = rows.select(self._slim).take(order)
        for column in self._asked:
            slim = slim.append_column(IS_THERE[column], slim[column].is_valid())
        self._columns.write_table(slim, max_chunksize=GROUP)

    def close(self) -> None:
        """Ends the file."""
        for one in (self._rows, self._rows_file, self._columns, self._columns_file):
            one.close()


def count_rows(path: Path) -> int:
    """Rows of a file."""
    with pa.OSFile(str(path)) as file:
        return int(pa.ipc.open_file(file).count_rows())


def row_bytes(files: Sequence[Path]) -> int:
    """Bytes of a row of some files, on average; at least 1."""
    size, rows = sum(file.stat().st_size for file in files), sum(map(count_rows, files))
    return max(1, size // max(1, rows))


def merged(files: Sequence[Path], places: Numbers, stretch: int) -> Iterator[pa.Table]:
    """The rows of files in the order of their places, `stretch` at a time.

    `places` are 0, 1...: one for each row of the files, one after another. They may lie in any
    order, but each run makes reading longer. Raises StoreError where there are fewer rows.
    """
    ends = list(accumulate(map(count_rows, files), initial=0))
    whole = [
        _File(file, places[begin:end])
        for file, (begin, end) in zip(files, pairwise(ends), strict=True)
    ]
    for end in range(stretch, len(places) + stretch, stretch):
        yield _put_together([part for file in whole for part in file.take(end)])


def _put_together(parts: Sequence[tuple[list[pa.RecordBatch], Numbers]]) -> pa.Table:
    """Rows and their places, as one table in the order of these."""
    order = np.argsort(np.concatenate([numbers for _, numbers in parts]))
    rows = pa.Table.from_batches([batch for batches, _ in parts for batch in batches])
    if rows.num_rows != len(order):
        raise StoreError("staged rows are missing, so nothing is published")
    return rows.combine_chunks().take(array(order))


class _File:
    """A file whose rows are taken in the order of their places.

    It is open while some are taken, and no longer: there may be more files than can be open.
    """

    def __init__(self, path: Path, places: Numbers) -> None:
        self._path = path
        cuts = [0, *np.flatnonzero(places[1:] < places[:-1]) + 1, len(places)]
        self._runs = [_Run(places[:end], begin) for begin, end in pairwise(cuts)]

    def take(self, end: int) -> Iterator[tuple[list[pa.RecordBatch], Numbers]]:
        """Of each run the next rows whose places are below `end`, and these places."""
        with pa.OSFile(str(self._path)) as file:
            reader = pa.ipc.open_file(file)
            for run in self._runs:
                if run.next < len(run.places) and run.places[run.next] < end:
                    yield run.take(end, reader)


class _Run:
    """The rows of a file from `next` on, as far as their places ascend."""

    def __init__(self, places: Numbers, first: int) -> None:
        self.places, self.next = places, first
        self._last: tuple[int, Any] = -1, None

    def take(
        self, end: int, reader: pa.RecordBatchFileReader
    ) -> tuple[list[pa.RecordBatch], Numbers]:
        """The next rows whose places are below `end`, and these places."""
        first = self.next
        self.next += int(np.searchsorted(self.places[first:], end))
        batches = []
        for number in range(first // BATCH, -(-self.next // BATCH)):
            if number != self._last[0]:
                self._last = number, reader.get_batch(number)
            begin = number * BATCH
            rows = slice(max(first - begin, 0), self.next - begin)
            batches.append(self._last[1][rows])
        return batches, self.places[first : self.next]
