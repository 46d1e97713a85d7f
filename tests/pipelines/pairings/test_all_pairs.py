import pytest

from pipelines.errors import RecipeError
from tests.pipelines.tables import frames_of, made, part


def test_every_two_different_scores_make_one_pair():
    pairs, _ = made(part("pairings", "all_pairs"), frames_of({"p": [8, 7, 9, 8]}))
    assert pairs == {("p2", "p0"), ("p2", "p1"), ("p2", "p3"), ("p0", "p1"), ("p3", "p1")}


def test_no_pair_crosses_prompts():
    assert made(part("pairings", "all_pairs"), frames_of({"p": [1], "q": [2]}))[0] == set()


def test_equal_texts_are_not_paired_whatever_their_scores():
    frames = frames_of({"p": [3, 2, 1]}, {"p0": {"text_hash": "t"}, "p1": {"text_hash": "t"}})
    assert made(part("pairings", "all_pairs"), frames)[0] == {("p0", "p2"), ("p1", "p2")}


def test_the_bound_per_prompt_keeps_a_seeded_part():
    frames = frames_of({"p": [1, 2, 3, 4], "q": [1, 2]})
    every = made(part("pairings", "all_pairs"), frames)[0]
    bounded = part("pairings", "all_pairs", max_per_prompt=2)
    drawn = [made(bounded, frames, seed)[0] for seed in range(20)]
    assert all(pairs < every and len(pairs) == 3 and ("q1", "q0") in pairs for pairs in drawn)
    assert set.union(*drawn) == every
    assert drawn[3] == made(bounded, frames, 3)[0]


def test_a_bound_of_zero_is_refused():
    with pytest.raises(RecipeError, match="max_per_prompt"):
        part("pairings", "all_pairs", max_per_prompt=0)
