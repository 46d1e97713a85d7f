"""Aside: what is known of dropped pairs waits in files. Nobody looks at it before publishing.

A prompt with 16 answers has 120 pairs, and most recipes keep one of them.
"""

import shutil
from pathlib import Path

import polars as pl

from pipelines.arrow import compact
from pipelines.errors import StoreError

FEW = 1 << 14
"""Rows that may as well stay in memory."""


class Aside:
    """A folder of tables. What was in it before is gone."""

    def __init__(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self._folder, self._tables = folder, 0

    def put(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """The same rows, which are not in memory any more if they are many. Raises StoreError."""
        known = rows.collect()
        if known.height <= FEW:
            return compact(known).lazy()
        path = self._folder / f"{self._tables:06d}.arrow"
        self._tables += 1
        try:
            self._folder.mkdir(exist_ok=True)
            known.write_ipc(path)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise StoreError(f"{path}: dropped pairs cannot be written: {error}") from error
        return pl.scan_ipc(path, glob=False)
