from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.selection.sweep import ARRIVAL, Sweep

ID = st.sampled_from([f"{letter}{digit}" for letter in "abc" for digit in "012"])
RUN = st.lists(ID, max_size=7).map(sorted)
COLUMNS = [pl.col("prompt_id"), pl.col(ARRIVAL), pl.col("licence").str.to_uppercase()]


def written(folder: Path, files: list[list[list[str]]], **options: object) -> list[Path]:
    """Files of sorted runs, each row with a text of its own, two rows to a group."""
    paths = []
    for number, runs in enumerate(files):
        path = folder / f"{number}.parquet"
        schema = pa.schema({"prompt_id": pa.string(), "more": pa.int64(), "license": pa.string()})
        with pq.ParquetWriter(path, schema, **options) as writer:
            for place, run in enumerate(runs):
                texts = [f"t{number}{place}{row}" for row in range(len(run))]
                rows = {"prompt_id": run, "more": [0] * len(run), "license": texts}
                writer.write_table(pa.table(rows, schema), row_group_size=2)
        paths.append(path)
    return paths


@given(st.lists(st.lists(RUN, max_size=3), min_size=1, max_size=3), st.sets(ID))
def test_every_row_is_taken_once_when_its_prompt_is_and_knows_its_arrival(
    files: list[list[list[str]]], cuts: set[str]
) -> None:
    with TemporaryDirectory() as folder:
        paths = written(Path(folder), files)
        every = pl.concat([pl.read_parquet(path) for path in paths]).with_row_index(ARRIVAL)
        expected = every.select("prompt_id", ARRIVAL, licence=pl.col("license").str.to_uppercase())
        sweep = Sweep(paths, COLUMNS)
        for first, before in pairwise(["", *sorted(cuts), None]):
            rows = sweep.take(before)
            theirs = pl.col("prompt_id") >= first
            theirs &= True if before is None else pl.col("prompt_id") < before
            assert rows.sort(ARRIVAL).rows() == expected.filter(theirs).rows()
            assert rows.schema == expected.schema


def test_groups_that_do_not_say_what_is_in_them_are_read_first(tmp_path: Path) -> None:
    paths = written(tmp_path, [[["a", "b", "c"]], [["b"]]], write_statistics=False)
    sweep = Sweep(paths, COLUMNS)
    assert [sweep.take(before)["prompt_id"].to_list() for before in ("b", None)] == [
        ["a"],
        ["b", "c", "b"],
    ]


@pytest.mark.parametrize("before", ["b", None])
def test_a_table_without_rows_is_taken_as_one(tmp_path: Path, before: str | None) -> None:
    sweep = Sweep(written(tmp_path, [[]]), COLUMNS)
    taken = sweep.take(before)
    assert (taken.height, taken.columns) == (0, ["prompt_id", ARRIVAL, "licence"])
