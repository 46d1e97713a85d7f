"""A sweep through the rows of a table in the order of prompts, some of them at a time.

Files hold sorted runs, so what belongs to some prompts lies in most of them. Each group of rows is
read once, when its first prompt is wanted; of each run the rest of one group waits in memory.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

from pipelines.arrow import empty_table, sparing
from pipelines.selection.groups import PROMPT_ID, Groups, Read, groups_of
from schemas.tables import RENAMED

ARRIVAL = "arrival"
"""Place of a row among the staged rows of its table, the files sorted by name."""


class Sweep:
    """The staged rows of a table, once each."""

    def __init__(self, files: Sequence[Path], columns: Sequence[pl.Expr]) -> None:
        """`columns` are made of staged ones and of `ARRIVAL`."""
        self._files = list(_runs_of([groups_of(file) for file in files]))
        self._columns = columns
        made_of = {name for column in columns for name in column.meta.root_names()} - {ARRIVAL}
        there = self._files[0][0].schema
        names = {name if name in there.names else RENAMED[name]: name for name in made_of}
        self._schema = pa.schema(field for field in there if field.name in names)
        self._names = [names[name] for name in self._schema.names]

    def take(self, before: str | None) -> pl.DataFrame:
        """The next rows: those of prompts whose ids are below `before`; None: all that are left."""
        parts = [part for file, runs in self._files for part in self._take(file, runs, before)]
        wanted = (part.rows.select(self._schema.names) for part in parts)
        rows = pa.concat_tables([empty_table(self._schema), *wanted]).combine_chunks()
        rows = sparing(pl.DataFrame(rows.rename_columns(self._names)))
        arrival = [np.arange(part.arrival, part.arrival + len(part.rows)) for part in parts]
        arrived = pl.Series(ARRIVAL, np.concatenate([np.arange(0), *arrival]), pl.UInt32)
        return rows.with_columns(arrived).select(self._columns)

    def _take(self, file: Groups, runs: Sequence["_Run"], before: str | None) -> Iterator["_Part"]:
        """The next rows of a file, which is open meanwhile: all might be more than can be open."""
        with file.reading({PROMPT_ID, *self._schema.names}) as read:
            for run in runs:
                yield from run.take(before, read)


class _Part(NamedTuple):
    """Rows that lie together."""

    rows: pa.Table
    arrival: int
    """Of the first one."""

    def cut(self, before: str) -> tuple["_Part", "_Part"]:
        """Those with prompt ids below `before`, and the others."""
        n = bisect_left(self.rows[PROMPT_ID], before, key=lambda own: own.as_py())
        return _Part(self.rows[:n], self.arrival), _Part(self.rows[n:], self.arrival + n)


class _Run:
    """Groups of rows of a file, as far as their prompt ids ascend."""

    def __init__(self) -> None:
        self.unread: list[tuple[str, int, int]] = []
        """Of each group its smallest prompt id, its number, and the arrival of its first row."""
        self._waiting: list[_Part] = []

    def take(self, before: str | None, read: Read) -> list[_Part]:
        """The next rows of prompts whose ids are below `before`."""
        parts = self._waiting
        while self.unread and (before is None or self.unread[0][0] < before):
            _, number, arrival = self.unread.pop(0)
            parts.append(_Part(read(number), arrival))
        self._waiting = []
        if before is not None and parts:  # what was read before the last group is all theirs
            parts[-1], later = parts[-1].cut(before)
            self._waiting = [later] if len(later.rows) else []
        return parts


def _runs_of(files: Sequence[Groups]) -> Iterator[tuple[Groups, list[_Run]]]:
    arrived = 0
    for file in files:
        runs: list[_Run] = []
        last: str | None = None
        for number, (n_rows, ids) in enumerate(file.groups):
            if ids is None or last is None or ids[0] < last:
                runs.append(_Run())
            least, last = ids or ("", None)
            runs[-1].unread.append((least, number, arrived))
            arrived += n_rows
        yield file, runs
