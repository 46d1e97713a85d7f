from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import RecipeError
from tests.pipelines.tables import part, rows_of

SIZES = {"math": 30, "code": 10, "chat": 100}


def mixed(sizes, weights, seed=0):
    """How many of each task stay, and how many are dropped for each reason."""
    rows = [
        {"pair_id": f"{task} {number:03}", "task": task}
        for task, size in sizes.items()
        for number in range(size)
    ]
    pairs = rows_of("pairs", rows)
    drops = part("selectors", "mixture", by="task", weights=weights).drops(pairs, seed)
    assert drops["pair_id"].is_unique().all()
    kept = pairs.join(drops, on="pair_id", how="anti")
    return Counter(kept["task"]), Counter(drops["reason"])


def test_the_smallest_group_for_its_weight_stays_whole():
    kept, dropped = mixed(SIZES, {"math": 2, "code": 1, "chat": 1})
    assert kept == {"math": 20, "code": 10, "chat": 10}
    assert dropped == {"mixture_surplus": 100}


def test_only_the_proportions_of_weights_matter():
    by_share = mixed(
        SIZES, {"math": Decimal("0.6"), "code": Decimal("0.2"), "chat": Decimal("0.2")}
    )
    assert by_share == mixed(SIZES, {"math": 6, "code": 2, "chat": 2})
    assert by_share[0] == {"math": 30, "code": 10, "chat": 10}


def test_values_without_a_weight_are_dropped():
    kept, dropped = mixed({**SIZES, None: 4}, {"math": 1, "chat": 2})
    assert kept == {"math": 30, "chat": 60}
    assert dropped == {"not_in_mixture": 14, "mixture_surplus": 40}


def test_without_one_group_no_set_has_the_wanted_weights():
    kept, dropped = mixed(SIZES, {"math": 1, "law": 1})
    assert kept == {}
    assert dropped == {"mixture_impossible": 30, "not_in_mixture": 110}


@given(
    sizes=st.dictionaries(st.sampled_from("abcd"), st.integers(1, 20), min_size=1),
    weights=st.lists(st.integers(1, 9), min_size=4, max_size=4),
    seed=st.integers(0, 9),
)
def test_a_mixture_has_its_weights_and_cannot_be_larger(sizes, weights, seed):
    weight = dict(zip(sizes, weights, strict=False))
    kept, _ = mixed(sizes, weight, seed)
    whole = [group for group in sizes if kept[group] == sizes[group]]
    scale = min(sizes[group] / weight[group] for group in sizes)
    assert whole
    for group in sizes:
        assert kept[group] <= scale * weight[group] + 1e-9 < kept[group] + 1 + 1e-9


def test_which_pairs_stay_depends_on_the_seed_and_on_no_order():
    pairs = rows_of(
        "pairs", [{"pair_id": f"{n}", "task": "b" if n < 2 else "a"} for n in range(10)]
    )
    mixture = part("selectors", "mixture", by="task", weights={"a": 1, "b": 1})
    dropped = [tuple(sorted(mixture.drops(pairs, seed)["pair_id"])) for seed in range(8)]
    assert len(set(dropped)) > 1
    assert dropped[2] == tuple(sorted(mixture.drops(pairs.reverse(), 2)["pair_id"]))


@pytest.mark.parametrize("weights", [{}, {"a": 0}, {"a": -1}, {"a": "much"}])
def test_weights_are_above_0(weights):
    with pytest.raises(RecipeError, match="weights"):
        part("selectors", "mixture", by="task", weights=weights)


def test_a_column_that_has_no_groups_is_refused():
    with pytest.raises(RecipeError, match='by: no text of pairs is called "tax"'):
        part("selectors", "mixture", by="tax", weights={"a": 1})
