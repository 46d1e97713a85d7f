"""Arrow rows as Python values, and values as JSON."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.types as pt


def rows_of(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    """The rows of a batch as Python values; times that Python cannot hold are text."""
    return zip(*map(_values, batch.columns), strict=True)


def json_text(value: Any) -> str:
    """A value as JSON."""
    return orjson.dumps(value, default=_json_value).decode()


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


def _json_value(value: Any) -> Any:
    """What JSON has no word for: whole decimals are integers, bytes are hexadecimal."""
    if isinstance(value, Decimal):
        return int(value) if value == int(value) and abs(value) < 2**63 else float(value)
    if isinstance(value, pa.MonthDayNano):
        return {"months": value.months, "days": value.days, "nanoseconds": value.nanoseconds}
    return value.hex() if isinstance(value, bytes) else str(value)
