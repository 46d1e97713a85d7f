"""Decisions, stopping, values and duplicates: the rules around a search."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.searching.decision import decide, spread
from pipelines.searching.duplicates import distinct, normalised, overlap
from pipelines.searching.node import Candidate, Node, grow
from pipelines.searching.prior import length_normalised, tokens_within
from pipelines.searching.stopping import ends_below, is_hopeless, is_solved


def family(*visits_and_q: tuple[int, float]) -> Node:
    root = Node()
    for child, (visits, q) in zip(
        grow(root, [Candidate(f"step {at}") for at in range(len(visits_and_q))]),
        visits_and_q,
        strict=True,
    ):
        child.n_visits, child.q = visits, q
    return root


def test_the_most_visited_child_is_decided_for_and_then_the_one_of_greatest_q() -> None:
    assert decide(family((1, 9.0), (3, 0.1), (3, 0.2))).step == "step 2"


def test_a_child_whose_own_children_were_visited_unequally_counts_for_more() -> None:
    root = family((3, 0.0), (2, 0.0))
    second = (root.children or [])[1]
    grow(second, [Candidate("x"), Candidate("y")])[0].n_visits = 1
    assert spread(second) == 1
    assert decide(root) is second  # 2 (1 + 1) against 3


def test_a_drawn_decision_follows_exp_q_and_the_number_of_children() -> None:
    root = family((0, 0.0), (0, 0.0))
    grow((root.children or [])[0], [Candidate("x"), Candidate("y")])  # weights 3 and 1
    drawn = Counter(decide(root, 1.0, number / 100).step for number in range(100))
    assert drawn == {"step 0": 75, "step 1": 25}


def test_a_low_temperature_makes_the_decision_for_the_best_one_certain() -> None:
    assert {decide(family((0, 0.0), (0, 0.5)), 0.01, (n + 0.5) / 10).step for n in range(10)} == {
        "step 1"
    }


def test_what_nobody_could_check_is_neither_right_nor_wrong() -> None:
    root = Node()
    ends = grow(
        root,
        [
            Candidate(name, terminal=True, outcome=o)
            for name, o in zip("abc", (1.0, -1.0, None), strict=True)
        ],
    )
    for end, visits in zip(ends, (2, 3, 5), strict=True):
        end.n_visits = visits
    assert ends_below(root) == (2, 3)
    assert is_solved(root, 2)
    assert not is_solved(root, 3)
    assert not is_hopeless(root, 1)
    ends[0].n_visits = 0
    assert is_hopeless(root, 3)
    assert not is_hopeless(root, 4)
    assert not is_hopeless(root, None)
    assert not is_solved(root, None)


def test_a_step_of_no_tokens_is_rejected() -> None:
    with pytest.raises(ValueError, match="no tokens"):
        length_normalised([])


def test_tokens_that_are_parts_of_a_character_belong_to_the_step_that_it_ends() -> None:
    assert tokens_within(["a", "", "é", "b"], 2) == 3


@given(st.lists(st.text(alphabet="ab 1\n", max_size=6), max_size=8), st.integers(1, 4))
def test_kept_steps_differ_and_every_other_one_equals_one_of_them(
    texts: list[str], limit: int
) -> None:
    kept = distinct(texts, 1.0, limit)
    normal = [normalised(texts[at]) for at in kept]
    assert len(set(normal)) == len(normal) <= limit
    assert all(normal)
    if len(kept) < limit:
        assert {normalised(text) for text in texts} - {""} == set(normal)


@given(
    st.lists(st.lists(st.sampled_from(["add", "3", "and,", "4", "ADD", "so", "é"])).map(" ".join)),
    st.sampled_from([0.0, 0.5, 0.9, 0.99, 1.0]),
)
def test_near_duplicates_are_those_whose_overlap_is_above_the_threshold(
    texts: list[str], threshold: float
) -> None:
    kept: list[int] = []
    for at, text in enumerate(texts):
        seen = [normalised(texts[before]) for before in kept]
        normal = normalised(text)
        if normal and all(overlap(normal, one) <= threshold and normal != one for one in seen):
            kept.append(at)
    assert distinct(texts, threshold, len(texts)) == kept


def test_two_results_of_a_long_sum_are_two_steps() -> None:
    long = "We add all of the numbers that stand in the question, one after the other, and get {}."
    assert distinct([long.format(12), long.format(13)], 0.5, 4) == [0, 1]
    assert distinct(["So we add them up. ", "So we add them up!"], 0.5, 4) == [0]
