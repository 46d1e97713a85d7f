import polars as pl
import pytest

from pipelines.arrow import sparing


@pytest.mark.parametrize("height", [0, 3])
def test_columns_without_a_value_are_the_same_in_less_memory(height: int) -> None:
    values = {"a": [1, None, 3][:height], "b": [None] * height, "c": [None] * height}
    rows = pl.DataFrame(values, {"a": pl.Int64, "b": pl.String, "c": pl.Int128})
    assert sparing(rows).equals(rows, null_equal=True)
    assert sparing(rows).schema == rows.schema


def test_rows_of_which_no_column_has_a_value_stay() -> None:
    rows = pl.DataFrame({"a": [None, None]}, {"a": pl.Float64})
    assert sparing(rows).rows() == [(None,), (None,)]
