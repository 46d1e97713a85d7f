"""Groups of rows: the files of staged columns are read a group at a time, in two formats.

Those of runs are Arrow, which is read as it lies there. Those that were taken over from a version
are Parquet.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.arrow import keeping_pool

ARROW = ".arrow"
"""Suffix of files in that format."""

PROMPT_ID = "prompt_id"
"""What the rows of a group are sorted by."""

Read = Callable[[int], pa.Table]
"""Reads the group of a number."""


class Group(NamedTuple):
    """What is known of a group of rows before it is read."""

    n_rows: int
    ids: tuple[str, str] | None
    """The smallest and the largest prompt id; None where the file does not say."""


class Groups(Protocol):
    """The groups of rows of a file."""

    schema: pa.Schema
    groups: list[Group]
    """In the order of their numbers. None is empty."""

    def reading(self, names: Collection[str]) -> AbstractContextManager[Read]:
        """The file, open for columns of it, which come in any order."""


def groups_of(path: Path) -> Groups:
    """The groups of a file in either format."""
    return _InArrow(path) if path.suffix == ARROW else _InParquet(path)


class _InArrow:
    """A file of runs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
            self.schema, count = reader.schema, reader.num_record_batches
        with self.reading([PROMPT_ID]) as read:
            ids = (read(number)[PROMPT_ID] for number in range(count))
            self.groups = [Group(len(own), (own[0].as_py(), own[-1].as_py())) for own in ids]

    @contextmanager
    def reading(self, names: Collection[str]) -> Iterator[Read]:
        """As `Groups.reading`."""
        places = [self.schema.get_field_index(name) for name in names]
        options = pa.ipc.IpcReadOptions(included_fields=places, use_threads=False)
        with pa.OSFile(str(self._path)) as file:
            reader = pa.ipc.open_file(file, options=options, memory_pool=keeping_pool())
            yield lambda number: pa.Table.from_batches([reader.get_batch(number)])


class _InParquet:
    """A file of a version."""

    def __init__(self, path: Path) -> None:
        self._path, self._metadata = path, pq.read_metadata(path)
        self.schema = self._metadata.schema.to_arrow_schema()
        self.groups = list(_groups_in(self._metadata))

    @contextmanager
    def reading(self, names: Collection[str]) -> Iterator[Read]:
        """As `Groups.reading`."""
        with pq.ParquetFile(self._path, metadata=self._metadata) as file:
            yield lambda number: file.read_row_group(number, list(names), use_threads=False)


def _groups_in(metadata: pq.FileMetaData) -> Iterator[Group]:
    columns = [metadata.schema.column(place).path for place in range(metadata.num_columns)]
    place = columns.index(PROMPT_ID)
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        known = group.column(place).statistics
        says = known is not None and known.has_min_max
        yield Group(group.num_rows, (known.min, known.max) if says else None)
