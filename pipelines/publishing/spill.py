"""Spilling: rows on their way to other places wait in files, so that memory stays small."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import StoreError
from pipelines.publishing.pieces import Pieces

Numbers = npt.NDArray[np.uint32]

ROWS_AT_ONCE = 16_384
"""Rows that are read and put together: few enough for a processor's cache."""
STRETCH = 65_536
"""Places, of all that there are, whose rows lie in one file and are in memory together..."""
MOST_FILES = 128
"""...unless that made more files than these, which one spill holds open."""

_PLACE = pa.field("place", pa.uint32())


def stretch_of(places: int) -> int:
    """Places that lie in one file, where there are so many in all."""
    return max(STRETCH, -(-places // MOST_FILES))


class Spill:
    """Rows that are put in any order, and taken in the order of their places: 0, 1...

    Each stretch of places has a file in `folder`, which is removed once it is taken.
    """

    def __init__(self, folder: Path, schema: pa.Schema, stretch: int) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._schema = schema.append(_PLACE)
        self._stretch = stretch
        self._files: dict[int, tuple[Any, Any]] = {}

    def put(self, table: pa.Table, rows: Numbers, places: Numbers) -> None:
        """Takes in the rows number `rows` of `table`, each with its place."""
        if not len(rows):
            return
        stretches = (places // self._stretch).astype(np.uint16)
        order = np.argsort(stretches, kind="stable")
        carried = table.take(pa.array(rows[order])).append_column(_PLACE, pa.array(places[order]))
        (batch,) = carried.cast(self._schema).combine_chunks().to_batches()
        ends = np.flatnonzero(np.diff(stretches[order], append=MOST_FILES)) + 1
        for begin, end in zip([0, *ends[:-1]], ends, strict=True):
            self._file(stretches[order[begin]]).write_batch(batch.slice(begin, end - begin))

    def take(self) -> Iterator[tuple[pa.Table, npt.NDArray[np.signedinteger[Any]]]]:
        """Stretch by stretch its rows, as they were put, and their order by place.

        The rows are gone when the next ones are taken. Raises StoreError where a place has no row,
        or several.
        """
        paths = [self._path(stretch) for stretch in sorted(self._files)]
        self._close()
        space = memoryview(bytearray(max((path.stat().st_size for path in paths), default=0)))
        first = 0
        for path in paths:
            with path.open("rb", buffering=0) as file:
                size = file.readinto(space)
            path.unlink()
            rows = pa.ipc.open_stream(pa.py_buffer(space[:size])).read_all()
            places = rows[_PLACE.name].to_numpy()
            order = np.argsort(places)
            if not np.array_equal(places[order], np.arange(first, first + len(places))):
                raise StoreError(f"{path}: rows are missing, or there twice")
            yield rows.drop_columns([_PLACE.name]), order
            first += len(places)

    def _file(self, stretch: int) -> Any:
        if stretch not in self._files:
            file = Pieces(self._path(stretch))
            self._files[stretch] = pa.ipc.new_stream(file, self._schema), file
        return self._files[stretch][0]

    def _path(self, stretch: int) -> Path:
        return self._folder / f"{stretch}.arrow"

    def _close(self) -> None:
        for writer, file in self._files.values():
            writer.close()
            file.close()
        self._files.clear()


def in_order(files: Sequence[Path], places: Numbers, folder: Path) -> Iterator[pa.Table]:
    """The rows of Parquet files in the order of their places, through a spill in `folder`.

    `places` are 0, 1... in any order: one for each row of the files, one after another.
    """
    schema = pq.read_schema(files[0])
    spill, begin = Spill(folder, schema, stretch_of(len(places))), 0
    for table in _read(files, schema):
        end = begin + table.num_rows
        spill.put(table, np.arange(table.num_rows, dtype=np.uint32), places[begin:end])
        begin = end
    for rows, order in spill.take():
        yield rows.take(pa.array(order))


def _read(files: Iterable[Path], schema: pa.Schema) -> Iterator[pa.Table]:
    """About `ROWS_AT_ONCE` rows at a time, in one thread: more would hold more in memory."""
    waiting: list[pa.RecordBatch] = []
    for path in files:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(ROWS_AT_ONCE, use_threads=False):
                waiting.append(batch)
                if sum(one.num_rows for one in waiting) >= ROWS_AT_ONCE:
                    yield pa.Table.from_batches(waiting, schema)
                    waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting, schema)


class Wanted:
    """Where the rows of a table are wanted: for each place the number of a row."""

    def __init__(self, numbers: Numbers, places: Numbers) -> None:
        order = np.argsort(numbers, kind="stable")
        self._numbers, self._places = numbers[order], places[order]

    def among(self, first: int, rows: int) -> tuple[Numbers, Numbers]:
        """Of `rows` rows from number `first` on: those that are wanted, from 0, and their places."""
        begin, end = np.searchsorted(self._numbers, (first, first + rows))
        return self._numbers[begin:end] - np.uint32(first), self._places[begin:end]
