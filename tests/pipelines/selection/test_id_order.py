import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.selection.id_order import in_id_order

DIGITS = st.text("0123456789abcdef", min_size=32, max_size=32)
ALIKE = st.sampled_from(["0" * 32, "0" * 16 + "a" * 16, "0" * 16 + "b" * 16, "f" * 32])
OTHERS = st.text(st.characters(exclude_categories=("Cs",)), max_size=3) | st.sampled_from("aAbBé")
IDS = st.lists(DIGITS | ALIKE, max_size=9) | st.lists(ALIKE | OTHERS, max_size=9)


@given(IDS)
def test_rows_are_sorted_as_their_ids_are_as_texts(ids: list[str]) -> None:
    rows = pl.DataFrame({"id": ids, "n": range(len(ids))}, schema={"id": pl.String, "n": pl.Int64})
    assert in_id_order(rows, "id").rows() == rows.sort("id").rows()


@given(st.lists(st.tuples(st.none() | st.sampled_from([0, 1, 2**32 - 1]), DIGITS | ALIKE | OTHERS)))
def test_rows_of_a_group_are_sorted_by_id_and_those_of_none_come_first(
    rows: list[tuple[int | None, str]],
) -> None:
    table = pl.DataFrame(rows, schema={"group": pl.UInt32, "id": pl.String}, orient="row")
    in_order = sorted(rows, key=lambda row: (row[0] is not None, row[0] or 0, row[1].encode()))
    assert in_id_order(table, "id", within="group").rows() == in_order


@pytest.mark.parametrize("ids", [["ff", "100"], ["B", "a"], ["0" * 16 + "b", "0" * 16 + "a"]])
def test_ids_whose_first_digits_say_nothing_or_the_wrong_thing_are_compared_whole(
    ids: list[str],
) -> None:
    assert in_id_order(pl.DataFrame({"id": ids}), "id")["id"].to_list() == sorted(ids)
