"""Where a published pair lies: the seeded order, and that of difficulty."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.publishing import splits
from pipelines.publishing.splits import easy_to_hard, shuffled
from schemas.canonical import draw_integer

SEED = 7

PAIRS = st.lists(
    st.tuples(
        st.text("ab", min_size=1, max_size=6),
        st.sampled_from(["train", "test", "dev"]),
        st.none() | st.floats(0, 1),
    ),
    unique_by=lambda pair: pair[0],
)
COLUMNS = {"pair_id": pl.String, "split": pl.String, "difficulty": pl.Float64}
Rows = list[tuple[str, str, float | None]]


def framed(rows: Rows) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def placed(rows: Rows) -> list[tuple[str, int]]:
    """The ids of rows in their order, each with its place within its split."""
    seen: dict[str, int] = {}
    found = []
    for pair_id, split, _ in rows:
        seen[split] = seen.get(split, -1) + 1
        found.append((pair_id, seen[split]))
    return found


def in_order(pairs: pl.DataFrame) -> list[tuple[str, int]]:
    return pairs.select("pair_id", "order_key").rows()


@given(PAIRS)
def test_pairs_are_shuffled_by_a_draw_of_their_ids_within_their_split(rows: Rows) -> None:
    ordered = sorted(rows, key=lambda row: (row[1], draw_integer(SEED, "order", row[0])))
    assert in_order(shuffled(framed(rows), SEED)) == placed(ordered)


@given(PAIRS)
def test_pairs_of_equal_draws_lie_in_the_order_of_their_ids(rows: Rows) -> None:
    def short(pairs: pl.DataFrame, *_: object) -> pl.Series:
        return (pairs["pair_id"].str.len_chars() % 2).cast(pl.UInt64)

    ordered = sorted(rows, key=lambda row: (row[1], len(row[0]) % 2, row[0]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splits, "draw_integers", short)
        assert in_order(shuffled(framed(rows), SEED)) == placed(ordered)


@given(PAIRS)
def test_the_easiest_pairs_of_a_split_come_first_and_unknown_ones_nowhere(rows: Rows) -> None:
    known = [row for row in rows if row[2] is not None]
    ordered = sorted(known, key=lambda row: (row[1], row[2] or 0.0, row[0]))
    assert in_order(easy_to_hard(framed(rows))) == placed(ordered)
