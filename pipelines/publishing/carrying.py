"""Carrying: the rows of a table, which pass in one order, are taken in another.

few or short    held in memory
more            wait in files (`spill`)
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from pipelines.arrow import array
from pipelines.publishing.spill import Spill
from pipelines.runs import Numbers


class Carrier(Protocol):
    """Takes rows where they pass to where they are wanted."""

    def put(self, rows: pa.Table) -> None:
        """Takes in the next rows, in the order of their numbers: 0, 1..."""

    def close(self) -> None:
        """Ends that: no row is put from here on."""

    def take(self) -> Iterator[Sequence[pa.Table]]:
        """Stretch by stretch of the places, for each side the rows that are wanted there.

        They are gone from here then. Raises StoreError where rows are missing.
        """


def carrier(
    wanted: Sequence[Numbers], schema: pa.Schema, stretch: int, folder: Path | None
) -> Carrier:
    """One for rows with the columns of `schema`.

    `wanted` has, for each side, the numbers of the rows that are wanted at the places 0, 1...;
    `stretch` places are taken together. Rows wait in `folder`; without one they are held in memory.
    """
    return (
        Held(wanted, schema, stretch) if folder is None else Spill(wanted, schema, stretch, folder)
    )


class Held:
    """Rows that are held in memory, as they passed."""

    def __init__(self, wanted: Sequence[Numbers], schema: pa.Schema, stretch: int) -> None:
        self._wanted, self._stretch = wanted, stretch
        self._rows = [schema.empty_table()]

    def put(self, rows: pa.Table) -> None:
        """As `Carrier.put`."""
        self._rows.append(rows.cast(self._rows[0].schema))

    def close(self) -> None:
        """As `Carrier.close`."""

    def take(self) -> Iterator[Sequence[pa.Table]]:
        """As `Carrier.take`."""
        rows = pa.concat_tables(self._rows).combine_chunks()
        self._rows.clear()
        for first in range(0, len(self._wanted[0]), self._stretch):
            some = slice(first, first + self._stretch)
            yield [rows.take(array(numbers[some])) for numbers in self._wanted]
