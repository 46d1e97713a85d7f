"""Selecting: from the frames of a finished round to the pairs that are kept. No call is made here.

    responses ─ score, filters ─> prompts ─ filters ─> pairings ─> pairs ─ filters, selectors ─>
                                                       └ block by block ┘

Each step says how many rows went in, how many it kept and why the others went.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import polars as pl

from pipelines.errors import StoreError
from pipelines.filter import On
from pipelines.recipe import Recipe
from pipelines.selection.blocks import PROMPTS_AT_ONCE, in_blocks
from pipelines.selection.columns import (
    OF_DROPPED_PAIR,
    OF_EVERY_PAIR,
    columns_read,
    measures_read,
    pairs_read,
    texts_read,
)
from pipelines.selection.frames import Frames
from pipelines.selection.funnel import Funnel
from pipelines.selection.measured import DIFFICULTY, column_of, measured
from pipelines.selection.score import prompt_scores, score_responses, score_var
from pipelines.selection.steps import (
    ID,
    NO_DROPS,
    apply_filters,
    apply_selectors,
    late,
    make_pairs,
    texts_named,
)
from pipelines.selector import Selector

OF_RESPONSES = ("response", "prompt", "response_id", "arrival", "score", "n_scores")
OF_PROMPTS = ("prompt", "prompt_id", "arrival", "group_id", "n_responses", "n_scored", "score_sum",
              "score_sumsq")  # fmt: skip

ROW = "row"
"""Place of a pair in its table, while some of its rows are dropped."""

Texts = Callable[[pl.DataFrame, frozenset[str]], pl.DataFrame]
"""Joins text columns (`frames.TEXT_COLUMNS`) to a frame, for the filters that name them."""


@dataclass(frozen=True, slots=True)
class Selected:
    """What selection found out about every row."""

    pairs: pl.DataFrame
    """The kept pairs, columns `columns.OF_EVERY_PAIR`, and `difficulty`."""
    dropped_pairs: pl.DataFrame
    """The others, columns `columns.OF_DROPPED_PAIR`."""
    responses: pl.DataFrame
    """Every response, in the order of its number: ids, `arrival` (`staged.ARRIVAL`), `score`
    (micro-units), `n_scores`, `score_var` (in units), `kept`."""
    measures: pl.DataFrame
    """What the measures found of kept and dropped pairs: `measured.LONG`."""
    prompts: pl.DataFrame
    """Every prompt, in the order of its number: ids, `arrival`, `group_id`, and how many responses
    it has and what their scores sum up to (`frames.PROMPTS`)."""


class _Block(NamedTuple):
    """What came of a block of prompts: its pairs, and the reasons why there are no more."""

    kept: pl.DataFrame
    dropped: pl.DataFrame
    filtered: pl.DataFrame
    unpaired: pl.DataFrame
    undecided: pl.DataFrame
    measures: pl.DataFrame


def select(recipe: Recipe, everything: Frames, texts: Texts, funnel: Funnel) -> Selected:
    """Scores, pairs and selects. What went before is in `funnel`, which gets the steps from here.

    `everything` has at least the columns that `columns_read` names. Raises StoreError if a row is
    neither kept nor has a reason.
    """
    if likeness := recipe.publish.group_near_duplicates:
        from pipelines.selection.near_prompts import grouped  # few recipes need what it imports

        everything = replace(everything, prompts=grouped(everything.prompts, texts, likeness))
    rules = {judge.name: judge.tie_rule() for judge in recipe.judges}
    scored = score_responses(recipe.score, everything.responses, everything.judgments, rules)
    candidates = _without(scored, funnel.ids("responses"), "responses")
    candidates = _filter(recipe, candidates, "responses", texts, funnel)

    prompts = prompt_scores(everything.prompts, candidates)
    eligible = _without(prompts, funnel.ids("prompts"), "prompts")
    eligible = _filter(recipe, eligible, "prompts", texts, funnel)

    frames = replace(
        everything,
        prompts=eligible,
        responses=candidates,
        tie_rules=rules,
        named=recipe.score.judges,
    )
    scored = scored.select(*OF_RESPONSES, score_var=score_var())
    prompts, blocks = prompts.select(OF_PROMPTS), in_blocks(frames)
    del everything, candidates, eligible, frames  # `blocks` alone hold them, up to the last one
    pairs, filtered, measures = _pair(recipe, blocks, texts, funnel)
    _refuse_unexplained(prompts, [pairs, filtered], funnel)
    dropped = [filtered]
    for selector in recipe.selectors:
        pairs = pairs.with_row_index(ROW)
        kept, drops = apply_selectors(
            [selector], _digested(selector, pairs, texts), recipe.head.seed
        )
        kept = kept.select(pairs.columns)
        funnel.step(f"selectors.{selector.name}", "pairs", pairs.height, kept.height, drops)
        dropped.append(_less(pairs, kept))
        pairs = kept.drop(ROW)

    gone = funnel.ids("responses").implode()
    return Selected(
        pairs=pairs.select(*OF_EVERY_PAIR, _difficulty(pairs)),
        dropped_pairs=pl.concat(dropped),
        measures=measures,
        responses=scored.with_columns(kept=~pl.col("response_id").is_in(gone)),
        prompts=prompts,
    )


def _pair(
    recipe: Recipe, frames: Iterator[Frames], texts: Texts, funnel: Funnel
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Of the pairs that the pairings make, those that the filters keep, the others, the measures.

    A prompt is dropped where no pairing made a pair of it, for the reasons of all of them.
    """
    blocks, n_all = [], 0
    for block in frames:
        blocks.append(_pair_block(recipe, block, texts))
        n_all += block.prompts.height
    kept, dropped, filtered, unpaired, undecided, measures = map(
        pl.concat, zip(*blocks, strict=True)
    )
    made = pl.concat(table.select("prompt", "comparison_id") for table in (kept, dropped))
    n_prompts, n_compared = (made[name].drop_nulls().n_unique() for name in made.columns)
    funnel.step("pairings", "prompts", n_all, n_prompts, unpaired)
    if undecided.height or n_compared:
        n_in = n_compared + undecided["id"].n_unique()
        funnel.step("pairings", "comparisons", n_in, n_compared, undecided)
    if late(recipe.filters, "pairs"):
        funnel.step("filters", "pairs", made.height, kept.height, filtered)
    return kept, dropped, measures


