"""Exactly N pairs: prompts are drawn round by round, in a seeded order, until N pairs survive.

    prompts, seeded order ─ the next round ─> units ─> evidence so far ─ select ─> N pairs? ─> cut
                     └─────────── then again, with more samples of each <─── no ──┘

Rounds have a fixed size, and a decision falls between them only: what is drawn is a function of
(recipe, replies), never of the order in which replies arrive.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from pipelines.intake.draw import Draw
from pipelines.part import Table, Where

if TYPE_CHECKING:
    from pipelines.recipe import Recipe
    from pipelines.sampler import Sampler


class MoreSamples(Table):
    """What is drawn of prompts that were drawn already, once there is no other."""

    sampler: str = ""
    """Name of the sampler whose `n` is raised, one to which a greater `n` only adds responses, as
    `independent` does. Default: the recipe's only one."""
    step: int = Field(default=1, ge=1)
    """By how much it is raised at a time."""
    most: int = Field(ge=2)
    """How far it is raised: more than the sampler's own `n`."""


class Exactly(Table):
    """Prompts are drawn until so many pairs survive every filter and selector; then it is cut.

    Rounds take the prompts in a seeded order. After each, selection looks at everything drawn so
    far; the build ends with the round that makes `pairs` of them. The pairs of the first prompts in
    that order are kept (of one prompt's, those with the smaller ids), the others are `not_needed`.
    """

    pairs: int = Field(ge=1)
    """How many pairs the version has."""
    prompts_per_round: int = Field(default=500, ge=1)
    """Prompts of a round: a build draws at most so many too many. Models idle while a round ends, so
    take several times their windows."""
    more_samples: MoreSamples | None = None
    """Where prompts run out: raise `n` of a sampler, for all of them, round by round. A prompt's new
    rows take the place of its old ones; the samples that it had are among them, and not paid again."""
    on_limit: Literal["stop", "publish"] = "stop"
    """What happens when nothing is left to draw and pairs are missing: "stop" publishes nothing,
    "publish" publishes those there are."""

    def draws(self, prompts: int, n: int = 0) -> Iterator["Draw"]:
        """All rounds that there may be, in order; `n` is the sampler's own.

        >>> two = {"pairs": 9, "prompts_per_round": 2}
        >>> [(one.first, one.last) for one in Exactly(**two).draws(5)]
        [(0, 2), (2, 4), (4, 5)]
        >>> more = MoreSamples(step=2, most=5)
        >>> [(one.first, one.more) for one in Exactly(**two, more_samples=more).draws(3, n=2)]
        [(0, 0), (2, 0), (0, 2), (2, 2), (0, 3), (2, 3)]
        """
        more = self.more_samples
        raised = range(more.step, more.most - n + more.step, more.step) if more else ()
        for added in (0, *(min(one, more.most - n) for one in raised if more)):
            for first in range(0, prompts, self.prompts_per_round):
                yield Draw(first, min(first + self.prompts_per_round, prompts), added)


def drawn_sampler(exactly: Exactly, samplers: "Sequence[Sampler]") -> "Sampler | None":
    """The sampler whose `n` is raised; None where there is none of that name, or none at all."""
    more = exactly.more_samples
    named = [one for one in samplers if more and one.name == (more.sampler or one.name)]
    return named[0] if len(named) == 1 else None


def with_more(recipe: "Recipe", more: int) -> "Recipe":
    """`recipe` with the sampler's `n` raised by `more`."""
    if not more or recipe.exactly is None:
        return recipe
    raised = drawn_sampler(recipe.exactly, recipe.samplers)
    samplers = tuple(
        one.model_copy(update={"n": one.n + more}) if one is raised else one  # type: ignore[attr-defined]
        for one in recipe.samplers
    )
    return replace(recipe, samplers=samplers)


def check_exactly(recipe: "Recipe", where: Where) -> None:
    """Raises RecipeError where the number can never be reached, or nothing can be raised."""
    exactly = recipe.exactly
    if exactly is None:
        return
    refuse_out_of_reach(recipe, None, where)
    if recipe.gates.min_pairs > exactly.pairs:
        raise where.error(
            f"gates.min_pairs is {recipe.gates.min_pairs}, and exactly.pairs {exactly.pairs}: the "
            "gate would refuse every build",
            "pairs",
        )
    if exactly.more_samples is not None:
        _check_more(exactly, exactly.more_samples, recipe.samplers, where)


def refuse_out_of_reach(recipe: "Recipe", prompts: int | None, where: Where) -> None:
    """Raises RecipeError where a selector never keeps as many, of so many prompts or of any number.

    What `on_limit` publishes may be fewer, of a given number of prompts.
    """
    exactly = recipe.exactly
    if exactly is None or (prompts is not None and exactly.on_limit == "publish"):
        return
    for selector in recipe.selectors:
        most = selector.most_pairs(prompts)
        if most is not None and most < exactly.pairs:
            of = "" if prompts is None else f" of {prompts} prompts"
            raise where.error(
                f"{exactly.pairs} pairs are wanted, and selectors.{selector.name} keeps {most}{of} "
                "at the most",
                "pairs",
            )


def _check_more(
    exactly: Exactly, more: MoreSamples, samplers: "Sequence[Sampler]", where: Where
) -> None:
    able = {one.name: one.n for one in samplers if one.adds}  # type: ignore[attr-defined]
    found = drawn_sampler(exactly, samplers)
    if found is None or found.name not in able:
        valid = (
            f"valid: {', '.join(able)}"
            if able
            else "no sampler of the recipe has one that only adds"
        )
        raise where.error(
            f'whose `n` shall be raised? "{more.sampler}" will not do; {valid}',
            "more_samples.sampler",
        )
    if more.most <= able[found.name]:
        raise where.error(
            f"{more.most} is no more than the n of samplers.{found.name}, {able[found.name]}",
            "more_samples.most",
        )
