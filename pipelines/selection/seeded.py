"""Seeded order: the draws of pairings and selectors, keyed by id and never by position."""

import polars as pl

from pipelines.selection.hashes import draw_integers


def seeded_order(ids: pl.Series, seed: int, purpose: str) -> pl.Series:
    """One pseudo-random UInt64 for each id, to sort by: `draw_integer(seed, id, purpose)`.

    Equal (seed, id, purpose) give equal numbers, so rows that come or go leave the others alone.
    """
    return draw_integers(ids.to_frame("id"), seed, pl.col("id"), purpose)
