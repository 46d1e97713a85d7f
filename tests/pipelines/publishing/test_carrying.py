"""Rows that pass in one order and are taken in another."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import StoreError
from pipelines.publishing.carrying import Carried
from pipelines.publishing.spill import Spill

ROWS = pa.table({"id": ["a", "b", "c", "d", "e"], "n": [0, 1, None, 3, 4]})


def as_they_are(rows: pa.Table) -> pa.Table:
    """No more is made of rows than they are."""
    return rows


def taken(carrying: Carried | Spill, cuts: list[int]) -> list[list[str]]:
    """For each side the ids that are taken, after the rows were put in portions."""
    for begin, end in zip([0, *cuts], [*cuts, ROWS.num_rows], strict=True):
        carrying.put(ROWS.slice(begin, end - begin))
    carrying.close()
    sides: list[list[str]] = []
    portions = carrying.take(as_they_are) if isinstance(carrying, Carried) else carrying.take()
    for tables in portions:
        sides = sides or [[] for _ in tables]
        for side, table in zip(sides, tables, strict=True):
            assert table.schema == ROWS.schema
            side += table["id"].to_pylist()
    return sides


@settings(max_examples=40, deadline=None)
@given(
    sides=st.integers(0, 9).flatmap(
        lambda places: st.lists(
            st.lists(st.integers(0, 4), min_size=places, max_size=places), min_size=1, max_size=3
        )
    ),
    stretch=st.integers(1, 4),
    cuts=st.lists(st.integers(0, 5), max_size=3).map(sorted),
)
def test_rows_that_wait_in_files_are_those_that_wait_in_memory(
    sides: list[list[int]], stretch: int, cuts: list[int]
) -> None:
    wanted = [np.array(side, dtype=np.uint32) for side in sides]
    names = [[ROWS["id"][number].as_py() for number in side] for side in sides]
    with TemporaryDirectory() as place:
        for most_held in (ROWS.nbytes, ROWS.nbytes // 2, 0):
            folder = Path(place) / str(most_held)
            found = taken(Carried(wanted, ROWS.schema, stretch, folder, most_held), cuts)
            assert found == (names if sides[0] else [])


def test_rows_wait_in_files_once_there_is_no_room_for_them(tmp_path: Path) -> None:
    wanted = [np.array([4, 0, 2], dtype=np.uint32)]
    for most_held, waits_in_files in ((ROWS.nbytes, False), (ROWS.nbytes - 1, True)):
        folder = tmp_path / str(most_held)
        assert taken(Carried(wanted, ROWS.schema, 2, folder, most_held), []) == [["e", "a", "c"]]
        assert folder.exists() == waits_in_files


def test_what_is_made_of_rows_is_taken_the_same_from_memory_and_from_files(tmp_path: Path) -> None:
    wanted = [np.array([4, 0, 2, 0], dtype=np.uint32)]
    for most_held in (ROWS.nbytes, 0):
        carried = Carried(wanted, ROWS.schema, 3, tmp_path / str(most_held), most_held)
        carried.put(ROWS)
        carried.close()
        portions = carried.take(lambda rows: pa.table({"upper": pc.utf8_upper(rows["id"])}))
        found = [name for (side,) in portions for name in side["upper"].to_pylist()]
        assert found == ["E", "A", "C", "A"]


def test_files_are_gone_once_their_rows_are_taken(tmp_path: Path) -> None:
    spill = Spill([np.array([4, 0, 2], dtype=np.uint32)], ROWS.schema, 2, tmp_path / "rows")
    assert taken(spill, []) == [["e", "a", "c"]]
    assert list((tmp_path / "rows").iterdir()) == []


def test_a_row_that_never_passed_is_missed(tmp_path: Path) -> None:
    wanted = [np.array([1, 4, 0], dtype=np.uint32)]
    spill = Spill(wanted, ROWS.schema, 2, tmp_path / "rows")
    spill.put(ROWS.slice(0, 4))
    spill.close()
    with pytest.raises(StoreError, match="rows are missing"):
        list(spill.take())
