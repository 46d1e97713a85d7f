from decimal import Decimal

import pytest

from tests.pipelines.tables import part
from tests.trees import asked, frames_of

QUESTION = asked()


def flat(*values, **fields):
    """Steps below the root, of these values."""
    return {chr(97 + at): {"n": 1, "q": q, "value": -9.0, **fields} for at, q in enumerate(values)}


def pairs_of(steps, **fields):
    """(chosen, rejected) as letters, or why there is none."""
    frames = frames_of({"search": steps}, QUESTION)
    made = part("pairings", "tree_extremes", **fields).pair(frames, 0)
    names = dict(frames.responses.select("response", "response_id").rows())
    sides = made.pairs.sort("n_chars_prefix", "chosen")
    found = [tuple(names[one].rpartition("-")[2] for one in pair)
             for pair in sides.select("chosen", "rejected").rows()]  # fmt: skip
    return found or made.unpaired_prompts["reason"].to_list(), made.pairs


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.5, 0.45, -0.2], [("a", "c")]),
        ([0.5, 0.45], ["gap_too_small"]),
        ([-0.35, -0.9], ["chosen_too_low"]),
        ([-0.3, -0.4], [("a", "b")]),
        ([0.3, 0.3], ["gap_too_small"]),
        ([0.3], ["fewer_than_two_steps"]),
        ([], ["fewer_than_two_steps"]),
    ],
)
def test_best_and_worst_of_a_node_are_a_pair_as_in_the_paper(values, expected):
    assert pairs_of(flat(*values))[0] == expected


def test_every_node_with_two_children_gives_a_pair_with_its_prefix_and_values():
    steps = flat(0.5, -0.2) | {
        "aa": {"n": 1, "q": 1.0, "value": 0.0, "text": "x"},
        "ab": {"n": 1, "q": 0.9, "value": 0.0, "text": "y"},
        "ac": {"n": 1, "q": 0.2, "value": 0.0, "text": "z"},
    }
    found, pairs = pairs_of(steps)
    assert found == [("a", "b"), ("aa", "ac")]
    rows = pairs.sort("n_chars_prefix").select("score_chosen", "score_rejected", "n_chars_prefix")
    assert rows.rows() == [(500_000, -200_000, 0), (1_000_000, 200_000, len("step a\n"))]


def test_a_gap_at_the_bound_is_a_pair_exactly():
    assert pairs_of(flat(0.3, 0.2))[0] == [("a", "b")]
    assert pairs_of(flat(0.3, 0.2), min_gap=Decimal("0.100001"))[0] == ["gap_too_small"]
    assert pairs_of(flat(0.3, 0.3), min_gap=0)[0] == ["gap_too_small"]


def test_another_value_may_decide():
    steps = {"a": {"n": 1, "q": 0.0, "value": 0.1}, "b": {"n": 1, "q": 0.5, "value": -0.1}}
    assert pairs_of(steps)[0] == [("b", "a")]
    assert pairs_of(steps, by="value")[0] == [("a", "b")]


def test_equal_texts_are_not_set_against_each_other_and_refusals_not_chosen():
    steps = {
        "a": {"n": 1, "q": 0.5, "text": "x"},
        "b": {"n": 1, "q": -0.2, "text": "x"},
        "c": {"n": 1, "q": 0.1, "text": "y"},
    }
    assert pairs_of(steps)[0] == [("a", "c")]
    steps["a"]["refused"] = steps["b"]["refused"] = True
    assert pairs_of(steps)[0] == [("c", "b")]
    assert pairs_of(steps, choose_refusals=True)[0] == [("a", "c")]


def test_a_search_may_be_named():
    frames = frames_of({"one": flat(0.5, 0.0), "two": flat(0.9, 0.0)}, QUESTION)
    both = part("pairings", "tree_extremes").pair(frames, 0).pairs
    two = part("pairings", "tree_extremes", sampler="two").pair(frames, 0).pairs
    assert sorted(both["score_chosen"]) == [500_000, 900_000]
    assert two["score_chosen"].to_list() == [900_000]


def test_a_prompt_without_a_search_has_no_tree():
    frames = frames_of({}, QUESTION)
    made = part("pairings", "tree_extremes").pair(frames, 0)
    assert made.unpaired_prompts["reason"].to_list() == ["no_tree"]


def test_every_decision_without_a_pair_says_why():
    steps = flat(0.5, -0.2) | {
        "aa": {"n": 1, "q": 0.1, "value": 0.0},
        "ba": {"n": 1, "q": -0.4, "value": 0.0},
        "bb": {"n": 1, "q": -0.9, "value": 0.0},
    }
    frames = frames_of({"search": steps}, QUESTION)
    made = part("pairings", "tree_extremes").pair(frames, 0)
    unmade = made.unpaired_comparisons.select("comparison_id", "reason").rows()
    assert {(id_.rpartition("-")[2], reason) for id_, reason in unmade} == {
        ("a", "fewer_than_two_steps"),
        ("b", "chosen_too_low"),
    }
    assert made.unpaired_prompts.height == 0
