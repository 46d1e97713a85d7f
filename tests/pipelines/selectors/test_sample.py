from decimal import Decimal

import pytest

from pipelines.errors import RecipeError
from tests.pipelines.tables import kept, part

PAIRS = [{"pair_id": f"{number:03}"} for number in range(40)]


def test_so_many_pairs_stay():
    assert len(kept(part("selectors", "sample", n=7), PAIRS)) == 7
    assert len(kept(part("selectors", "sample", n=70), PAIRS)) == 40
    assert kept(part("selectors", "sample", n=0), PAIRS) == []


def test_the_share_is_rounded_down():
    assert len(kept(part("selectors", "sample", fraction=Decimal("0.1")), PAIRS)) == 4
    assert len(kept(part("selectors", "sample", fraction=Decimal("0.124")), PAIRS)) == 4


def test_a_larger_sample_holds_the_smaller_one():
    small, large = (kept(part("selectors", "sample", n=n), PAIRS, 3) for n in (5, 20))
    assert set(small) < set(large)


def test_another_seed_and_another_name_draw_another_sample():
    by_seed = [kept(part("selectors", "sample", n=5), PAIRS, seed) for seed in (0, 1)]
    named = kept(part("selectors", "sample", n=5, name="second"), PAIRS)
    assert by_seed[0] != by_seed[1] and named != by_seed[0]


@pytest.mark.parametrize("fields", [{}, {"n": 1, "fraction": 1}, {"n": -1}, {"fraction": 2}])
def test_not_exactly_one_size_is_refused(fields):
    with pytest.raises(RecipeError):
        part("selectors", "sample", **fields)
