from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import RecipeError
from pipelines.source import BadRow


def invalid_utf8(*values: bytes) -> pa.Array:
    """A text column that holds these bytes unchecked, as careless writers leave them."""
    binary = pa.array(values, pa.binary())
    return pa.Array.from_buffers(pa.string(), len(values), binary.buffers())


def read(source, root, columns=()):
    return list(source.rows(root, columns))


def test_rows_have_plain_values(source, tmp_path):
    columns = {
        "text": ["é\0"],
        "flag": [True],
        "nothing": [None],
        "chat": [[{"role": "user", "content": "hi"}]],
        "day": [date(2026, 1, 31)],
        "moment": [datetime(2026, 1, 31, 12, tzinfo=UTC)],
        "whole": [Decimal("12.00")],
        "part": [Decimal("1.25")],
        "span": [timedelta(seconds=90)],
        "spark_text": [b"text"],
        "many": [list(range(3))],
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    assert read(source("parquet", path="a.parquet"), tmp_path) == [
        {
            "text": "é\0",
            "flag": True,
            "nothing": None,
            "chat": [{"role": "user", "content": "hi"}],
            "day": "2026-01-31",
            "moment": "2026-01-31T12:00:00+00:00",
            "whole": 12,
            "part": 1.25,
            "span": 90.0,
            "spark_text": "text",
            "many": [0, 1, 2],
        }
    ]


def test_nanosecond_times_keep_every_digit(source, tmp_path):
    table = pa.table({"t": pa.array([1], pa.timestamp("ns"))})
    pq.write_table(table, tmp_path / "a.parquet")
    assert read(source("parquet", path="a.parquet"), tmp_path) == [
        {"t": "1970-01-01 00:00:00.000000001"}
    ]


def test_only_the_mapped_columns_are_read(source, tmp_path):
    pq.write_table(pa.table({"a": [1], "image": [b"\xff"]}), tmp_path / "a.parquet")
    parquet = source("parquet", path="a.parquet")
    assert read(parquet, tmp_path, {"a", "gone"}) == [{"a": 1}]
    assert read(parquet, tmp_path) == [BadRow("row 1", read(parquet, tmp_path)[0].why)]


def test_invalid_utf8_makes_one_row_bad_and_names_the_column(source, tmp_path):
    table = pa.table({"n": range(3), "t": invalid_utf8(b"one", b"\xff\xfe", b"three")})
    pq.write_table(table, tmp_path / "a.parquet")
    first, bad, last = read(source("parquet", path="a.parquet"), tmp_path)
    assert (first, last) == ({"n": 0, "t": "one"}, {"n": 2, "t": "three"})
    assert bad.position == "row 2"
    assert bad.why.startswith("t: ")


def test_positions_go_on_over_batches(source, tmp_path):
    values = [b"x"] * 2500
    values[2100] = b"\xff"
    pq.write_table(pa.table({"t": invalid_utf8(*values)}), tmp_path / "a.parquet")
    rows = read(source("parquet", path="a.parquet"), tmp_path)
    assert len(rows) == 2500
    assert [row.position for row in rows if isinstance(row, BadRow)] == ["row 2101"]


def test_files_with_other_columns_are_refused(source, tmp_path):
    pq.write_table(pa.table({"a": [1], "b": [1]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"b": [2], "a": [2]}), tmp_path / "2.parquet")
    assert source("parquet", path="*.parquet").columns(tmp_path) == ("a", "b")
    pq.write_table(pa.table({"a": [3], "c": [3]}), tmp_path / "3.parquet")
    with pytest.raises(RecipeError, match=r"3\.parquet: its columns differ .*: b, c"):
        source("parquet", path="*.parquet").columns(tmp_path)


def test_a_file_that_is_no_parquet_is_refused_by_name(source, tmp_path):
    (tmp_path / "a.parquet").write_text("no")
    parquet = source("parquet", path="a.parquet")
    for reading in (lambda: parquet.columns(tmp_path), lambda: read(parquet, tmp_path)):
        with pytest.raises(RecipeError, match=r"\[sources\.rows\]: path: .*a\.parquet: "):
            reading()


def test_a_time_beyond_the_calendar_makes_one_row_bad(source, tmp_path):
    table = pa.table({"t": pa.array([0, 2**60], pa.timestamp("us"))})
    pq.write_table(table, tmp_path / "a.parquet")
    first, bad = read(source("parquet", path="a.parquet"), tmp_path)
    assert first == {"t": "1970-01-01T00:00:00"}
    assert bad.position == "row 2"
    assert bad.why.startswith("t: ")


def test_a_damaged_file_is_told_with_the_recipe_that_names_it(source, tmp_path):
    (tmp_path / "a.parquet").touch()
    with pytest.raises(RecipeError, match=r"^recipe\.toml: \[sources\.rows\]: path: "):
        source("parquet", path="a.parquet").columns(tmp_path)
