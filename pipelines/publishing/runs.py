"""Runs: staged files, each sorted by id, are merged into one stream in the order of ids."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.publishing.spill import ROWS_AT_ONCE, Numbers


@dataclass(frozen=True, slots=True)
class _Group:
    """A row group that waits to be read."""

    path: Path
    metadata: pq.FileMetaData
    number: int
    places: Numbers
    """Of its rows."""

    def read(self) -> "_Held":
        """Its rows, in the order of their places. One thread: more would hold more in memory."""
        with pq.ParquetFile(self.path, metadata=self.metadata) as file:
            rows = file.read_row_group(self.number, use_threads=False)
        if np.all(self.places[:-1] < self.places[1:]):
            return _Held(rows, self.places)
        order = np.argsort(self.places)
        return _Held(rows.take(pa.array(order)), self.places[order])


@dataclass(frozen=True, slots=True)
class _Held:
    """Rows that were read, and their places, ascending."""

    rows: pa.Table
    places: Numbers

    def cut(self, place: int) -> tuple["_Held", "_Held"]:
        """The rows before `place`, and the others."""
        n = int(np.searchsorted(self.places, place))
        return (
            _Held(self.rows.slice(0, n), self.places[:n]),
            _Held(self.rows.slice(n), self.places[n:]),
        )


def in_order(files: Sequence[Path], places: Numbers) -> Iterator[pa.Table]:
    """The rows of Parquet files in the order of their places, `ROWS_AT_ONCE` to a table.

    `places` are 0, 1... in any order: one for each row of the files, one after another. A row group
    is read once, when its first row is due, and let go with its last: where files are sorted, they
    are all in memory with about one row group each; where they are not, with all of their rows.
    """
    waiting = sorted(
        _groups(files, places), key=lambda group: int(group.places.min()), reverse=True
    )
    held: list[_Held] = []
    for end in range(ROWS_AT_ONCE, len(places) + ROWS_AT_ONCE, ROWS_AT_ONCE):
        while waiting and waiting[-1].places.min() < end:
            held.append(waiting.pop().read())
        due, rest = zip(*(one.cut(end) for one in held), strict=True)
        held = [one for one in rest if len(one.places)]
        order = np.argsort(np.concatenate([one.places for one in due]))
        yield pa.concat_tables([one.rows for one in due]).take(pa.array(order))


def _groups(files: Sequence[Path], places: Numbers) -> Iterator[_Group]:
    first = 0
    for path in files:
        metadata = pq.read_metadata(path)
        for number in range(metadata.num_row_groups):
            end = first + metadata.row_group(number).num_rows
            yield _Group(path, metadata, number, places[first:end])
            first = end
