from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from flows.texts.table import RECORDS_SHOWN, table_text


def shown(columns: dict[str, Any], width: int | None = None) -> list[str]:
    return "".join(table_text(pa.table(columns).to_reader(), width)).splitlines()


def test_numbers_of_a_column_have_as_many_decimals_as_the_one_that_needs_most() -> None:
    means = [469.0625, 472.30833333333334, None, 7.0]
    assert shown({"mean": means, "whole": [9.0, 8.0, 7.0, 6.0], "half": [0.5, 1.0, 2.5, 3.0]}) == [
        "    mean  whole  half",
        "469.0625      9   0.5",
        "472.3083      8   1.0",
        "              7   2.5",
        "  7.0000      6   3.0",
    ]


def test_very_small_and_very_large_numbers_keep_four_digits() -> None:
    assert shown({"x": [1.23456e-9, 2e18, 0.0, float("nan")]})[1:] == [
        "1.235e-09",
        "2e+18",
        "0",
        "nan",
    ]


def test_sums_beyond_64_bits_keep_every_digit() -> None:
    total = pa.array([Decimal(2**80)], pa.decimal128(38, 0))
    assert shown({"sum": total})[1] == str(2**80)


def test_messages_are_shown_as_who_says_what_and_nested_values_without_marks() -> None:
    messages = [[{"role": "system", "content": "Be\nbrief."}, {"role": "user", "content": "Why?"}]]
    nested = [{"ids": ["a", "b"], "share": 0.1 + 0.2}]
    assert shown({"prompt": messages, "facts": nested})[1] == (
        "system: Be brief. / user: Why?  {ids: [a, b], share: 0.3}"
    )


def test_a_message_that_only_calls_a_tool_shows_the_call() -> None:
    call = {"name": "add", "arguments": "{}"}
    messages = [[{"role": "assistant", "content": None, "tool_calls": [call]}]]
    assert shown({"chosen": messages})[1] == "assistant: [{name: add, arguments: {}}]"


def test_the_widest_cells_are_cut_first_so_that_no_line_is_wrapped() -> None:
    columns = {"id": ["a1"], "text": ["x" * 200], "more": ["word " * 20]}
    lines = shown(columns, width=50)
    assert all(len(line) <= 50 for line in lines)
    assert lines[1] == f"a1  {'x' * 21}…  word word word word w…"
    assert len(shown(columns)[1]) > 50


def test_rows_that_cannot_stand_side_by_side_stand_one_below_the_other() -> None:
    columns = {f"column_{number}": [f"value {number}"] * 2 for number in range(9)}
    columns["text"] = ["x" * 200] * 2
    lines = shown(columns, width=60)
    assert lines[:2] == ["row 1", "  column_0  value 0"]
    assert lines[10] == f"  text      {'x' * 47}…"
    assert lines[11] == "row 2"
    assert all(len(line) <= 60 for line in lines)


def test_of_many_such_rows_the_first_are_shown_and_it_is_said() -> None:
    columns = {f"column_{number}": [f"value {number}"] * 50 for number in range(9)}
    lines = shown(columns, width=60)
    assert sum(line.startswith("row ") for line in lines) == RECORDS_SHOWN
    assert lines[-1].startswith(f"the first {RECORDS_SHOWN} of 50 rows; ")


@pytest.mark.parametrize("width", [None, 40])
def test_no_rows_is_said_below_the_names(width: int | None) -> None:
    empty = {"a": pa.array([], pa.string()), "b": pa.array([], pa.float64())}
    assert shown(empty, width) == ["a  b", "0 rows"]
