from decimal import Decimal
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import RecipeError
from tests.pipelines.tables import kept, part, rows_of

SIZES = {"chat": 55, "math": 20, "code": 7, None: 3}
PAIRS = [
    {"pair_id": f"{task}{number:03}", "task": task}
    for task, size in SIZES.items()
    for number in range(size)
]
TASK = {pair["pair_id"]: pair["task"] for pair in PAIRS}


def subset(rows=PAIRS, seed=3, **fields):
    return set(kept(part("selectors", "subset", **fields), rows, seed))


def counts(ids):
    return {task: sum(TASK[one] == task for one in ids) for task in SIZES}


def test_the_subset_of_20_percent_lies_in_that_of_40_percent():
    small, large = (subset(by="task", share=Decimal(share)) for share in ("0.2", "0.4"))
    assert small < large
    # 55, 20, 7 and 3 times 0.2 is 11, 4, 1.4 and 0.6; times 0.4 it is 22, 8, 2.8 and 1.2
    assert counts(small) == {"chat": 11, "math": 4, "code": 1, None: 1}
    assert counts(large) == {"chat": 22, "math": 8, "code": 3, None: 1}


def test_so_many_pairs_are_kept_and_each_group_has_its_part():
    ids = subset(by="task", n=17)  # a fifth of 85
    assert len(ids) == 17
    assert counts(ids) == {"chat": 11, "math": 4, "code": 1, None: 1}
    assert subset(by="task", n=999) == set(TASK)
    assert subset(by="task", n=0) == set()


def test_a_share_of_many_pairs_is_exact():
    pairs = rows_of("pairs", [{"pair_id": f"{number}"} for number in range(20_000)])
    selector = part("selectors", "subset", share=Decimal("0.6"))
    assert selector.drops(pairs, 0).height == 8_000


def test_without_a_column_all_pairs_are_one_group():
    ids = subset(share=Decimal("0.2"))
    assert len(ids) == 17
    assert counts(ids) != counts(subset(by="task", share=Decimal("0.2")))


@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=6),
    shares=st.lists(st.integers(0, 1000), min_size=2, max_size=4),
    seed=st.integers(0, 9),
)
def test_subsets_are_nested_and_in_proportion(sizes, shares, seed):
    rows = [
        {"pair_id": f"{group} {number}", "lang": str(group)}
        for group, size in enumerate(sizes)
        for number in range(size)
    ]
    found = [subset(rows, seed, by="lang", share=Decimal(share) / 1000) for share in sorted(shares)]
    assert all(small <= large for small, large in pairwise(found))
    for share, ids in zip(sorted(shares), found, strict=True):
        for group, size in enumerate(sizes):
            own = sum(one.startswith(f"{group} ") for one in ids)
            assert abs(own - size * share / 1000) <= 0.5 + 1e-9
        # as many pairs by their number are the same ones
        same = subset(rows, seed, by="lang", n=len(ids))
        assert same == ids


def test_the_order_of_rows_does_not_matter_and_the_seed_does():
    selector = part("selectors", "subset", by="task", share=Decimal("0.5"))
    pairs = rows_of("pairs", PAIRS)
    dropped = selector.drops(pairs, 1).sort("pair_id")
    assert dropped.equals(selector.drops(pairs.reverse(), 1).sort("pair_id"))
    assert not dropped.equals(selector.drops(pairs, 2).sort("pair_id"))
    assert set(dropped["reason"]) == {"not_in_subset"}


def test_an_empty_table_stays_empty():
    selector = part("selectors", "subset", by="task", n=3)
    assert selector.drops(rows_of("pairs", []), 0).equals(
        pl.DataFrame(schema={"pair_id": pl.String, "reason": pl.String})
    )


@pytest.mark.parametrize("fields", [{}, {"n": 1, "share": 1}, {"n": -1}, {"share": 2}])
def test_not_exactly_one_size_is_refused(fields):
    with pytest.raises(RecipeError):
        part("selectors", "subset", **fields)


def test_a_column_that_has_no_groups_is_refused():
    with pytest.raises(RecipeError, match='no text of pairs is called "tsk"; did you mean "task"'):
        part("selectors", "subset", by="tsk", n=1)
    with pytest.raises(RecipeError, match="no text of pairs"):
        part("selectors", "subset", by="score_margin", n=1)
