"""Where a published pair lies: its split, its place in the seeded shuffle, its shard."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import accumulate
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.selection.hashes import draw_integers
from pipelines.staging.runs import Numbers


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
    drawn = draw_integers(pairs, seed, "order", pl.col("pair_id"))
    draw, split = drawn.to_numpy(), _numbered(pairs["split"])
    order = np.lexsort((draw, split))  # numbers alone: ids take several times as long
    if _has_equal_neighbours(split[order], draw[order]):
        return _placed(pairs.with_columns(draw=drawn).sort("split", "draw", "pair_id").drop("draw"))
    return _placed(pairs[order])


def easy_to_hard(pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs of known `difficulty`, the easiest of each split first; of equal ones by id.

    Their place within the split is in `order_key`.
    """
    known = pairs.filter(pl.col("difficulty").is_not_null())
    return _placed(known.sort("split", "difficulty", "pair_id"))


def _placed(pairs: pl.DataFrame) -> pl.DataFrame:
    """`pairs`, those of a split together, with their place there in `order_key`."""
    sizes = pairs["split"].rle().struct.field("len")
    places = [np.arange(0), *map(np.arange, sizes)]
    return pairs.with_columns(order_key=pl.Series(np.concatenate(places), dtype=pl.Int64))


def _numbered(splits: pl.Series) -> Numbers:
    """Numbers that lie as the names do."""
    names = pl.Enum(splits.unique().sort())
    return splits.cast(names).to_physical().cast(pl.UInt32).to_numpy()


def _has_equal_neighbours(*keys: npt.NDArray[Any]) -> bool:
    """Whether two neighbours are equal in every key."""
    return bool(np.logical_and.reduce([key[1:] == key[:-1] for key in keys]).any())


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
