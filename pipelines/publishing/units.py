"""Where the rows of a version come from: units that were run, or those of an earlier version.

run      staged runs ─ merged in the order of their ids ─> rows
taken    files of a version, in that order already ─> rows; or the files as they are
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.publishing.shards import portions
from pipelines.selection.staged import TAKEN, staged_files
from pipelines.staging.pieces import portion
from pipelines.staging.runs import ROWS, merged, row_bytes
from schemas.tables import RENAMED, STAGED
from schemas.version import FileInfo

MOST_HELD = 192 << 20
"""Bytes of a table that was taken over: no call was made, so there is memory, twice as much even."""


class Units(Protocol):
    """The rows of finished units, table by table."""

    at_once: int
    """About so many bytes of rows are read together."""
    most_held: int
    """Bytes of a table that may wait in memory until pairs take its rows."""

    def rows(self, table: str, arrival: pl.Series, names: Sequence[str] = ()) -> Iterator[pa.Table]:
        """The rows of a table, first the one that arrived as number `arrival[0]`...

        They have all staged columns; at least those that are named, where some are.
        """

    def row_bytes(self, table: str) -> int:
        """Bytes of a row in memory, about; at least 1."""

    def link(
        self, table: str, found: pl.DataFrame | None, group_rows: int, folder: Path
    ) -> dict[str, FileInfo]:
        """Puts the published files of a table into `folder` where all would be the same again.

        `found` is what is published beside the staged columns, `group_rows` the rows of a row
        group. Empty where there are no such files: they must be written.
        """


class Run:
    """Units that were run in this build: runs in `staged`."""

    def __init__(self, staged: Path, at_once: int | None = None) -> None:
        self._staged = staged
        size = sum(file.stat().st_size for file in staged.glob(f"*/*{ROWS}"))
        self.at_once = self.most_held = at_once or portion(size)

    def rows(self, table: str, arrival: pl.Series, names: Sequence[str] = ()) -> Iterator[pa.Table]:
        """As `Units.rows`."""
        files = staged_files(self._staged, table, ROWS)
        places = arrival.arg_sort().to_numpy()  # what a permutation's inverse is
        return merged(files, places, max(1, self.at_once // row_bytes(files)))

    def row_bytes(self, table: str) -> int:
        """As `Units.row_bytes`."""
        return row_bytes(staged_files(self._staged, table, ROWS))

    def link(
        self, table: str, found: pl.DataFrame | None, group_rows: int, folder: Path
    ) -> dict[str, FileInfo]:
        """Empty: what was run here is nowhere written yet."""
        return {}


class Taken:
    """Units of an earlier version: its files in `staged`, as they were published.

    `files` are these: their paths in a version, and what its manifest says of them.
    """

    def __init__(
        self, staged: Path, files: Mapping[str, FileInfo], at_once: int | None = None
    ) -> None:
        tables = sorted({path.partition("/")[0] for path in files})
        places = [place for table in tables for place in staged_files(staged, table, TAKEN)]
        self._files, self._places = files, dict(zip(sorted(files), places, strict=True))
        self.at_once = at_once or portion(sum(_bytes(place) for place in self._places.values()))
        self.most_held = at_once or MOST_HELD

    def rows(self, table: str, arrival: pl.Series, names: Sequence[str] = ()) -> Iterator[pa.Table]:
        """As `Units.rows`, `arrival` being 0, 1..."""
        staged = list(names) or STAGED[table].names
        published = [RENAMED.get(name, name) for name in staged]
        stretch = max(1, self.at_once // self.row_bytes(table))
        for file in self._of(table).values():
            with pq.ParquetFile(file) as opened:
                for batch in opened.iter_batches(stretch, columns=published, use_threads=False):
                    rows = pa.Table.from_batches([batch]).select(published)
                    yield rows.rename_columns(staged)

    def row_bytes(self, table: str) -> int:
        """As `Units.row_bytes`."""
        places = self._of(table)
        rows = sum(self._files[path].rows or 0 for path in places)
        return max(1, sum(map(_bytes, places.values())) // max(1, rows))

    def link(
        self, table: str, found: pl.DataFrame | None, group_rows: int, folder: Path
    ) -> dict[str, FileInfo]:
        """As `Units.link`."""
        places = self._of(table)
        if not all(_is_cut(place, group_rows) for place in places.values()):
            return {}
        if found is not None:
            before = pl.scan_parquet(list(places.values()), glob=False).select(found.columns)
            if not before.collect().equals(found):
                return {}
        for path, place in places.items():
            _link(place, folder / path)
        return {path: self._files[path] for path in places}

    def _of(self, table: str) -> dict[str, Path]:
        """The files of a table: path in a version -> where it lies."""
        return {path: place for path, place in self._places.items() if path.startswith(f"{table}/")}


def _bytes(file: Path) -> int:
    """Bytes of a Parquet file before they were compressed."""
    metadata = pq.read_metadata(file)
    return sum(
        metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups)
    )


def _is_cut(file: Path, group_rows: int) -> bool:
    """Whether the row groups are those of `write_shard`."""
    metadata = pq.read_metadata(file)
    groups = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    return groups == portions(metadata.num_rows, group_rows)


def _link(file: Path, place: Path) -> None:
    """A second name within the staging folder, which has this one file until it goes."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        place.hardlink_to(file)
    except OSError:  # some file systems have no links
        shutil.copyfile(file, place)
