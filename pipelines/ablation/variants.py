"""Variants: a recipe with some of its components left out.

AIR (arXiv 2504.03612) takes a preference set apart into annotation, instructions and response
pairs. Here these are `[score]`, the filters on prompts, and the filters on pairs with the
selectors; filters on responses stand between the two last. Only what happens after judging can be
varied without a call: what an early filter dropped was never judged.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal

from pipelines.filter import Filter, On
from pipelines.recipe import Recipe
from pipelines.scoring.score import Score
from pipelines.selection.steps import late

Group = Literal["alone", "cumulated", "without", "judge"]
"""How a variant came about: one component and nothing else, one more at each step, all but one,
the whole recipe with one judge."""

NOTHING = "nothing"
EVERYTHING = "the recipe"


@dataclass(frozen=True, slots=True)
class Variant:
    """A recipe with some components."""

    group: Group
    name: str
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class Component:
    """Some of what a recipe does after judging."""

    name: str
    filters: tuple[Filter, ...] = ()
    selectors: bool = False
    score: bool = False


def variants(recipe: Recipe) -> list[Variant]:
    """Nothing, each component alone, cumulated, all but each filter and selector, each judge."""
    parts = components(recipe)
    steps = accumulate(([part] for part in parts), initial=[])
    named = [NOTHING, *(f"+ {part.name}" for part in parts)]
    return [
        Variant("alone", NOTHING, with_components(recipe, [])),
        *(Variant("alone", part.name, with_components(recipe, [part])) for part in parts),
        *(
            Variant("cumulated", name, with_components(recipe, step))
            for name, step in zip(named[1:], list(steps)[1:], strict=True)
        ),
        *_without_one(recipe),
        *_judges_alone(recipe),
    ]


def components(recipe: Recipe) -> list[Component]:
    """The recipe's components that are there, in the order in which they act."""
    found = [
        Component("annotation", score=plain_score(recipe) != recipe.score),
        Component("instruction filter", filters=late(recipe.filters, "prompts")),
        Component("response filter", filters=late(recipe.filters, "responses")),
        Component(
            "pair rule", filters=late(recipe.filters, "pairs"), selectors=bool(recipe.selectors)
        ),
    ]
    return [one for one in found if one.score or one.filters or one.selectors]


def plain_score(recipe: Recipe) -> Score:
    """What `[score]` is compared with: its first judge alone, or the recipe's first."""
    named = recipe.score.judges or tuple(judge.name for judge in recipe.judges)
    return Score(judges=named[:1])


def with_components(recipe: Recipe, parts: list[Component]) -> Recipe:
    """The recipe with these components only. Filters that act before judging always stay."""
    kept = {id(one) for part in parts for one in part.filters}
    is_late = {id(one) for on in _ONS for one in late(recipe.filters, on)}
    return replace(
        recipe,
        filters=tuple(one for one in recipe.filters if id(one) in kept or id(one) not in is_late),
        selectors=recipe.selectors if any(part.selectors for part in parts) else (),
        score=recipe.score if any(part.score for part in parts) else plain_score(recipe),
    )


def _without_one(recipe: Recipe) -> Iterator[Variant]:
    """All but one filter that acts after judging, or one selector."""
    for on in _ONS:
        for left_out in late(recipe.filters, on):
            rest = tuple(one for one in recipe.filters if one is not left_out)
            yield Variant("without", f"filters.{left_out.name}", replace(recipe, filters=rest))
    for selector in recipe.selectors:
        others = tuple(one for one in recipe.selectors if one is not selector)
        yield Variant("without", f"selectors.{selector.name}", replace(recipe, selectors=others))


def _judges_alone(recipe: Recipe) -> Iterator[Variant]:
    """The whole recipe with one judge's scores, where there are several."""
    if len(recipe.judges) > 1:
        for judge in recipe.judges:
            score = Score(judges=(judge.name,))
            yield Variant("judge", judge.name, replace(recipe, score=score))


_ONS: tuple[On, ...] = ("prompts", "responses", "pairs")
