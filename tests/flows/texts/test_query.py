import csv
import io
import json
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.commands.sql import FORMATS
from flows.texts.query import write_rows
from flows.texts.table import ROWS_SHOWN

RESULT = pa.table(
    {
        "model": ["llama", 'say "hi", é', None],
        "wins": pa.array([3, None, 12], pa.int64()),
        "share": [0.5, float("nan"), 1.0],
        "sum": pa.array([Decimal(7), Decimal("0.5"), None], pa.decimal128(38, 1)),
        "messages": [[{"role": "user", "content": "a\nb"}], [], None],
    }
)


def written(layout: str, result: pa.Table = RESULT) -> bytes:
    stream = io.BytesIO()
    write_rows(result.to_reader(max_chunksize=2), layout, stream)
    return stream.getvalue()


def test_json_is_one_array_of_rows() -> None:
    assert json.loads(written("json")) == [
        {"model": "llama", "wins": 3, "share": 0.5, "sum": 7,
         "messages": [{"role": "user", "content": "a\nb"}]},
        {"model": 'say "hi", é', "wins": None, "share": None, "sum": 0.5, "messages": []},
        {"model": None, "wins": 12, "share": 1.0, "sum": None, "messages": None},
    ]  # fmt: skip


def test_csv_reads_back_with_nested_values_as_json() -> None:
    rows = list(csv.DictReader(io.StringIO(written("csv").decode(), newline="")))
    assert [row["model"] for row in rows] == ["llama", 'say "hi", é', ""]
    assert [row["wins"] for row in rows] == ["3", "", "12"]
    assert json.loads(rows[0]["messages"]) == [{"role": "user", "content": "a\nb"}]


def test_parquet_reads_back_unchanged() -> None:
    assert (
        pq.read_table(io.BytesIO(written("parquet"))).drop(["share"]).equals(RESULT.drop(["share"]))
    )


def test_a_table_is_for_reading() -> None:
    lines = written("table").decode().splitlines()
    assert lines[0].split() == ["model", "wins", "share", "sum", "messages"]
    assert len(lines) == 4


def test_a_table_passes_no_control_characters_to_the_terminal() -> None:
    shown = written("table", pa.table({"text": ["\x1b]0;owned\x07\x9b2J\u202etxt"]})).decode()
    assert shown == "text\n]0;owned2Jtxt\n"


def test_a_long_table_is_cut_and_says_so() -> None:
    shown = written("table", pa.table({"n": range(5000)})).decode().splitlines()
    assert len(shown) == 1 + ROWS_SHOWN + 1
    assert shown[-1].startswith("the first 100 of 5,000 rows; ")
    assert len(json.loads(written("json", pa.table({"n": range(5000)})))) == 5000


@pytest.mark.parametrize("layout", FORMATS)
def test_a_result_without_rows_keeps_its_columns(layout: str) -> None:
    empty = RESULT.slice(0, 0)
    found = written(layout, empty)
    if layout == "parquet":
        assert pq.read_table(io.BytesIO(found)).equals(empty)
    elif layout == "json":
        assert json.loads(found) == []
    else:
        names, *rest = found.decode().splitlines()
        assert names.replace(",", " ").split() == RESULT.column_names
        assert rest == (["0 rows"] if layout == "table" else [])


def test_times_that_python_cannot_hold_are_text() -> None:
    beyond = pa.array([253_402_300_800], pa.timestamp("s"))
    result = pa.table(
        {
            "at": beyond,
            "all": pa.ListArray.from_arrays([0, 1], beyond),
            "row": pa.StructArray.from_arrays([beyond], ["at"]),
        }
    )
    at = "10000-01-01 00:00:00"
    assert json.loads(written("json", result)) == [{"at": at, "all": [at], "row": {"at": at}}]
    assert written("csv", result).decode().splitlines()[1].startswith(f"{at},")


def test_what_parquet_has_no_type_for_becomes_json_text() -> None:
    span = pa.scalar((1, 2, 3), pa.month_day_nano_interval())
    spans = pa.array([span.as_py(), None], span.type)
    result = pa.table(
        {"n": [1, 2], "span": spans, "all": pa.ListArray.from_arrays([0, 1, 2], spans)}
    )
    span_text = '{"months":1,"days":2,"nanoseconds":3}'
    found = pq.read_table(io.BytesIO(written("parquet", result)))
    assert found.schema.types == [pa.int64(), pa.string(), pa.string()]
    assert found.to_pylist() == [
        {"n": 1, "span": span_text, "all": f"[{span_text}]"},
        {"n": 2, "span": None, "all": "[null]"},
    ]
