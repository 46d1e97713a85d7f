from collections.abc import Callable
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
COLUMNS = [
    pl.col("prompt_id"),
    pl.col(ARRIVAL),
    pl.col("licence").str.to_uppercase(),
    pl.col("empty"),
]
SCHEMA = pa.schema(
    {
        "prompt_id": pa.string(),
        "more": pa.int64(),
        "license": pa.string(),
        "empty": pa.string(),
    }
)

Write = Callable[..., list[Path]]


def tables(file: int, runs: list[list[str]]) -> list[pa.Table]:
    """Runs, each row with a text of its own."""
    found = []
    for place, run in enumerate(runs):
        texts = [f"t{file}{place}{row}" for row in range(len(run))]
        nothing = [None] * len(run)
        rows = {"prompt_id": run, "more": nothing, "license": texts, "empty": nothing}
        found.append(pa.table(rows, SCHEMA))
    return found


def in_arrow(folder: Path, files: list[list[list[str]]]) -> list[Path]:
    """Files of sorted runs, two rows to a group, as they are staged."""
    paths = [folder / f"{number}.columns.arrow" for number in range(len(files))]
    for number, (path, runs) in enumerate(zip(paths, files, strict=True)):
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, SCHEMA) as writer:
            for table in tables(number, runs):
                writer.write_table(table, max_chunksize=2)
    return paths


def in_parquet(folder: Path, files: list[list[list[str]]], **options: object) -> list[Path]:
    """The same, as a version has them."""
    paths = [folder / f"{number}.parquet" for number in range(len(files))]
    for number, (path, runs) in enumerate(zip(paths, files, strict=True)):
        with pq.ParquetWriter(path, SCHEMA, **options) as writer:
            for table in tables(number, runs):
                writer.write_table(table, row_group_size=2)
    return paths


@pytest.mark.parametrize("write", [in_arrow, in_parquet])
@given(st.lists(st.lists(RUN, max_size=3), min_size=1, max_size=3), st.sets(ID))
def test_every_row_is_taken_once_when_its_prompt_is_and_knows_its_arrival(
    write: Write, files: list[list[list[str]]], cuts: set[str]
) -> None:
    with TemporaryDirectory() as folder:
        paths = write(Path(folder), files)
        every = pa.concat_tables(part for number, runs in enumerate(files)
                                 for part in [SCHEMA.empty_table(), *tables(number, runs)])  # fmt: skip
        numbered = pl.DataFrame(every).with_row_index(ARRIVAL)
        licence = pl.col("license").str.to_uppercase()
        expected = numbered.select("prompt_id", ARRIVAL, "empty", licence=licence)
        sweep = Sweep(paths, COLUMNS)
        for first, before in pairwise(["", *sorted(cuts), None]):
            rows = sweep.take(before).select(expected.columns)
            theirs = pl.col("prompt_id") >= first
            theirs &= True if before is None else pl.col("prompt_id") < before
            assert rows.sort(ARRIVAL).rows() == expected.filter(theirs).rows()
            assert rows.schema == expected.schema


@pytest.mark.parametrize("write", [in_arrow, in_parquet])
def test_a_run_that_begins_within_the_ids_of_the_one_before_is_a_run_of_its_own(
    tmp_path: Path, write: Write
) -> None:
    """The second run's first id lies above the first one of the group before it."""
    sweep = Sweep(write(tmp_path, [[["a", "d"], ["b", "c"]]]), COLUMNS)
    assert [sweep.take(before)["prompt_id"].to_list() for before in ("b", "d", None)] == [
        ["a"],
        ["b", "c"],
        ["d"],
    ]


def test_groups_that_do_not_say_what_is_in_them_are_read_first(tmp_path: Path) -> None:
    paths = in_parquet(tmp_path, [[["a", "b", "c"]], [["b"]]], write_statistics=False)
    sweep = Sweep(paths, COLUMNS)
    assert [sweep.take(before)["prompt_id"].to_list() for before in ("b", None)] == [
        ["a"],
        ["b", "c", "b"],
    ]


@pytest.mark.parametrize("write", [in_arrow, in_parquet])
def test_rows_can_be_taken_without_the_ids_that_they_lie_in_the_order_of(
    tmp_path: Path, write: Write
) -> None:
    sweep = Sweep(write(tmp_path, [[["a", "c"], ["b", "c"]]]), [pl.col(ARRIVAL), pl.col("more")])
    taken = [sweep.take(before) for before in ("b", None)]
    assert [rows[ARRIVAL].to_list() for rows in taken] == [[0], [1, 2, 3]]
    assert taken[0].columns == [ARRIVAL, "more"]


@pytest.mark.parametrize("write", [in_arrow, in_parquet])
@pytest.mark.parametrize("before", ["b", None])
def test_a_table_without_rows_is_taken_as_one(
    tmp_path: Path, write: Write, before: str | None
) -> None:
    sweep = Sweep(write(tmp_path, [[]]), COLUMNS)
    taken = sweep.take(before)
    assert (taken.height, taken.columns) == (0, ["prompt_id", ARRIVAL, "licence", "empty"])
