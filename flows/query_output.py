"""The result of a query in the format that was asked for."""

import csv
from collections.abc import Iterable, Iterator
from decimal import Decimal
from io import StringIO
from typing import Any, BinaryIO

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from flows.plain_text import aligned, counted, one_line

ROWS_SHOWN = 100
WIDEST_CELL = 60
"""Characters of a cell in a table for people; the other formats cut nothing."""


def write_rows(rows: pa.RecordBatchReader, layout: str, stream: BinaryIO) -> None:
    """Writes `rows` to `stream` as they come; formats of text are UTF-8."""
    if layout == "parquet":
        with pq.ParquetWriter(stream, rows.schema, compression="zstd") as writer:
            for batch in rows:
                writer.write_batch(batch)
        return
    pieces = {"table": _as_table, "csv": _as_csv, "json": _as_json}[layout]
    stream.writelines(piece.encode() for piece in pieces(rows))
    stream.flush()


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
    return zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _cell(value: Any) -> str:
    """A value on one line.

    >>> _cell("a b"), _cell(None), _cell({"role": "user"}), _cell(0.25)
    ('a b', '', '{"role":"user"}', '0.25')
    """
    text = "" if value is None else value if isinstance(value, str) else _json(value)
    return one_line(text, WIDEST_CELL)


def _csv_cell(value: Any) -> Any:
    return _json(value) if isinstance(value, dict | list | bool) else value


def _json(value: Any) -> str:
    return orjson.dumps(value, default=_json_value).decode()


def _json_value(value: Any) -> Any:
    """What JSON has no word for: whole decimals are integers, bytes are hexadecimal."""
    if isinstance(value, Decimal):
        return int(value) if value == int(value) and abs(value) < 2**63 else float(value)
    return value.hex() if isinstance(value, bytes) else str(value)
