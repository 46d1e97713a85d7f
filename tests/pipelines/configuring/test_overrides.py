from decimal import Decimal

import pytest

from pipelines.configuring.overrides import apply_override
from pipelines.errors import RecipeError


def after(table, *overrides):
    for override in overrides:
        apply_override(table, override, "r.toml")
    return table


def two_margins():
    return {"filters": [{"kind": "margin", "min": 1}, {"kind": "margin", "name": "far", "max": 5}]}


def test_an_entry_is_found_by_position_name_or_kind():
    assert after(two_margins(), "filters.1.max=6")["filters"][1]["max"] == 6
    assert after(two_margins(), "filters.far.max=6.5")["filters"][1]["max"] == Decimal("6.5")
    table = {"filters": [{"kind": "empty"}, {"kind": "margin"}]}
    assert after(table, "filters.margin.min=2")["filters"][1]["min"] == 2


def test_a_kind_that_two_entries_have_is_refused_with_their_positions():
    with pytest.raises(RecipeError, match='has 2 "margin" there; name one by its position: 0 or 1'):
        after(two_margins(), "filters.margin.min=2")


def test_a_path_through_an_array_of_plain_values_is_refused():
    table = {"filters": [{"kind": "margin", "values": [2, 3]}]}
    with pytest.raises(RecipeError, match='has no "0" there'):
        after(table, "filters.margin.values.0.x=1")


def test_a_value_of_several_lines_is_text():
    table = {}
    apply_override(table, 'description="a"\nseed = 3', "r.toml")
    assert table == {"description": '"a"\nseed = 3'}
