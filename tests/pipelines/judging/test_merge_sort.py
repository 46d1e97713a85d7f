import asyncio
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.judging.merge_sort import MergeSort, ranks_of
from schemas.canonical import draw_unit


def most(count):
    """K ceil(log2 K) - 2^ceil(log2 K) + 1: comparisons of a merge sort, at the most."""
    levels = math.ceil(math.log2(count)) if count > 1 else 0
    return count * levels - 2**levels + 1


def sorted_by(probability, items, latency=0, **fields):
    """A finished sort; `probability(one, other)` answers after up to `latency` turns."""

    async def ask(one, other):
        for _ in range(int(latency * draw_unit("latency", one, other))):
            await asyncio.sleep(0)
        return probability(one, other)

    sort = MergeSort(ask, lambda one, other: one < other, **fields)
    return asyncio.run(sort.sort(items)), sort


def table(**told):
    """P("ab") of a table, whichever of the two comes first."""

    def probability(one, other):
        return told[one + other] if one + other in told else 1 - told[other + one]

    return probability


@given(st.integers(1, 32).flatmap(lambda count: st.permutations(range(count))))
def test_known_scores_are_sorted_exactly_within_the_bound(items):
    order, sort = sorted_by(lambda one, other: float(one < other), items)
    assert order == sorted(items)
    assert len(sort.known) <= most(len(items)) <= len(items) * math.ceil(math.log2(len(items) or 1))
    assert len(items) == 1 or ranks_of(order, sort.probability) == {
        item: item + 1 for item in sorted(items)
    }


@settings(max_examples=60)
@given(
    items=st.integers(2, 32).flatmap(lambda count: st.permutations(range(count))),
    seed=st.integers(0, 99),
    beam=st.sampled_from([1, 2, 5]),
    unread=st.sampled_from([0.0, 0.1, 1.0]),
)
def test_a_noisy_judge_gives_a_permutation_whose_ranks_rest_on_what_could_be_read(
    items, seed, beam, unread
):
    def probability(one, other):
        first, second = sorted((one, other))
        if draw_unit("unread", seed, first, second) < unread:
            return None
        p = 0.3 * draw_unit("noise", seed, first, second) + 0.5
        return p if one == first else 1 - p

    order, sort = sorted_by(probability, items, beam_size=beam, prob_gap=0.1)
    again, _ = sorted_by(probability, items, latency=9, beam_size=beam, prob_gap=0.1)
    assert sorted(order) == sorted(items)
    assert order == again
    assert len(sort.known) <= min(beam * most(len(items)), math.comb(len(items), 2))
    ranks = ranks_of(order, sort.probability)
    assert list(ranks) == [item for item in order if item in ranks]
    assert list(ranks.values()) == sorted(ranks.values())
    if not unread:
        assert set(ranks) == set(items)
    if unread == 1.0:
        assert ranks == {}


def test_a_judge_that_finds_all_even_ranks_all_alike():
    order, sort = sorted_by(lambda one, other: 0.5, "dbca")
    assert sorted(order) == list("abcd")
    assert set(ranks_of(order, sort.probability).values()) == {1}


def test_a_band_makes_near_neighbours_share_a_rank():
    order, sort = sorted_by(table(ab=0.9, ac=0.95, bc=0.55), "cab")
    assert order == ["a", "b", "c"]
    assert ranks_of(order, sort.probability) == {"a": 1, "b": 2, "c": 3}
    assert ranks_of(order, sort.probability, band=0.05) == {"a": 1, "b": 2, "c": 2}


def test_a_beam_goes_into_both_outcomes_of_an_unsure_comparison():
    # merge [a, c] with [b, d]. Greedy: a (.55), then c or b: b (.6), then c or d: d (.51).
    # Beam: b first (.45), then a or d: a (.99), c or d: d (.51). Mean of the logs: -0.594 against -0.485.
    told = table(ac=0.9, bd=0.9, ab=0.55, bc=0.6, ad=0.99, cd=0.49)
    assert (math.log(0.55) + math.log(0.6) + math.log(0.51)) / 3 == pytest.approx(-0.594, abs=1e-3)
    assert (math.log(0.45) + math.log(0.99) + math.log(0.51)) / 3 == pytest.approx(-0.494, abs=1e-3)
    greedy, _ = sorted_by(told, "acbd")
    assert greedy == ["a", "b", "d", "c"]
    beam, sort = sorted_by(told, "acbd", beam_size=4, prob_gap=0.05)
    assert beam == ["b", "a", "d", "c"]
    assert len(sort.known) == 6  # every pair, none of them twice
    sure, _ = sorted_by(told, "acbd", beam_size=4, prob_gap=0.04)
    assert sure == greedy


def test_what_no_readable_comparison_connects_has_no_rank():
    told = {("a", "b"): 0.9, ("b", "c"): None, ("a", "c"): 0.8, ("c", "d"): 0.7}
    assert ranks_of("abcd", lambda *pair: told.get(pair)) == {"a": 1, "c": 2, "d": 3}
