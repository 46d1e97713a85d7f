"""Where a published pair lies: its split, its place in the seeded shuffle, its shard."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import accumulate
from typing import Literal

import polars as pl

from schemas.canonical import draw_integer, draw_unit


def split_of_groups(
    groups: Iterable[str], shares: Mapping[str, Decimal], seed: int
) -> dict[str, str]:
    """Group -> split: its seeded draw in [0, 1) against the cumulative shares, splits by name.

    A group's split depends on (seed, group, shares) alone, so other prompts that come or go move
    none from train to test.
    """
    names = sorted(shares)
    cuts = [float(cut) for cut in accumulate(shares[name] for name in names)][:-1]
    return {group: names[bisect_right(cuts, draw_unit(seed, "split", group))] for group in groups}


def shuffled(pairs: pl.DataFrame, seed: int) -> pl.DataFrame:
    """`pairs` (`pair_id`, `split`) with `order_key`: 0, 1... within each split, seeded."""
    keys = [draw_integer(seed, "order", pair_id) for pair_id in pairs["pair_id"]]
    return (
        pairs.with_columns(key=pl.Series(keys, dtype=pl.UInt64))
        .sort("split", "key", "pair_id")
        .select("pair_id", "split", order_key=pl.int_range(pl.len(), dtype=pl.Int64).over("split"))
    )


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
