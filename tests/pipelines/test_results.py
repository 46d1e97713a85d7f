import csv
import json
from datetime import date
from decimal import Decimal
from io import BytesIO, StringIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.results import CELL_CHARS, TABLE_ROWS, write_result
from pipelines.safe_sql import QueryError

ROWS = [
    {"id": "a", "n": 1, "x": 0.1, "ok": True, "messages": [{"role": "user", "content": "ü"}],
     "sum": Decimal(3), "day": date(2026, 1, 2)},
    {"id": 'q"uo,te\n', "n": None, "x": None, "ok": None, "messages": None, "sum": None, "day": None},
]  # fmt: skip
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("n", pa.int64()),
        ("x", pa.float64()),
        ("ok", pa.bool_()),
        ("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
        ("sum", pa.decimal128(38, 0)),
        ("day", pa.date32()),
    ]
)


def written(form, rows=ROWS, schema=SCHEMA, chunk=1):
    table = pa.Table.from_pylist(rows, schema)
    out = BytesIO()
    write_result(table.to_reader(max_chunksize=chunk), form, out)
    assert not out.closed
    return out.getvalue()


def test_csv_has_empty_fields_for_null_and_json_for_nested_values():
    rows = list(csv.reader(StringIO(written("csv").decode())))
    assert rows == [
        SCHEMA.names,
        ["a", "1", "0.1", "true", '[{"role":"user","content":"ü"}]', "3", "2026-01-02"],
        ['q"uo,te\n', "", "", "", "", "", ""],
    ]


def test_json_is_one_array_with_a_row_a_line():
    text = written("json").decode()
    assert json.loads(text) == [
        {"id": "a", "n": 1, "x": 0.1, "ok": True, "messages": [{"role": "user", "content": "ü"}],
         "sum": 3, "day": "2026-01-02"},
        {"id": 'q"uo,te\n', **dict.fromkeys(SCHEMA.names[1:])},
    ]  # fmt: skip
    assert len(text.splitlines()) == 4


def test_no_rows_are_an_empty_array_a_header_and_an_empty_table():
    assert json.loads(written("json", [])) == []
    assert written("csv", []).decode().split(",")[0] == "id"
    assert pq.read_table(BytesIO(written("parquet", []))).schema == SCHEMA
    assert "messages" in written("table", []).decode()


def test_parquet_reads_back_as_it_was():
    assert pq.read_table(BytesIO(written("parquet"))).to_pylist() == ROWS


def test_parquet_that_cannot_hold_a_type_says_so():
    schema = pa.schema([("span", pa.month_day_nano_interval())])
    with pytest.raises(QueryError, match="Parquet cannot hold this result"):
        written("parquet", [{"span": None}], schema)


def test_a_table_shows_text_as_text_and_never_moves_the_cursor():
    schema = pa.schema([("text", pa.string())])
    text = written("table", [{"text": "[red]a\x1b[31m\nb\u202e"}, {"text": None}], schema).decode()
    assert "[red]a␛[31m␊b\ufffd" in text
    assert "\x1b[31m" not in text


def test_a_table_cuts_long_texts_and_many_rows_and_says_so():
    schema = pa.schema([("text", pa.string())])
    text = written("table", [{"text": "x " * 1000}] * (TABLE_ROWS + 1), schema).decode()
    assert text.count("x") - text.count("text") == TABLE_ROWS * CELL_CHARS // 2
    assert text.count("…") == TABLE_ROWS
    assert f"The first {TABLE_ROWS} rows" in " ".join(text.split())
