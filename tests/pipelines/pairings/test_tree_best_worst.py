from decimal import Decimal

from tests.pipelines.tables import part
from tests.trees import asked, frames_of

QUESTION = asked()


def pair_of(steps, **fields):
    """The one pair as letters and its values, or why there is none."""
    frames = frames_of({"search": steps}, QUESTION)
    made = part("pairings", "tree_best_worst", **fields).pair(frames, 0)
    names = dict(frames.responses.select("response", "response_id").rows())
    rows = made.pairs.select("chosen", "rejected", "score_chosen", "score_rejected").rows()
    if not rows:
        return made.unpaired_prompts["reason"].to_list()
    [(chosen, rejected, *scores)] = rows
    assert made.pairs["n_chars_prefix"].to_list() == [None]
    return [names[one].rpartition("-")[2] for one in (chosen, rejected)], scores


def valued(**values):
    return {path: {"n": 1, "value": value, "text": path} for path, value in values.items()}


def test_the_best_node_of_the_tree_is_set_against_the_worst_wherever_they_lie():
    tree = valued(a=0.7, ab=0.4, b=0.6)
    assert pair_of(tree) == (["a", "ab"], [700_000, 400_000])


def test_of_equal_values_the_smaller_depth_decides():
    tree = valued(a=0.5, aa=0.9, b=0.9, ba=0.5)
    assert pair_of(tree) == (["b", "a"], [900_000, 500_000])


def test_equal_values_make_no_pair():
    assert pair_of(valued(a=0.5, b=0.5)) == ["gap_too_small"]
    assert pair_of(valued(a=0.5, b=0.4), min_gap=Decimal("0.2")) == ["gap_too_small"]
    assert pair_of(valued(a=0.5)) == ["fewer_than_two_steps"]
