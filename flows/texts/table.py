"""The rows of a query as a table for people: numbers rounded, cells cut, no line wrapped.

The other formats keep every digit and character.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.types as pt

from flows.texts.json_values import json_text, rows_of
from flows.texts.plain import aligned, counted
from flows.texts.terminal import columns_of, one_line

ROWS_SHOWN = 100
RECORDS_SHOWN = 20
"""Rows that are shown one below the other, where they are too wide to stand side by side."""
WIDEST_CELL = 60
"""Columns of a cell, at the most."""
NARROWEST_CELL = 12
"""Columns that a cell is not cut below: rather than that, rows stand one below the other."""
DECIMALS = 4
"""Digits behind the point, at the most."""


def table_text(rows: pa.RecordBatchReader, width: int | None = None) -> Iterator[str]:
    """The table in pieces, in `width` columns where given: with longer cells cut shorter.

    Rows that do not fit even so stand one below the other, a line for each column.
    """
    shown, total = _first_rows(rows)
    values = list(zip(*shown, strict=True)) if shown else [()] * len(rows.schema)
    columns = [
        [one_line(field.name, WIDEST_CELL), *_cells(column, field.type, width or 0)]
        for field, column in zip(rows.schema, values, strict=True)
    ]
    widths = _widths(columns, width)
    if widths is None:
        yield from _records(columns, width or 0)
    else:
        yield aligned(list(zip(*map(_cut, columns, widths), strict=True))) + "\n"
    most = RECORDS_SHOWN if widths is None else ROWS_SHOWN
    if total > most:
        every = "--format csv, json or parquet gives all"
        yield f"the first {most} of {counted(total, 'row')}; {every}\n"
    elif not total:
        yield "0 rows\n"


def compact(value: Any) -> str:
    """A value without the marks of JSON; of messages, who says what.

    >>> compact([{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}])
    'user: Why? / assistant: So.'
    >>> compact(["a", 0.1 + 0.2, None]), compact({"score": 1.0, "why": "b"})
    ('[a, 0.3, null]', '{score: 1, why: b}')
    """
    if isinstance(value, list):
        if value and all(
            isinstance(one, dict) and {"role", "content"} <= one.keys() for one in value
        ):
            return " / ".join(map(_message, value))
        return f"[{', '.join(map(compact, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {compact(one)}' for key, one in value.items())}}}"
    if isinstance(value, float | Decimal):
        return rounded(value, DECIMALS, trim=True)
    return value if isinstance(value, str) else json_text(value)


def rounded(number: float | Decimal, decimals: int, *, trim: bool = False) -> str:
    """A number with `decimals` digits behind its point, or without those that are 0.

    Very small numbers, and floating ones that are very large, in four digits.

    >>> rounded(472.30833333333334, 4), rounded(0.5, 4, trim=True), rounded(1.5e-7, 4)
    ('472.3083', '0.5', '1.5e-07')
    """
    size = abs(float(number))
    if 0 < size < 1e-4 or (isinstance(number, float) and not size < 1e15):
        return f"{number:.4g}"
    text = f"{number:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if trim and "." in text else text


def _message(message: dict[str, Any]) -> str:
    said = message["content"]
    if not said and message.get("tool_calls"):
        said = compact(message["tool_calls"])
    return f"{message['role']}: {said or ''}"


def _cut(column: Sequence[str], width: int) -> list[str]:
    return [one_line(cell, width) for cell in column]


def _first_rows(rows: pa.RecordBatchReader) -> tuple[list[tuple[Any, ...]], int]:
    shown: list[tuple[Any, ...]] = []
    total = 0
    for batch in rows:
        shown += rows_of(batch.slice(0, max(ROWS_SHOWN - total, 0)))
        total += batch.num_rows
    return shown, total


def _cells(column: Sequence[Any], kind: pa.DataType, width: int) -> list[str]:
    """The cells of a column; of numbers, with as many decimals as the one that needs most."""
    widest = max(width, WIDEST_CELL)
    if pt.is_floating(kind) or pt.is_decimal(kind):
        given = [value for value in column if value is not None]
        needed = max((_decimals(value) for value in given), default=0)
        return ["" if value is None else rounded(value, needed) for value in column]
    return ["" if value is None else one_line(compact(value), widest) for value in column]


def _decimals(number: float | Decimal) -> int:
    """Digits behind the point that a number needs, up to `DECIMALS`.

    >>> _decimals(0.5), _decimals(1 / 3), _decimals(7.0), _decimals(1.5e-7)
    (1, 4, 0, 0)
    """
    text = rounded(number, DECIMALS, trim=True)
    return 0 if "e" in text else len(text.partition(".")[2])


def _widths(columns: Sequence[Sequence[str]], width: int | None) -> list[int] | None:
    """The columns' widths that together fit into `width`; None where they cannot.

    >>> _widths([["id"], ["x" * 50], ["y" * 90]], 70), _widths([["x" * 50]] * 9, 70)
    ([2, 32, 32], None)
    """
    widths = [min(max(map(columns_of, column)), WIDEST_CELL) for column in columns]
    if width is None:
        return widths
    room = width - 2 * (len(widths) - 1)
    while sum(widths) > room:
        widest = max(widths)
        if widest <= NARROWEST_CELL:
            return None
        second = max((one for one in widths if one < widest), default=0)
        many = widths.count(widest)
        over = sum(widths) - room
        less = max(widest - -(-over // many), second, NARROWEST_CELL)
        widths = [less if one == widest else one for one in widths]
    return widths


def _records(columns: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Each row as a block of lines: name of a column, value."""
    label = max(columns_of(column[0]) for column in columns)
    for row in range(1, min(len(columns[0]), RECORDS_SHOWN + 1)):
        yield f"row {row}\n"
        for column in columns:
            value = one_line(column[row], max(width - label - 4, NARROWEST_CELL))
            space = " " * (label - columns_of(column[0]))
            yield f"  {column[0]}{space}  {value}".rstrip() + "\n"
