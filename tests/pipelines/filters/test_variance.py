from decimal import Decimal

import pytest

from pipelines.errors import RecipeError
from pipelines.selection.steps import apply_filters
from tests.pipelines.tables import frames_of, part

AIR = {
    "p1": [8, 7, 9, 8],  # v = 0.5
    "p2": [9, 2, 7, 5],  # v = 6.6875
    "p3": [8, 6, 5, 8, 7],  # v = 1.36
    "p4": [9, 9, 9, 9],  # v = 0
}


def kept(scores, **fields):
    frame = frames_of(scores).prompts
    rows, drops = apply_filters([part("filters", "variance", **fields)], frame, "prompts")
    return set(rows["prompt_id"]), dict(drops.select("id", "reason").rows())


def test_air_keeps_prompts_that_the_models_agree_on():
    assert kept(AIR, max=Decimal("1.5")) == ({"p1", "p3", "p4"}, {"p2": "variance_too_high"})


def test_a_variance_exactly_at_the_bound_is_kept():
    boundary = {"p": [0, 3, 3, 2]}  # mean 2, squares 4 + 1 + 1 + 0, v = 1.5
    assert kept(boundary, max=Decimal("1.5"))[0] == {"p"}
    assert kept(boundary, min=Decimal("1.5"))[0] == {"p"}
    assert kept(boundary, max=Decimal("1.499999"))[1] == {"p": "variance_too_high"}


def test_ddof_1_divides_by_one_less():
    p1 = {"p1": AIR["p1"]}  # 2 / 3 = 0.667
    assert kept(p1, max=Decimal("0.666667"), ddof=1)[0] == {"p1"}
    assert kept(p1, max=Decimal("0.666666"), ddof=1)[0] == set()


def test_fewer_than_three_scores_have_no_variance():
    scores = {"p": [5, 5, None], "q": [], "r": [5, 5, 5]}
    expected = ({"r"}, {"p": "too_few_scores", "q": "too_few_scores"})
    assert kept(scores, max=1) == expected


def test_a_lower_bound_drops_prompts_that_all_agree_on():
    assert kept(AIR, min=Decimal("0.5")) == ({"p1", "p2", "p3"}, {"p4": "variance_too_low"})


def test_models_count_by_their_means_and_responses_one_by_one():
    models = {
        "p0": {"model": "m"},
        "p1": {"model": "m"},
        "p2": {"model": "n"},
        "p3": {"model": "o"},
    }
    frame = frames_of({"p": [0, 8, 4, 4]}, models).prompts
    across = {
        choice: apply_filters([part("filters", "variance", max=0, across=choice)], frame, "prompts")
        for choice in ("models", "responses")
    }
    assert across["models"][0].height == 1
    assert across["responses"][0].height == 0


def test_scores_of_a_billion_do_not_overflow():
    assert kept({"p": [1e9, -1e9, 0]}, max=Decimal("1e18"))[0] == {"p"}  # v = 2/3 e18


def test_a_variance_without_a_bound_is_refused():
    with pytest.raises(RecipeError, match="give `max`, `min`"):
        part("filters", "variance")


def test_a_bound_that_no_integer_holds_is_refused():
    with pytest.raises(RecipeError, match="no threshold can lie beyond"):
        part("filters", "variance", max=Decimal("1e30"))
