"""The cut to exactly N pairs: those of the first prompts, in the order that prompts are drawn in."""

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from pipelines.intake.draw import ORDER
from pipelines.selection.columns import OF_DROPPED_PAIR
from pipelines.selection.funnel import Funnel
from pipelines.selection.hashes import draw_integers

if TYPE_CHECKING:
    from pipelines.selection.selected import Selected

NOT_NEEDED = "not_needed"
"""Why a prompt is not drawn, or a pair not kept, once there are enough pairs."""


def cut(selected: "Selected", pairs: int, seed: int, funnel: Funnel) -> "Selected":
    """`selected` with the first `pairs` of its kept pairs; the others are dropped, with a step.

    Prompts stand in the seeded order of `[exactly]`, a prompt's pairs in that of their ids.
    """
    prompts = selected.pairs.select("prompt_id").unique()
    places = prompts.with_columns(draw=_draws(prompts, seed)).sort("draw", "prompt_id")
    in_order = selected.pairs.join(places.with_row_index("place"), on="prompt_id", how="left")
    in_order = in_order.sort("place", "pair_id").select(selected.pairs.columns)
    kept, beyond = in_order.head(pairs), in_order.slice(pairs)
    drops = beyond.select("prompt_id", id="pair_id").with_columns(
        level=pl.lit("pairs"), step=pl.lit("exactly"), reason=pl.lit(NOT_NEEDED)
    )
    funnel.step("exactly", "pairs", in_order.height, kept.height, drops)
    dropped = pl.concat([selected.dropped_pairs, beyond.lazy().select(OF_DROPPED_PAIR)])
    return replace(selected, pairs=kept, dropped_pairs=dropped)


def _draws(prompts: pl.DataFrame, seed: int) -> pl.Series:
    """The bits of each prompt's draw that `draw_unit` has as well."""
    return draw_integers(prompts, seed, ORDER, pl.col("prompt_id")) // 2**11
