"""Selecting: from staged evidence to the pairs that are kept. No call is made here.

    staged ─ blocks of prompts ─> score, filters, pairs, filters (`within.py`) ─> selectors ─>

A block is worked on and gone before the next one: of rows that are no pairs, numbers are left.
Each step says how many rows went in, how many it kept and why the others went.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl

from pipelines.recipe import Recipe
from pipelines.selection.aside import Aside
from pipelines.selection.choosing import choose
from pipelines.selection.columns import OF_EVERY_PAIR, columns_read
from pipelines.selection.frames import Texts
from pipelines.selection.funnel import Funnel
from pipelines.selection.measured import DIFFICULTY, column_of
from pipelines.selection.scoring import Scoring
from pipelines.selection.selected import Selected, together
from pipelines.selection.staged import Staged, join_texts, read_judgments, read_staged
from pipelines.selection.within import Within, by_prompt

PROMPTS_AT_ONCE = 6 << 14
"""Prompts of a block: with fewer it takes longer, with more it takes more memory."""


def select(
    recipe: Recipe, folder: Path, funnel: Funnel, at_once: int = PROMPTS_AT_ONCE
) -> Selected:
    """Scores, pairs and selects what is staged in `folder`, `at_once` prompts at a time.

    What went before is in `funnel`, which gets the steps from here. Raises StoreError if a row is
    neither kept nor has a reason.
    """
    staged, texts = read_staged(folder, columns_read(recipe)), partial(join_texts, folder)
    if likeness := recipe.publish.group_near_duplicates:
        from pipelines.selection.near_prompts import grouped  # few recipes need what it imports

        staged = replace(staged, prompts=grouped(staged.prompts, texts, likeness))
    found = _select_blocks(recipe, staged, at_once, texts, funnel)
    pairs, others = found.pairs, [found.dropped_pairs]
    for selector in recipe.selectors[len(by_prompt(recipe)) :]:
        pairs, dropped = choose(recipe, selector, pairs, texts, funnel)
        others.append(dropped.lazy())
    pairs = pairs.select(*OF_EVERY_PAIR, _difficulty(pairs))
    return replace(found, pairs=pairs, dropped_pairs=pl.concat(others))


def _select_blocks(
    recipe: Recipe, staged: Staged, at_once: int, texts: Texts, funnel: Funnel
) -> Selected:
    """What came of all blocks, up to the first selector that looks across prompts."""
    rules = {judge.name: judge.tie_rule() for judge in recipe.judges}
    of_responses = read_judgments(staged.folder, pl.col("response_id").is_not_null())
    scoring = Scoring(recipe.score, rules, of_responses, staged.blocks(at_once))
    drops = funnel.drops().join(staged.prompts.select("prompt", "prompt_id"), on="prompt_id")
    within = Within(recipe, scoring, rules, texts, drops)
    aside, parts, funnels = Aside(staged.folder / "aside"), [], []
    for frames in staged.blocks(at_once):
        part, steps = within.select(frames)
        del frames  # gone before the next are read
        steps.put_aside(aside)
        parts.append(replace(part, dropped_pairs=aside.put(part.dropped_pairs)).spared())
        funnels.append(steps)
        del part, steps
    funnel.gather(funnels)
    return together(parts)


def _difficulty(pairs: pl.DataFrame) -> pl.Expr:
    """The measure of that name; null without one."""
    column = column_of(DIFFICULTY)
    found = pl.col(column) if column in pairs.columns else pl.lit(None, pl.Float64)
    return found.alias(DIFFICULTY)
