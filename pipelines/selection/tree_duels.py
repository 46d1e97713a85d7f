"""Duels of nodes: of those that are set against each other, the highest value over the lowest.

valued ─> extremes(of one decision, or of one tree) ─> explained ─> paired
"""

from collections.abc import Mapping

import polars as pl

from pipelines.pairing import Paired
from pipelines.selection import trees
from pipelines.selection.duels import first_reason
from pipelines.selection.frames import PAIRED, Frames

READS = trees.READS
"""What is read here, and by every pairing that makes its pairs here."""

CLOSER = ("fewer_than_two_steps", "chosen_refused", "identical_texts", "gap_too_small",
          "chosen_too_low")  # fmt: skip
"""Why there is no pair; the later in this order, the closer it came."""


def valued(frames: Frames, by: str, sampler: str | None, *, choose_refusals: bool) -> pl.DataFrame:
    """The nodes with a text and a value: `trees.steps`, with `worth` and `choosable`.

    `worth` is their column `by`, in micro-units.
    """
    nodes = trees.steps(frames).filter("kept", pl.col(by).is_not_null())
    if sampler is not None:
        nodes = nodes.filter(pl.col("sampler") == sampler)
    return nodes.with_columns(
        worth=pl.col(by), choosable=pl.lit(choose_refusals) | ~pl.col("refused")
    )


def extremes(nodes: pl.DataFrame, within: list[str]) -> pl.DataFrame:
    """`nodes` in groups, with the highest of each over the lowest that has another text.

    Columns: `within`, `n`, `some_refused`, `n_chars_prefix`, and `chosen`, `rejected` and their
    scores, null where there are none. Of equals the one that is less deep, then the smaller id.
    """
    groups = nodes.group_by(within).agg(
        pl.col("n_chars_prefix").first(), n=pl.len(), some_refused=(~pl.col("choosable")).any()
    )
    best = nodes.filter("choosable").sort("worth", "depth", "node", descending=[True, False, False])
    best = best.group_by(within, maintain_order=True).first()
    best = best.select(*within, chosen="node", score_chosen="worth", best_text="text_hash")
    others = nodes.join(best, on=within).filter(pl.col("text_hash") != pl.col("best_text"))
    worst = others.sort("worth", "depth", "node").group_by(within, maintain_order=True).first()
    sides = ("chosen", "score_chosen", "node", "worth")
    names = {"node": "rejected", "worth": "score_rejected"}
    return groups.join(worst.select(*within, *sides).rename(names), on=within, how="left")


def explained(duels: pl.DataFrame, least_gap: int, further: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """`duels` with the `reason` why one is no pair; `least_gap` in micro-units."""
    no_pair = pl.col("chosen").is_null()
    gap = pl.col("score_chosen") - pl.col("score_rejected")
    reasons = {
        "fewer_than_two_steps": pl.col("n") < 2,
        "chosen_refused": no_pair & pl.col("some_refused"),
        "identical_texts": no_pair,
        "gap_too_small": gap < max(least_gap, 1),
        **further,
    }
    return duels.with_columns(reason=first_reason(reasons))


def paired(frames: Frames, duels: pl.DataFrame) -> Paired:
    """The duels without a reason as pairs; decisions with one are comparisons that made none."""
    made = duels.filter(pl.col("reason").is_null())
    unmade = duels.filter(pl.col("reason").is_not_null())
    columns = {name: pl.col(name) if name in duels.columns else pl.lit(None) for name in PAIRED}
    columns |= {name: pl.lit(0) for name in ("n_votes", "n_votes_chosen", "n_votes_rejected")}
    decisions = "comparison_id" in duels.columns
    return Paired(
        pairs=made.select(columns[name].cast(kind).alias(name) for name, kind in PAIRED.items()),
        unpaired_prompts=_unpaired(frames, made, unmade),
        unpaired_comparisons=unmade.select("comparison_id", "prompt", "reason")
        if decisions
        else None,
    )


def _unpaired(frames: Frames, made: pl.DataFrame, unmade: pl.DataFrame) -> pl.DataFrame:
    """`prompt` and `reason` of those without a pair: the reason of what came closest to one."""
    prompts = frames.prompts.select("prompt").join(made, on="prompt", how="anti")
    closest = unmade.select("prompt", pl.col("reason").cast(pl.Enum(CLOSER)))
    closest = closest.group_by("prompt").max()
    searched = pl.col("prompt").is_in(frames.nodes["prompt"].unique().implode())
    without = pl.when(searched).then(pl.lit("fewer_than_two_steps")).otherwise(pl.lit("no_tree"))
    return prompts.join(closest, on="prompt", how="left").select(
        "prompt", reason=pl.coalesce(pl.col("reason").cast(pl.String), without)
    )
