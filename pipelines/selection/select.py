"""Selecting: from the frames of a finished round to the pairs that are kept. No call is made here.

    responses ─ score, filters ─> prompts ─ filters ─> pairings ─> pairs ─ filters, selectors ─>

Each step says how many rows went in, how many it kept and why the others went.
"""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from pipelines.errors import StoreError
from pipelines.filter import On
from pipelines.recipe import Recipe
from pipelines.selection.frames import Frames
from pipelines.selection.funnel import Funnel
from pipelines.selection.score import prompt_scores, score_responses
from pipelines.selection.steps import (
    ID,
    apply_filters,
    apply_selectors,
    late,
    make_pairs,
    texts_named,
)

Texts = Callable[[pl.DataFrame, frozenset[str]], pl.DataFrame]
"""Joins text columns (`frames.TEXT_COLUMNS`) to a frame, for the filters that name them."""


@dataclass(frozen=True, slots=True)
class Selected:
    """What selection found out about every row."""

    pairs: pl.DataFrame
    """The kept pairs, columns `frames.PAIRS`."""
    dropped_pairs: pl.DataFrame
    """The others, columns `frames.PAIRS`."""
    responses: pl.DataFrame
    """`response_id`, `score` (micro-units), `n_scores`, `kept`: for every response."""
    prompts: pl.DataFrame
    """Columns `frames.PROMPTS`: for every prompt."""


def select(recipe: Recipe, everything: Frames, texts: Texts, funnel: Funnel) -> Selected:
    """Scores, pairs and selects. What went before is in `funnel`, which gets the steps from here.

    Raises StoreError if a row is neither kept nor has a reason.
    """
    scored = score_responses(recipe.score, everything.responses, everything.judgments)
    candidates = _without(scored, funnel.ids("responses"), "responses")
    candidates = _filter(recipe, candidates, "responses", texts, funnel)

    prompts = prompt_scores(everything.prompts, candidates)
    eligible = _without(prompts, funnel.ids("prompts"), "prompts")
    eligible = _filter(recipe, eligible, "prompts", texts, funnel)

    made = _pair(recipe, Frames(eligible, candidates, everything.judgments), funnel)
    pairs = _filter(recipe, made, "pairs", texts, funnel)
    for selector in recipe.selectors:
        kept, drops = apply_selectors([selector], pairs, recipe.head.seed)
        funnel.step(f"selectors.{selector.name}", "pairs", pairs.height, kept.height, drops)
        pairs = kept

    _refuse_unexplained(prompts, pairs, made, funnel)
    dropped = funnel.ids("responses")
    return Selected(
        pairs=pairs,
        dropped_pairs=made.join(pairs, on="pair_id", how="anti"),
        responses=scored.select(
            "response_id", "score", "n_scores", kept=~pl.col("response_id").is_in(dropped.implode())
        ),
        prompts=prompts,
    )


def _pair(recipe: Recipe, everything: Frames, funnel: Funnel) -> pl.DataFrame:
    """All pairs that the pairings make of the eligible prompts and their responses.

    A prompt is dropped where no pairing made a pair of it, for the reasons of all of them.
    """
    frames = _of_prompts(everything)
    pairs, drops = make_pairs(recipe.pairings, frames, recipe.head.seed)
    unpaired = drops.filter(level="prompts").join(pairs, on="prompt_id", how="anti")
    n_in = frames.prompts.height
    funnel.step("pairings", "prompts", n_in, pairs["prompt_id"].n_unique(), unpaired)
    by_comparison = pl.col("id").is_in(pairs["comparison_id"].drop_nulls().unique().implode())
    undecided = drops.filter(~by_comparison, level="comparisons")
    made = pairs["comparison_id"].drop_nulls().n_unique()
    if undecided.height or made:
        n_in = made + undecided["id"].n_unique()
        funnel.step("pairings", "comparisons", n_in, made, undecided)
    return pairs


def _filter(
    recipe: Recipe, frame: pl.DataFrame, on: On, texts: Texts, funnel: Funnel
) -> pl.DataFrame:
    """What the late filters on `on` keep, without the text columns that some of them needed."""
    filters = late(recipe.filters, on)
    if not filters:
        return frame
    named = texts_named(filters)
    kept, drops = apply_filters(filters, texts(frame, named) if named else frame, on)
    funnel.step("filters", on, frame.height, kept.height, drops)
    return kept.drop(named)


def _of_prompts(frames: Frames) -> Frames:
    """`frames` less the responses and judgments whose prompt or response is not among them."""
    responses = frames.responses.join(frames.prompts, on="prompt_id", how="semi")
    judgments = frames.judgments.join(frames.prompts, on="prompt_id", how="semi")
    return Frames(frames.prompts, responses, judgments)


def _without(frame: pl.DataFrame, dropped: pl.Series, on: On) -> pl.DataFrame:
    return frame.filter(~pl.col(ID[on]).is_in(dropped.implode()))


def _refuse_unexplained(
    prompts: pl.DataFrame, kept: pl.DataFrame, made: pl.DataFrame, funnel: Funnel
) -> None:
    """Every prompt has a kept pair, dropped pairs, or a reason of its own."""
    reasons = funnel.drops().select("prompt_id")
    unexplained = prompts.select("prompt_id")
    for known in (kept, made, reasons):
        unexplained = unexplained.join(known, on="prompt_id", how="anti")
    if unexplained.height:
        example = unexplained["prompt_id"][0]
        raise StoreError(f"{unexplained.height} prompts vanished without a reason, as {example}")
