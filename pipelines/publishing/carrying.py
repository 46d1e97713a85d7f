"""Carrying: the rows of a table, which pass in one order, are taken in another.

They wait in memory while they are few and short, else in files (`spill`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from pipelines.arrow import array, empty_table, give_back, in_one_piece
from pipelines.publishing.spill import Spill
from pipelines.staging.runs import Numbers


@dataclass(slots=True)
class Carried:
    """Rows on their way to where they are wanted."""

    wanted: Sequence[Numbers]
    """For each side the numbers of the rows that are wanted at the places 0, 1..."""
    schema: pa.Schema
    """The columns of the rows."""
    stretch: int
    """So many places are taken together."""
    folder: Path
    """Where rows wait..."""
    most_held: int
    """...once they have more than so many bytes."""
    _held: list[pa.Table] = field(default_factory=list)
    _bytes: int = 0
    _spill: Spill | None = None

    def put(self, rows: pa.Table) -> None:
        """Takes in the next rows, in the order of their numbers: 0, 1..."""
        self._held.append(rows.cast(self.schema))
        self._bytes += rows.nbytes
        if self._bytes > self.most_held:
            self._spill = self._spill or Spill(self.wanted, self.schema, self.stretch, self.folder)
            for some in self._held:
                self._spill.put(some)
            self._held.clear()

    def close(self) -> None:
        """Ends that: no row is put from here on."""
        if self._spill is not None:
            self._spill.close()

    def take(self, made: Callable[[pa.Table], pa.Table]) -> Iterator[Sequence[pa.Table]]:
        """Stretch by stretch, for each side what is `made` of the rows that are wanted there.

        That is a row of each row. They are gone from here then. Raises StoreError where rows are
        missing.
        """
        if self._spill is not None:
            for sides in self._spill.take():
                yield [made(rows) for rows in sides]
            return
        rows = made(in_one_piece(self._all_held()))
        give_back()
        for first in range(0, len(self.wanted[0]), self.stretch):
            some = slice(first, first + self.stretch)
            yield [rows.take(array(numbers[some])) for numbers in self.wanted]

    def _all_held(self) -> pa.Table:
        held, self._held = self._held, []
        return pa.concat_tables([empty_table(self.schema), *held])
