"""Cells: one value of one row, read as text, number or key.

A row whose cell cannot be read is dropped with a reason and a detail (`UnusableRow`); a recorded
judgment that cannot be read stays a row, without a score (`number_of` gives None).
"""

import math
import re
from collections.abc import Sequence
from typing import Any

from pipelines.source import Row
from schemas.canonical import canonical_json, join_key

_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?", re.ASCII)

LARGEST = 1e9
"""Scores beyond it are not read: sums of thousands must fit the integers (micro-units) that
selection compares."""

LONGEST_SHOWN = 200
"""Characters of a key or a reference that a message shows: keys may hold whole texts."""


class UnusableRow(Exception):
    """A row cannot be used: `reason` is counted, `detail` is for the one who looks."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class FaultyRow(Exception):
    """A row shows that the recipe is wrong: `fault` is the same for all rows that show it."""

    def __init__(self, fault: str, example: str) -> None:
        super().__init__(f"{fault}: {example}")
        self.fault = fault
        self.example = example


def is_missing(value: Any) -> bool:
    """Whether a cell holds nothing: null, or the NaN that stands for it in number columns."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def as_text(value: Any) -> str:
    """A value as text: text as it stands, anything else as its canonical JSON.

    >>> as_text("3 "), as_text(3), as_text(True), as_text(["a"])
    ('3 ', '3', 'true', '["a"]')
    """
    return value if isinstance(value, str) else canonical_json(value).decode()


def text_cell(row: Row, column: str) -> str | None:
    """The text in a cell, numbers and booleans as their text; None for a missing value.

    Raises UnusableRow for a list or a table.
    """
    value = row.get(column)
    if isinstance(value, list | dict):
        raise UnusableRow("not_text", f"{column}: a {type(value).__name__}")
    return None if is_missing(value) else as_text(value)


def needed_text(row: Row, column: str) -> str:
    """As `text_cell`. Raises UnusableRow for a missing value too."""
    text = text_cell(row, column)
    if text is None:
        raise UnusableRow("missing_value", column)
    return text


def optional_text(row: Row, column: str | None) -> str | None:
    """The text in a cell that may be empty; None for no column, no value and empty text.

    (CSV cannot tell a missing value from empty text.)
    """
    value = row.get(column) if column is not None else None
    return None if is_missing(value) else as_text(value) or None


def key_cell(row: Row, columns: Sequence[str]) -> str:
    """The join key in some cells. A whole number is the same key as integer and as float.

    Raises UnusableRow where a part of the key is missing, or all of it is empty.

    >>> key_cell({"id": 81.0, "model": "m"}, ["id", "model"])
    '[81,"m"]'
    """
    values = [row.get(column) for column in columns]
    for column, value in zip(columns, values, strict=True):
        if is_missing(value):
            raise UnusableRow("missing_value", column)
    if all(value == "" for value in values):
        raise UnusableRow("missing_value", ", ".join(columns))
    return join_key([_whole_if_it_is(value) for value in values])


def _whole_if_it_is(value: Any) -> Any:
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 2**63
    return int(value) if whole else value


def shortened(text: str) -> str:
    """`text` as an error or a detail shows it: not longer than `LONGEST_SHOWN`.

    >>> len(shortened("x" * 10_000)), shortened("short")
    (200, 'short')
    """
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 3] + "..."


def number_of(value: Any) -> float | None:
    """A cell as a number; None for what is not one, or is not finite, or beyond `LARGEST`.

    >>> [number_of(value) for value in (True, "false", " 7.5 ", "7/10", "1_0", "nan", None)]
    [1.0, 0.0, 7.5, None, None, None, None]
    """
    if isinstance(value, str):
        text = value.strip()
        if text.lower() in ("true", "false"):
            return float(text.lower() == "true")
        value = float(text) if _NUMBER.fullmatch(text) else None
    if not isinstance(value, bool | int | float):
        return None
    return float(value) if abs(value) <= LARGEST else None
