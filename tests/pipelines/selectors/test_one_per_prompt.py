from decimal import Decimal

import pytest

from pipelines.errors import RecipeError
from tests.pipelines.tables import UNIT, kept, part


def pair(id_, chosen, margin, prompt="p"):
    scores = {"score_chosen": chosen, "score_margin": margin}
    micro = {name: None if value is None else round(value * UNIT) for name, value in scores.items()}
    return {"pair_id": id_, "prompt_id": prompt, **micro}


def test_the_highest_chosen_score_goes_first_then_the_margin_nearest_to_2():
    pairs = [pair("a", 8, 2), pair("b", 9, 5), pair("c", 9, 1), pair("d", 9, 3)]
    assert kept(part("selectors", "one_per_prompt"), pairs) == ["c"]


def test_the_wanted_margin_can_be_set():
    pairs = [pair("a", 9, 1), pair("b", 9, 3)]
    assert kept(part("selectors", "one_per_prompt", margin=Decimal("2.5")), pairs) == ["b"]


def test_what_is_equal_is_ordered_by_pair_id_and_what_is_unscored_comes_last():
    pairs = [pair("a", None, None), pair("c", 9, 2), pair("b", 9, 2), pair("d", None, None, "q")]
    assert kept(part("selectors", "one_per_prompt"), pairs) == ["b", "d"]


def test_the_largest_margin_can_be_preferred():
    pairs = [pair("a", 9, 2), pair("b", 8, 5), pair("c", 7, None)]
    assert kept(part("selectors", "one_per_prompt", prefer="largest_margin"), pairs) == ["b"]


def test_a_random_pair_depends_on_the_seed():
    pairs = [pair(id_, 9, 2) for id_ in "abc"]
    selector = part("selectors", "one_per_prompt", prefer="random")
    assert {kept(selector, pairs, seed)[0] for seed in range(30)} == {"a", "b", "c"}
    assert kept(selector, pairs, 5) == kept(selector, pairs[::-1], 5)


def test_a_margin_that_nothing_looks_at_is_refused():
    with pytest.raises(RecipeError, match="highest_chosen"):
        part("selectors", "one_per_prompt", prefer="random", margin=1)
