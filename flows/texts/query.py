"""The result of a query in the format that was asked for."""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from flows.texts.json_values import json_text, rows_of
from flows.texts.table import table_text


def write_rows(
    rows: pa.RecordBatchReader, layout: str, stream: BinaryIO, width: int | None = None
) -> None:
    """Writes `rows` to `stream` as they come; formats of text are UTF-8.

    A table for a terminal of `width` columns wraps no line.
    """
    if layout == "parquet":
        schema = pa.schema([_storable(field) for field in rows.schema])
        with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
            for batch in rows:
                writer.write_batch(_stored(batch, schema))
        return
    if layout == "table":
        pieces = table_text(rows, width)
    else:
        pieces = {"csv": _as_csv, "json": _as_json}[layout](rows)
    stream.writelines(piece.encode() for piece in pieces)
    stream.flush()


def _storable(field: pa.Field) -> pa.Field:
    """`field`; as JSON text where Parquet has no such type (intervals, unions)."""
    try:
        pq.ParquetWriter(pa.BufferOutputStream(), pa.schema([field])).close()
    except pa.ArrowNotImplementedError:
        return pa.field(field.name, pa.string())
    return field


def _stored(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = [
        column
        if column.type == field.type
        else pa.array(map(_text, column.to_pylist()), field.type)
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _as_csv(rows: pa.RecordBatchReader) -> Iterator[str]:
    yield _csv_lines([rows.schema.names])
    for batch in rows:
        yield _csv_lines(map(_csv_cell, row) for row in rows_of(batch))


def _csv_lines(rows: Iterable[Iterable[Any]]) -> str:
    lines = StringIO(newline="")
    csv.writer(lines, lineterminator="\n").writerows(rows)
    return lines.getvalue()


def _as_json(rows: pa.RecordBatchReader) -> Iterator[str]:
    """One array, with one object on each line."""
    before = "[\n"
    for batch in rows:
        for row in rows_of(batch):
            yield before + json_text(dict(zip(rows.schema.names, row, strict=True)))
            before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json_text(value)


def _csv_cell(value: Any) -> Any:
    return json_text(value) if isinstance(value, dict | list | bool | pa.MonthDayNano) else value
