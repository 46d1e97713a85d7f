"""Where a published pair lies: its split, its place in the seeded shuffle, its shard."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import accumulate
from typing import Literal

import numpy as np
import polars as pl

from pipelines.selection.hashes import draw_integers


def split_of_groups(groups: pl.Series, shares: Mapping[str, Decimal], seed: int) -> pl.Series:
    """The split of each group: where its seeded draw falls among the cumulative shares, by name.

    The draw is in [0, 1) (`canonical.draw_unit`). A group's split depends on (seed, group, shares) alone, so other prompts that come or go move
    none from train to test.
    """
    names = pl.Series("split", sorted(shares), pl.String)
    cuts = [float(cut) for cut in accumulate(shares[name] for name in names)][:-1]
    drawn = draw_integers(groups.to_frame("group"), seed, "split", pl.col("group")).to_numpy()
    units = (drawn >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return names.gather(np.searchsorted(cuts, units, side="right"))


def shuffled(pairs: pl.DataFrame, seed: int) -> pl.DataFrame:
    """`pairs` (`pair_id`, `split`...) in their seeded order, split by split.

    Their place within the split is in `order_key`: 0, 1...
    """
    drawn = draw_integers(pairs, seed, "order", pl.col("pair_id")).alias("draw")
    place = pl.int_range(pl.len(), dtype=pl.Int64).over("split").alias("order_key")
    return (
        pairs.with_columns(drawn).sort("split", "draw", "pair_id").with_columns(place).drop("draw")
    )


def easy_to_hard(pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs of known `difficulty`, the easiest of each split first; of equal ones by id.

    Their place within the split is in `order_key`.
    """
    place = pl.int_range(pl.len(), dtype=pl.Int64).over("split").alias("order_key")
    known = pairs.filter(pl.col("difficulty").is_not_null())
    return known.sort("split", "difficulty", "pair_id").with_columns(place)


def shard_rows(rows: int, shards: int | Literal["auto"]) -> list[int]:
    """Rows of each shard: equal but for one row, none of them empty.

    >>> shard_rows(10, 4), shard_rows(2, 4), shard_rows(19_999, "auto")
    ([3, 3, 2, 2], [1, 1], [19999])
    """
    wanted = (1 if rows < 20_000 else 8 if rows < 400_000 else 48) if shards == "auto" else shards
    files = min(wanted, rows)
    return [rows // files + (file < rows % files) for file in range(files)]


def shard_paths(stem: str, rows: Sequence[int]) -> list[str]:
    """The paths of the shards of a split or table.

    >>> shard_paths("pairs/train", [3, 2])
    ['pairs/train-00000-of-00002.parquet', 'pairs/train-00001-of-00002.parquet']
    """
    return [f"{stem}-{shard:05d}-of-{len(rows):05d}.parquet" for shard in range(len(rows))]
