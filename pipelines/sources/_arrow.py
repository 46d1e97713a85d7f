"""Rows from Arrow batches, as plain Python values."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.types as pt

from pipelines.source import BadRow, Row

BATCH_ROWS = 1024
"""Rows that are held in memory at once."""

UNREADABLE = (ValueError, OverflowError)
"""What Arrow raises for invalid UTF-8, and for a time that Python's types cannot hold."""


def rows_of(batches: Iterable[pa.RecordBatch], prefix: str = "") -> Iterator[Row | BadRow]:
    """The rows of `batches`; a row with a value that cannot be read is bad, its neighbours stay."""
    position = count(1)
    for batch in batches:
        batch = _with_readable_times(batch)
        odd = [field.name for field in batch.schema if not _is_plain(field.type)]
        for row in _unpacked(batch):
            place = f"{prefix}row {next(position)}"
            yield _plain_row(row, odd, place) if isinstance(row, dict) else BadRow(place, row)


def _unpacked(batch: pa.RecordBatch) -> Iterator[Row | str]:
    """The rows of a batch; for one that Arrow itself cannot unpack, the reason."""
    try:
        yield from batch.to_pylist()
    except UNREADABLE:  # find the rows that hold it
        for start in range(batch.num_rows):
            yield _unpacked_row(batch.slice(start, 1))


def _unpacked_row(row: pa.RecordBatch) -> Row | str:
    try:
        unpacked: Row = row.to_pylist()[0]
    except UNREADABLE as error:
        return f"{_culprit(row)}: {error}"
    return unpacked


def _culprit(row: pa.RecordBatch) -> str:
    for name, column in zip(row.schema.names, row.columns, strict=True):
        try:
            column.to_pylist()
        except UNREADABLE:
            return str(name)
    raise AssertionError  # the row as a whole could not be unpacked


def _plain_row(row: Row, odd: list[str], place: str) -> Row | BadRow:
    for name in odd:
        try:
            row[name] = plain(row[name])
        except ValueError as error:
            return BadRow(place, f"{name}: {error}")
    return row


def _with_readable_times(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Nanosecond timestamps as text: Python's own cannot hold them."""
    for index, field in enumerate(batch.schema):
        if pt.is_timestamp(field.type) and field.type.unit == "ns":
            batch = batch.set_column(index, field.name, batch.column(index).cast(pa.string()))
    return batch


def _is_plain(kind: pa.DataType) -> bool:
    """Whether values of this type already are text, numbers, booleans, lists and dicts of them."""
    if pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind):
        return _is_plain(kind.value_type)
    if pt.is_struct(kind):
        return all(_is_plain(field.type) for field in kind)
    text = pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind)
    return text or any(
        check(kind) for check in (pt.is_integer, pt.is_floating, pt.is_boolean, pt.is_null)
    )


def plain(value: Any) -> Any:
    """`value` as JSON could hold it. Raises ValueError for what is neither number nor text.

    Times become ISO text, decimals numbers, durations seconds; bytes must be UTF-8.

    >>> plain([date(2026, 1, 31), Decimal("2.50"), Decimal(4), (b"a", timedelta(minutes=1))])
    ['2026-01-31', 2.5, 4, ['a', 60.0]]
    """
    match value:
        case None | str() | bool() | int() | float():
            return value
        case list() | tuple():
            return [plain(entry) for entry in value]
        case dict():
            return {str(key): plain(entry) for key, entry in value.items()}
        case datetime() | date() | time():
            return value.isoformat()
        case Decimal():
            return _number(value)
        case timedelta():
            return value.total_seconds()
        case bytes():
            return value.decode()
        case UUID():
            return str(value)
    raise ValueError(f"a {type(value).__name__} is neither text nor a number")


def _number(value: Decimal) -> int | float:
    whole = value.is_finite() and value == value.to_integral_value() and abs(value) < 2**63
    return int(value) if whole else float(value)
