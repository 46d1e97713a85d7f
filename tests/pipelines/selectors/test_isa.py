from decimal import Decimal
from itertools import pairwise

import polars as pl
import pytest

from pipelines.errors import RecipeError
from tests.pipelines.tables import part, rows_of

TEXTS = ["Add two and two.", "Add two and one.", "Add one and one.", "Add one and two.",
         "Write a sonnet about the sea."]  # fmt: skip


def kept(**fields):
    selector = part("selectors", "isa", dimensions=8, **fields)
    pairs = rows_of("pairs", [{} for _ in TEXTS])
    digested = selector.digest(pairs.with_columns(pl.Series(min(selector.texts), TEXTS)))
    drops = selector.drops(digested, 0)
    stay = pairs.join(drops, on="pair_id", how="anti")["pair_id"].to_list()
    return sorted(stay), set(drops["reason"])


def test_the_text_that_is_unlike_the_others_is_kept_first():
    assert kept(share=Decimal("0.2")) == (["4"], {"little_information"})
    assert kept(share=Decimal("0.2"), text="chosen_text")[0] == ["4"]


def test_or_last():
    stay, reasons = kept(share=Decimal("0.8"), take="least")
    assert stay == ["0", "1", "2", "3"]
    assert reasons == {"much_information"}


def test_a_larger_share_holds_the_smaller_one_and_the_number_is_rounded_down():
    sizes = [set(kept(share=Decimal(share) / 10)[0]) for share in range(1, 11)]
    assert [len(one) for one in sizes] == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]
    assert all(small <= large for small, large in pairwise(sizes))


@pytest.mark.parametrize("fields", [{}, {"share": 0}, {"share": 1, "shrinkage": 0}])
def test_shares_and_shrinkage_lie_above_0(fields):
    with pytest.raises(RecipeError):
        part("selectors", "isa", **fields)
