"""The result of a query in the format that was asked for."""

import csv
from collections.abc import Iterable, Iterator
from decimal import Decimal
from io import StringIO
from typing import Any, BinaryIO

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from flows.plain_text import aligned, counted, one_line

ROWS_SHOWN = 100
WIDEST_CELL = 60
"""Characters of a cell in a table for people; the other formats cut nothing."""


def write_rows(rows: pa.RecordBatchReader, layout: str, stream: BinaryIO) -> None:
    """Writes `rows` to `stream` as they come; formats of text are UTF-8."""
    if layout == "parquet":
        schema = pa.schema([_storable(field) for field in rows.schema])
        with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
            for batch in rows:
                writer.write_batch(_stored(batch, schema))
        return
    pieces = {"table": _as_table, "csv": _as_csv, "json": _as_json}[layout]
    stream.writelines(piece.encode() for piece in pieces(rows))
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


def _as_table(rows: pa.RecordBatchReader) -> Iterator[str]:
    lines = [tuple(map(_cell, rows.schema.names))]
    total = 0
    for batch in rows:
        shown = _rows(batch.slice(0, max(ROWS_SHOWN - total, 0)))
        lines += [tuple(map(_cell, row)) for row in shown]
        total += batch.num_rows
    yield aligned(lines) + "\n"
    if total > ROWS_SHOWN:
        every = "--format csv, json or parquet gives all"
        yield f"the first {ROWS_SHOWN} of {counted(total, 'row')}; {every}\n"


def _as_csv(rows: pa.RecordBatchReader) -> Iterator[str]:
    yield _csv_lines([rows.schema.names])
    for batch in rows:
        yield _csv_lines(map(_csv_cell, row) for row in _rows(batch))


def _csv_lines(rows: Iterable[Iterable[Any]]) -> str:
    lines = StringIO(newline="")
    csv.writer(lines, lineterminator="\n").writerows(rows)
    return lines.getvalue()


def _as_json(rows: pa.RecordBatchReader) -> Iterator[str]:
    """One array, with one object on each line."""
    before = "[\n"
    for batch in rows:
        for row in _rows(batch):
            yield before + _json(dict(zip(rows.schema.names, row, strict=True)))
            before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _rows(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    return zip(*map(_values, batch.columns), strict=True)


def _values(column: pa.Array) -> list[Any]:
    try:
        return list(column.to_pylist())
    except (OverflowError, ValueError):  # times that Python cannot hold: "infinity", the year 10000
        return list(column.cast(_with_times_as_text(column.type)).to_pylist())


def _with_times_as_text(kind: pa.DataType) -> pa.DataType:
    if pt.is_temporal(kind) and not pt.is_interval(kind):
        return pa.string()
    if pt.is_list(kind):
        return pa.list_(_with_times_as_text(kind.value_type))
    if pt.is_struct(kind):
        return pa.struct([field.with_type(_with_times_as_text(field.type)) for field in kind])
    if pt.is_map(kind):
        return pa.map_(_with_times_as_text(kind.key_type), _with_times_as_text(kind.item_type))
    return kind


def _cell(value: Any) -> str:
    """A value on one line.

    >>> _cell("a b"), _cell(None), _cell({"role": "user"}), _cell(0.25)
    ('a b', '', '{"role":"user"}', '0.25')
    """
    return one_line(_text(value) or "", WIDEST_CELL)


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else _json(value)


def _csv_cell(value: Any) -> Any:
    return _json(value) if isinstance(value, dict | list | bool | pa.MonthDayNano) else value


def _json(value: Any) -> str:
    return orjson.dumps(value, default=_json_value).decode()


def _json_value(value: Any) -> Any:
    """What JSON has no word for: whole decimals are integers, bytes are hexadecimal."""
    if isinstance(value, Decimal):
        return int(value) if value == int(value) and abs(value) < 2**63 else float(value)
    if isinstance(value, pa.MonthDayNano):
        return {"months": value.months, "days": value.days, "nanoseconds": value.nanoseconds}
    return value.hex() if isinstance(value, bytes) else str(value)
