"""The allowance: what is left of a recipe's budget for the next build of the same run.

Calls, tokens and money are bounded for the whole run; `wall_s` for each build by itself.
"""

from dataclasses import replace

from pipelines.calls.budget import BOUNDS
from pipelines.meter import Meter
from pipelines.recipe import Recipe


class Allowance:
    """Counts what the builds of a run spend."""

    def __init__(self) -> None:
        self._spent: dict[str, float] = dict.fromkeys(BOUNDS, 0)

    def within(self, recipe: Recipe) -> Recipe | None:
        """`recipe` with what is left of its budget; None where nothing is."""
        left = {
            name: bound - self._spent[name]
            for name in BOUNDS
            if (bound := getattr(recipe.budget, name)) is not None
        }
        if any(value <= 0 for value in left.values()):
            return None
        return replace(recipe, budget=recipe.budget.model_copy(update=left))

    def add(self, meter: Meter) -> None:
        """Counts a build."""
        spends = meter.spend.values()
        self._spent["calls"] += meter.calls
        self._spent["tokens"] += sum(one.prompt_tokens + one.completion_tokens for one in spends)
        self._spent["money"] += sum(one.money for one in spends)
