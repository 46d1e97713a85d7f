"""The allowance: what is left of a recipe's budget for the next build of the same run.

Calls, tokens and money are bounded for the whole run; `wall_s` for each build by itself.
"""

from dataclasses import replace

from pipelines.calls.budget import BOUNDS, Cost
from pipelines.recipe import Recipe


class Allowance:
    """Counts what the builds of a run spend."""

    def __init__(self) -> None:
        self._spent = Cost()

    def within(self, recipe: Recipe) -> Recipe | None:
        """`recipe` with what is left of its budget; None where nothing is."""
        left = {
            name: bound - getattr(self._spent, name)
            for name in BOUNDS
            if (bound := getattr(recipe.budget, name)) is not None
        }
        if any(value <= 0 for value in left.values()):
            return None
        return replace(recipe, budget=recipe.budget.model_copy(update=left))

    def add(self, spent: Cost) -> None:
        """Counts what a build took of its budget, replies without usage at their worst case."""
        self._spent += spent
