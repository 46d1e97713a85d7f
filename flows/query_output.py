"""The result of a query in the format that was asked for."""

import csv
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO, TextIOWrapper
from typing import Any, BinaryIO

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from flows.plain_text import aligned, counted

FORMATS = ("table", "csv", "json", "parquet")

ROWS_SHOWN = 100
WIDEST_CELL = 60
"""Characters of a cell in a table for people; the other formats cut nothing."""


def write_result(result: pa.Table, layout: str, stream: BinaryIO) -> None:
    """Writes `result` to `stream`, in UTF-8 where the format is text."""
    if layout == "parquet":
        pq.write_table(result, stream, compression="zstd")
        return
    writers = {"table": _as_table, "csv": _as_csv, "json": _as_json}
    text = TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
    try:
        for piece in writers[layout](result):
            text.write(piece)
    finally:
        text.detach()


def _as_table(result: pa.Table) -> Iterator[str]:
    shown = result.slice(0, ROWS_SHOWN)
    columns = [[_cell(value) for value in column.to_pylist()] for column in shown.columns]
    heads = [_cell(name) for name in result.column_names]
    yield aligned([tuple(heads), *zip(*columns, strict=True)]) + "\n"
    if result.num_rows > ROWS_SHOWN:
        total = counted(result.num_rows, "row")
        yield f"the first {ROWS_SHOWN} of {total}; --format csv, json or parquet gives all\n"


def _as_csv(result: pa.Table) -> Iterator[str]:
    lines = StringIO(newline="")
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(result.column_names)
    yield lines.getvalue()
    for batch in result.to_batches():
        lines.seek(0)
        lines.truncate()
        columns = [column.to_pylist() for column in batch.columns]
        writer.writerows(map(_csv_cell, row) for row in zip(*columns, strict=True))
        yield lines.getvalue()


def _as_json(result: pa.Table) -> Iterator[str]:
    """One JSON array, one object on each line."""
    before = "[\n"
    for batch in result.to_batches():
        for row in batch.to_pylist():
            yield before + _json(row)
            before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _cell(value: Any) -> str:
    r"""A value on one line without control characters: a text may hold a terminal's commands.

    >>> _cell("a\nb \x1b[31m"), _cell(None), _cell({"role": "user"}), _cell(0.25)
    ('a b [31m', '', '{"role":"user"}', '0.25')
    """
    text = "" if value is None else value if isinstance(value, str) else _json(value)
    line = "".join(one for one in " ".join(text.split()) if unicodedata.category(one)[0] != "C")
    return line if len(line) <= WIDEST_CELL else line[: WIDEST_CELL - 1] + "…"


def _csv_cell(value: Any) -> Any:
    return _json(value) if isinstance(value, dict | list | bool) else value


def _json(value: Any) -> str:
    return orjson.dumps(value, default=_json_value).decode()


def _json_value(value: Any) -> Any:
    """What JSON has no word for: whole decimals are integers, bytes are hexadecimal."""
    if isinstance(value, Decimal):
        return int(value) if value == int(value) and abs(value) < 2**63 else float(value)
    return value.hex() if isinstance(value, bytes) else str(value)
