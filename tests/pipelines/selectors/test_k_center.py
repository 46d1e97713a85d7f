import polars as pl
import pytest

from pipelines.errors import RecipeError
from tests.pipelines.tables import part, rows_of

TOPICS = ["Add two and two.", "Write a sonnet about the sea.", "How do I boil an egg?"]
TEXTS = [topic for topic in TOPICS for _ in range(4)]


def kept(n, seed=0, order=1, **fields):
    selector = part("selectors", "k_center", n=n, **fields)
    pairs = rows_of("pairs", [{"pair_id": f"{number:02}"} for number in range(len(TEXTS))])
    pairs = pairs.with_columns(pl.Series(min(selector.texts), TEXTS))[::order]
    drops = selector.drops(selector.digest(pairs), seed)
    assert set(drops["reason"]) <= {"covered"}
    return sorted(set(pairs["pair_id"]) - set(drops["pair_id"]))


def test_every_topic_has_a_pair_before_one_has_two():
    for seed in range(5):
        assert {TEXTS[int(one)] for one in kept(3, seed)} == set(TOPICS)
    assert {TEXTS[int(one)] for one in kept(3, text="rejected_text")} == set(TOPICS)


def test_so_many_pairs_stay_and_more_hold_fewer():
    assert [len(kept(n)) for n in (0, 1, 5, 12, 99)] == [0, 1, 5, 12, 12]
    assert set(kept(2)) < set(kept(5))


def test_the_first_one_is_drawn_by_the_seed_and_not_by_the_order():
    assert len({tuple(kept(1, seed)) for seed in range(8)}) > 1
    assert kept(4, 2) == kept(4, 2, order=-1)


def test_a_number_is_needed():
    with pytest.raises(RecipeError, match="n: is needed"):
        part("selectors", "k_center")
