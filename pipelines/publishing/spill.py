"""Spilling: rows on their way to other places wait in files, so that memory stays small."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.arrow import array, numpy
from pipelines.errors import StoreError
from pipelines.staging.pieces import in_pieces
from pipelines.staging.runs import Numbers

MOST_FILES = 64
"""One spill holds so many open at most."""

_PLACE = pa.field("place", pa.uint32())


def stretch_of(places: int, row: int, at_once: int) -> int:
    """How many places make a stretch: about `at_once` bytes, of rows that have `row` each.

    It is more where so many `places` would make more than `MOST_FILES`.

    >>> stretch_of(1000, 50, 5000), stretch_of(64_000, 50, 5000)
    (100, 1000)
    """
    return max(1, at_once // row, -(-places // MOST_FILES))


class Spill:
    """Rows that wait in files, as `carrying.Carried` says.

    Each `stretch` of places has a file in `folder`, which is removed once it is taken.
    """

    def __init__(
        self, wanted: Sequence[Numbers], schema: pa.Schema, stretch: int, folder: Path
    ) -> None:
        folder.mkdir(parents=True)
        self._wanted = _Wanted(wanted)
        self._sides = len(wanted)
        self._schema = schema.append(_PLACE)
        self._stretch = stretch * self._sides
        self._folder = folder
        self._files: dict[int, tuple[Any, pa.NativeFile]] = {}
        self._seen = 0

    def put(self, rows: pa.Table) -> None:
        """Takes in the next rows, in the order of their numbers."""
        numbers, places = self._wanted.among(self._seen, rows.num_rows)
        self._seen += rows.num_rows
        if len(numbers):
            self._put(rows, numbers, places)

    def close(self) -> None:
        """Closes the files: no row is put from here on."""
        for writer, file in self._files.values():
            writer.close()
            file.close()

    def take(self) -> Iterator[Sequence[pa.Table]]:
        """Stretch by stretch, for each side its rows in the order of their places.

        The rows are gone when the next ones are taken. Raises StoreError where a place has no row,
        or several.
        """
        paths = [self._path(stretch) for stretch in sorted(self._files)]
        space = memoryview(bytearray(max((path.stat().st_size for path in paths), default=0)))
        first = 0
        for path in paths:
            with path.open("rb", buffering=0) as file:
                size = file.readinto(space)
            path.unlink()
            rows = pa.ipc.open_stream(pa.py_buffer(space[:size])).read_all()
            places = numpy(rows[_PLACE.name])
            order = np.argsort(places)
            if not np.array_equal(places[order], np.arange(first, first + len(places))):
                raise StoreError(f"{path}: rows are missing, or there twice")
            own = rows.drop_columns([_PLACE.name])
            yield [own.take(array(order[side :: self._sides])) for side in range(self._sides)]
            first += len(places)

    def _put(self, rows: pa.Table, numbers: Numbers, places: Numbers) -> None:
        stretches = (places // self._stretch).astype(np.uint16)
        order = np.argsort(stretches, kind="stable")
        carried = rows.take(array(numbers[order])).append_column(_PLACE, array(places[order]))
        (batch,) = carried.cast(self._schema).combine_chunks().to_batches()
        ends = np.flatnonzero(np.diff(stretches[order], append=MOST_FILES)) + 1
        for begin, end in zip([0, *ends[:-1]], ends, strict=True):
            self._file(stretches[order[begin]]).write_batch(batch.slice(begin, end - begin))

    def _file(self, stretch: int) -> Any:
        if stretch not in self._files:
            file = in_pieces(self._path(stretch))
            self._files[stretch] = pa.ipc.new_stream(file, self._schema), file
        return self._files[stretch][0]

    def _path(self, stretch: int) -> Path:
        return self._folder / f"{stretch}.arrow"


class _Wanted:
    """Where the rows of a table are wanted.

    Those of several sides lie side by side: a place of two is 0 and 1, the next one 2 and 3...
    """

    def __init__(self, wanted: Sequence[Numbers]) -> None:
        numbers = np.column_stack(wanted).ravel()
        self._places = np.argsort(numbers, kind="stable").astype(np.uint32)
        self._numbers = numbers[self._places]

    def among(self, first: int, rows: int) -> tuple[Numbers, Numbers]:
        """Of `rows` rows from number `first` on: those that are wanted, from 0, and their places."""
        begin, end = np.searchsorted(self._numbers, (first, first + rows))
        return self._numbers[begin:end] - np.uint32(first), self._places[begin:end]
