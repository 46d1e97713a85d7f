from decimal import Decimal

import pytest

from pipelines.errors import RecipeError
from tests.pipelines.tables import UNIT, part, reasons


def pairs(*given):
    return [{"task": task, "score_margin": round(margin * UNIT)} for task, margin in given]


def schedule(**fields):
    return part("filters", "margin_schedule", by="task", **fields)


def test_each_task_has_its_own_bound_and_keeps_a_pair_exactly_at_it():
    own = schedule(min={"math": 2, "chat": Decimal("0.5")})
    rows = pairs(("math", 2), ("math", 1.999999), ("chat", 0.5), ("chat", 0.4))
    assert reasons(own, rows) == [set(), {"margin_too_small"}, set(), {"margin_too_small"}]


def test_a_pair_of_another_task_is_dropped_unless_there_is_a_default():
    rows = pairs(("law", 9), (None, 9), ("law", 0.5), (None, 0.5))
    unknown = {"margin_not_scheduled"}
    assert reasons(schedule(min={"math": 2}), rows) == [unknown] * 4
    small = {"margin_too_small"}
    assert reasons(schedule(min={"math": 2}, default=1), rows) == [set(), set(), small, small]


def test_a_pair_without_scores_is_unscored():
    rows = [{"task": "math", "score_margin": None}, {"task": "law", "score_margin": None}]
    own = schedule(min={"math": 2})
    assert reasons(own, rows) == [{"unscored"}, {"unscored", "margin_not_scheduled"}]


def test_every_bound_is_checked_against_the_scale():
    assert set(schedule(min={"a": 1, "b": 2}, default=3).margins_on_scale()) == {1, 2, 3}
    assert set(schedule(min={"a": 1}).margins_on_scale()) == {1}


@pytest.mark.parametrize("fields", [{"min": {}}, {"min": {"a": "x"}}, {"min": 2}, {}])
def test_bounds_are_a_table_of_numbers(fields):
    with pytest.raises(RecipeError, match=r"\[\[filters\]\]: min"):
        schedule(**fields)


def test_a_column_that_has_no_groups_is_refused():
    with pytest.raises(RecipeError, match='by: no text of pairs is called "topic"'):
        part("filters", "margin_schedule", by="topic", min={"a": 1})
