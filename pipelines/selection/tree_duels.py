"""Duels of nodes: two steps of one search of which one has the higher value.

valued_nodes ─> best_over_worst(within one parent, or one tree) ─> paired_nodes
"""

import polars as pl

from pipelines.pairing import Paired
from pipelines.selection import votes
from pipelines.selection.duels import first_reason
from pipelines.selection.frames import PAIRED, Columns, Frames

READS = Columns(
    responses=frozenset(("has_text", "refused", "text_hash")), judgments=votes.READS, nodes=True
)
"""What is read here, and by every pairing that makes its pairs here."""


def valued_nodes(
    frames: Frames, by: str, sampler: str | None, *, choose_refusals: bool
) -> pl.DataFrame:
    """The nodes that can be paired: those with a response that has a text, and with a value.

    Columns: `prompt`, `sampler`, `parent`, `response`, `depth`, `value` (micro-units),
    `n_chars_prefix`, `text_hash`, and `choosable`, false for refusals unless they may be chosen.
    """
    refused = pl.lit(False) if choose_refusals else pl.col("refused").fill_null(False)
    texts = frames.responses.filter("has_text").select("response", "text_hash", choosable=~refused)
    nodes = frames.nodes if sampler is None else frames.nodes.filter(sampler=sampler)
    nodes = nodes.select(
        "prompt", "sampler", "parent", "depth", "n_chars_prefix", response="node", value=by
    )
    return nodes.drop_nulls("value").join(texts, on="response", how="inner")


def best_over_worst(nodes: pl.DataFrame, within: list[str]) -> pl.DataFrame:
    """Of each group, the highest choosable value over the lowest among the texts that differ.

    Columns: `prompt`, `chosen`, `rejected`, `score_chosen`, `score_rejected`, `n_chars_prefix`.
    """
    best = nodes.filter("choosable").sort(
        "value", "depth", "response", descending=[True, False, False]
    )
    best = best.group_by(within, maintain_order=True).first()
    side = {"rejected": "response", "score_rejected": "value", "rejected_text": "text_hash"}
    rest = nodes.select(*within, "depth", **side)
    both = best.join(rest, on=within, how="inner", nulls_equal=True)
    both = both.filter(pl.col("text_hash") != pl.col("rejected_text"))
    both = both.sort("score_rejected", "depth_right", "rejected")
    worst = both.group_by(within, maintain_order=True).first()
    prefix = pl.col("n_chars_prefix") if "parent" in within else pl.lit(None, pl.Int64)
    return worst.select(
        "prompt", "rejected", "score_rejected", chosen="response", score_chosen="value",
        n_chars_prefix=prefix,
    )  # fmt: skip


def paired_nodes(
    frames: Frames, nodes: pl.DataFrame, extremes: pl.DataFrame, reasons: dict[str, pl.Expr]
) -> Paired:
    """What a pairing of nodes returns: the extremes to which no reason applies, and why not others.

    A prompt without a pair has the first reason that holds for its pair of the greatest gap.
    """
    judged = extremes.with_columns(reason=first_reason(reasons))
    pairs = judged.filter(pl.col("reason").is_null()).drop("reason")
    pairs = votes.count_votes(pairs.with_columns(comparison_id=pl.lit(None, pl.String)), frames)
    gap = pl.col("score_chosen") - pl.col("score_rejected")
    why = judged.sort(gap, "chosen", descending=[True, False]).group_by("prompt").first()
    counts = nodes.group_by("prompt").agg(n_nodes=pl.len())
    unpaired = (
        frames.prompts.select("prompt")
        .join(pairs, on="prompt", how="anti")
        .join(why.select("prompt", "reason"), on="prompt", how="left")
        .join(counts, on="prompt", how="left")
    )
    alone = {"no_tree": pl.col("n_nodes").is_null(), "no_choice": pl.lit(True)}
    return Paired(
        pairs=pairs.select(name for name in PAIRED if name in pairs.columns),
        unpaired_prompts=unpaired.select(
            "prompt", reason=pl.coalesce("reason", first_reason(alone))
        ),
    )
