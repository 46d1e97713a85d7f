"""Rows of pairs, once what they are of has passed."""

from pathlib import Path

import polars as pl
import pytest

from pipelines.errors import StoreError
from pipelines.publishing.pair_rows import PairRows
from schemas.tables import STAGED


def test_pairs_of_rows_that_never_passed_are_not_written(tmp_path: Path) -> None:
    numbers = dict.fromkeys(("prompt", "chosen", "rejected"), pl.UInt32)
    rows = PairRows(pl.DataFrame([[0], [0], [1]], schema=numbers), 1, tmp_path, 1000)
    for table in ("prompts", "responses"):
        list(rows.passing(table, iter([STAGED[table].empty_table()])))
    with pytest.raises(StoreError, match="prompts are missing that pairs are of"):
        _ = rows.rich
