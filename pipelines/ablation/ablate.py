"""Ablating: every variant of a recipe is selected from one and the same evidence."""

from dataclasses import dataclass

import polars as pl

from pipelines.ablation.figures import READS, Figures, figures_of
from pipelines.ablation.replay import replay
from pipelines.ablation.variants import Group, variants
from pipelines.errors import RecipeError
from pipelines.publishing.store import Store, staged
from pipelines.recipe import Recipe
from pipelines.selection.funnel import Funnel
from pipelines.selection.select import select
from pipelines.selection.staged import scan
from pipelines.staging.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Row:
    """One variant and what became of it."""

    group: Group
    name: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class Ablation:
    """The variants of a recipe."""

    rows: tuple[Row, ...]
    prompts: int
    """Prompts that the figures are about."""
    owed: int
    """Prompts left out, for their calls are not in the ledger."""


def ablate(recipe: Recipe, store: Store) -> Ablation:
    """Selects by each variant of `recipe` from what the ledger holds. Makes no call.

    Raises RecipeError where the ledger holds no prompt of it whole.
    """
    with staged(store, recipe.head.name) as staging:
        replayed = replay(recipe, store, staging)
        if replayed.owed and not replayed.prompts:
            raise RecipeError(
                f"{recipe.path}: the ledger of {store.root} holds no prompt of this recipe with "
                f"all its calls. `pairwright build {recipe.path}` makes them"
            )
        sources = _sources(replayed.evidence)
        responses = replayed.evidence.frames(READS).responses
        rows = [
            Row(one.group, one.name, _selected(one.recipe, replayed.evidence, responses, sources))
            for one in variants(recipe)
        ]
    return Ablation(tuple(rows), replayed.prompts, replayed.owed)


def _selected(
    recipe: Recipe, evidence: Evidence, responses: pl.DataFrame, sources: pl.DataFrame
) -> Figures:
    funnel = Funnel()
    funnel.staged(evidence.drops())
    selected = select(recipe, evidence.folder, funnel)
    return figures_of(selected.pairs, responses, sources, funnel.steps)


def _sources(evidence: Evidence) -> pl.DataFrame:
    """`prompt_id`, `source`: one row for each source of each prompt."""
    prompts = scan(evidence.folder, "prompts").select("prompt_id", source="sources")
    return prompts.explode("source").collect()
