"""The rows of a query, written as they come: table, CSV, JSON or Parquet."""

import csv
from collections.abc import Iterator
from decimal import Decimal
from io import TextIOWrapper
from typing import Any, BinaryIO, Literal

import orjson
import pyarrow as pa

from pipelines.safe_sql import QueryError

Format = Literal["table", "csv", "json", "parquet"]

TABLE_ROWS = 200
"""Rows that a table shows; the other formats write all."""
CELL_CHARS = 200
"""Characters of a text that a table shows."""


def write_result(reader: pa.RecordBatchReader, form: Format, out: BinaryIO) -> None:
    """Writes all rows of `reader` to `out`. Memory holds one batch; a table holds its rows.

    NULL is an empty field in CSV and null in JSON; nested values in CSV are JSON.
    """
    if form == "parquet":
        return _write_parquet(reader, out)
    if form == "json":
        return _write_json(reader, out)
    text = TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    try:
        (_write_csv if form == "csv" else _write_table)(reader, text)
    finally:
        text.detach()  # `out` stays open


def _write_parquet(reader: pa.RecordBatchReader, out: BinaryIO) -> None:
    import pyarrow.parquet as pq

    try:
        with pq.ParquetWriter(out, reader.schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(batch)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise QueryError(f"Parquet cannot hold this result: {error}. Cast the column") from error


def _write_json(reader: pa.RecordBatchReader, out: BinaryIO) -> None:
    """One array, a row a line."""
    before = b"[\n"
    for row in _rows(reader):
        out.write(before + to_json(dict(zip(reader.schema.names, row, strict=True))))
        before = b",\n"
    out.write(b"[]\n" if before == b"[\n" else b"\n]\n")


def _write_csv(reader: pa.RecordBatchReader, out: TextIOWrapper) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(reader.schema.names)
    for row in _rows(reader):
        writer.writerow(["" if value is None else as_text(value) for value in row])


def _write_table(reader: pa.RecordBatchReader, out: TextIOWrapper) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for field in reader.schema:
        number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        table.add_column(Text(_printable(field.name)), justify="right" if number else "left")
    for count, row in enumerate(_rows(reader)):
        if count == TABLE_ROWS:
            table.caption = f"The first {TABLE_ROWS} rows. --format csv writes all."
            break
        table.add_row(*(Text("" if value is None else _cell(value)) for value in row))
    Console(file=out).print(table)


def _rows(reader: pa.RecordBatchReader) -> Iterator[tuple[Any, ...]]:
    for batch in reader:
        columns = [column.to_pylist() for column in batch.columns]
        yield from zip(*columns, strict=True)


def to_json(value: Any) -> bytes:
    """A value of a result as JSON. A whole number stays one, however DuckDB typed it.

    >>> to_json({"sum": Decimal("3"), "mean": Decimal("1.5"), "huge": Decimal(10) ** 30})
    b'{"sum":3,"mean":1.5,"huge":"1000000000000000000000000000000"}'
    """
    return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        if value != value.to_integral_value():
            return float(value)
        return int(value) if abs(value) < 2**63 else format(value, "f")
    return value.hex() if isinstance(value, bytes) else str(value)


def as_text(value: Any) -> str:
    """A value of a result as CSV and tables show it.

    >>> as_text("a"), as_text(True), as_text([1, None]), as_text(0.1)
    ('a', 'true', '[1,null]', '0.1')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, float | int) and not isinstance(value, bool):
        return repr(value)
    encoded = to_json(value).decode()
    return encoded.strip('"') if not isinstance(value, dict | list | tuple) else encoded


def _cell(value: Any) -> str:
    text = _printable(as_text(value))
    return text if len(text) <= CELL_CHARS else f"{text[: CELL_CHARS - 1]}…"


def _printable(text: str) -> str:
    r"""`text` without what would move the cursor of a terminal.

    >>> _printable("a\n\x1b[31mb")
    'a␊␛[31mb'
    """
    if text.isprintable():
        return text
    return "".join(_symbol(character) for character in text)


def _symbol(character: str) -> str:
    if ord(character) < 0x20:
        return chr(0x2400 + ord(character))
    return character if character.isprintable() or character == "\u00a0" else "\ufffd"
