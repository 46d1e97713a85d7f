import polars as pl

from pipelines.selection.seeded import seeded_order


def test_a_draw_depends_on_seed_id_and_purpose_and_not_on_the_neighbours():
    ids = pl.Series(["a", "b"])
    drawn = seeded_order(ids, 1, "x")
    assert drawn.dtype == pl.UInt64
    assert seeded_order(ids.reverse(), 1, "x").to_list() == drawn.reverse().to_list()
    others = [seeded_order(ids, 2, "x"), seeded_order(ids, 1, "y")]
    assert len({drawn[0], drawn[1], others[0][0], others[1][0]}) == 4


def test_no_rows_draw_nothing():
    assert seeded_order(pl.Series([], dtype=pl.String), 0, "x").to_list() == []