def _pair_block(recipe: Recipe, block: Frames, texts: Texts) -> _Block:
    read = columns_read(recipe).pairs
    pairs, drops = make_pairs(recipe.pairings, block, recipe.head.seed, read)
    named = texts_read(recipe.measures)
    pairs, measures = measured(recipe.measures, block, texts(pairs, named) if named else pairs)
    pairs = pairs.drop(named).with_row_index(ROW)
    kept, filtered = _sift(recipe, pairs, "pairs", texts)
    by_comparison = pl.col("id").is_in(pairs["comparison_id"].drop_nulls().unique().implode())
    return _Block(
        kept=kept.select(*pairs_read(recipe), *measures_read(recipe)),
        dropped=_less(pairs, kept),
        filtered=filtered,
        unpaired=drops.filter(level="prompts").join(pairs, on="prompt_id", how="anti"),
        undecided=drops.filter(~by_comparison, level="comparisons"),
        measures=measures,
    )


def _digested(selector: Selector, pairs: pl.DataFrame, texts: Texts) -> pl.DataFrame:
    """What the selector gets: with what it makes of texts, of some pairs at a time."""
    if not selector.texts:
        return pairs
    blocks = list(pairs.iter_slices(PROMPTS_AT_ONCE)) or [pairs]
    return pl.concat(selector.digest(texts(block, selector.texts)) for block in blocks)


def _difficulty(pairs: pl.DataFrame) -> pl.Expr:
    """The measure of that name; null without one."""
    column = column_of(DIFFICULTY)
    found = pl.col(column) if column in pairs.columns else pl.lit(None, pl.Float64)
    return found.alias(DIFFICULTY)


def _less(pairs: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    dropped = pairs.select(ROW, *OF_DROPPED_PAIR).join(kept.select(ROW), on=ROW, how="anti")
    return dropped.drop(ROW)


def _filter(
    recipe: Recipe, frame: pl.DataFrame, on: On, texts: Texts, funnel: Funnel
) -> pl.DataFrame:
    """What the late filters on `on` keep."""
    kept, drops = _sift(recipe, frame, on, texts)
    if late(recipe.filters, on):
        funnel.step("filters", on, frame.height, kept.height, drops)
    return kept


def _sift(
    recipe: Recipe, frame: pl.DataFrame, on: On, texts: Texts
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What the late filters on `on` keep, without the texts that some of them needed, and drop."""
    filters = late(recipe.filters, on)
    if not filters:
        return frame, NO_DROPS
    named = texts_named(filters)
    kept, drops = apply_filters(filters, texts(frame, named) if named else frame, on)
    return kept.drop(named), drops


def _without(frame: pl.DataFrame, dropped: pl.Series, on: On) -> pl.DataFrame:
    return frame.filter(~pl.col(ID[on]).is_in(dropped.implode())) if dropped.len() else frame


def _refuse_unexplained(
    prompts: pl.DataFrame, pairs: Sequence[pl.DataFrame], funnel: Funnel
) -> None:
    """Every prompt has pairs, each kept or dropped for a reason, or a reason of its own."""
    paired = pl.concat(table.select("prompt").unique() for table in pairs)
    unexplained = prompts.select("prompt", "prompt_id").join(paired, on="prompt", how="anti")
    if unexplained.height:
        unexplained = unexplained.join(funnel.drops(), on="prompt_id", how="anti")
    if unexplained.height:
        example = unexplained["prompt_id"][0]
        raise StoreError(f"{unexplained.height} prompts vanished without a reason, as {example}")
