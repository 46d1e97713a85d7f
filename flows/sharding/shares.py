"""Shares: what shards that run at once may each take of a recipe's windows, rates and budget.

    window, requests_per_minute ── one share for each slot ──> the shard in that slot
    budget ── what is neither spent nor lent, over the shards that wait ──> the next shard

Together the shares are never more than the whole, and what a shard leaves of its budget is lent to
those after it.
"""

import time
from collections.abc import Hashable
from dataclasses import dataclass, field, replace

from pipelines.backend import Backend
from pipelines.calls.budget import Budget, Cost
from pipelines.calls.segments import PARTITIONS
from pipelines.recipe import Recipe

UNITS_PER_SHARD = 1000
"""Prompts of a shard, where the flow is not told how many shards to make."""

AT_ONCE = 4
"""Shards that run at once, at the most."""


def shards_for(prompts: int, wanted: int | None) -> int:
    """How many shards to make: as wanted, else by `UNITS_PER_SHARD`; never more than partitions.

    >>> shards_for(50, None), shards_for(2500, None), shards_for(10**6, None), shards_for(50, 7)
    (1, 3, 64, 7)
    """
    return min(PARTITIONS, max(1, -(-prompts // UNITS_PER_SHARD) if wanted is None else wanted))


def slots_for(recipe: Recipe, shards: int) -> int:
    """How many shards run at once: few enough for each to have a part of every window and rate."""
    limits = [limit for model in recipe.models.values() for limit in _limits(model).values()]
    return min(shards, AT_ONCE, *limits)


@dataclass(frozen=True, slots=True)
class Share:
    """What the shard in slot `slot`, from 0, of `slots` may take."""

    slot: int = 0
    slots: int = 1
    budget: Cost | None = None
    """In this flow run, all attempts together; None: as much as it likes."""
    deadline: float | None = None
    """Unix time after which no call is started: the one clock that shards in other processes, on
    other machines and at later attempts have in common. The machines' clocks must agree."""

    def of(self, total: int) -> int:
        """Its part of a whole number; the parts of all slots are the whole.

        >>> [Share(slot, 3).of(8) for slot in range(3)]
        [3, 3, 2]
        """
        return total // self.slots + (self.slot < total % self.slots)

    def applied(self, recipe: Recipe, spent: Cost) -> Recipe:
        """`recipe` with this share's windows, rates and budget, of which `spent` is gone."""
        models = {
            name: model.model_copy(
                update={key: self.of(limit) for key, limit in _limits(model).items()}
            )
            for name, model in recipe.models.items()
        }
        budget: dict[str, float] = {}
        if self.budget is not None:
            left = self.budget - spent
            allowed = {"calls": left.calls, "tokens": left.tokens, "money": left.money}
            budget = {key: allowed[key] for key in allowed if getattr(recipe.budget, key)}
        if self.deadline is not None:
            budget["wall_s"] = self.deadline - time.time()
        return replace(recipe, models=models, budget=recipe.budget.model_copy(update=budget))


@dataclass(slots=True)
class Till:
    """Lends parts of a budget to shards."""

    budget: Budget
    started: float = field(default_factory=time.time)
    """Unix time at which the flow run began, its reading included, as in a plain build."""
    spent: dict[Hashable, Cost] = field(default_factory=dict)
    """By shard, of those that do not run now."""
    lent: dict[Hashable, Cost] = field(default_factory=dict)
    """By shard that runs: what it may spend, with what it spent before."""

    def lend(self, shard: Hashable, waiting: int) -> Cost | None:
        """What `shard` may spend, with what it spent before; `waiting` shards share what is left.

        None: the budget bounds neither calls, nor tokens, nor money.
        """
        limits = (self.budget.calls, self.budget.tokens, self.budget.money)
        if limits == (None, None, None):
            return None
        calls, tokens, money = (limit or 0 for limit in limits)
        free = Cost(int(calls), int(tokens), money) - self.total
        part = Cost(free.calls // waiting, free.tokens // waiting, free.money / waiting)
        self.lent[shard] = self.spent.pop(shard, Cost()) + part
        return self.lent[shard]

    def settle(self, shard: Hashable, spent: Cost) -> None:
        """A shard ended, having spent `spent` in all."""
        self.lent.pop(shard, None)
        self.spent[shard] = spent

    @property
    def total(self) -> Cost:
        """What is spent or lent."""
        return sum((*self.spent.values(), *self.lent.values()), Cost())

    @property
    def deadline(self) -> float | None:
        """Unix time after which no call is started."""
        return None if self.budget.wall_s is None else self.started + self.budget.wall_s


def _limits(model: Backend) -> dict[str, int]:
    limits = {"window": model.window}
    if model.requests_per_minute is not None:
        limits["requests_per_minute"] = model.requests_per_minute
    return limits
