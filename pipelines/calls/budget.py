"""The budget: a ceiling on what a build may spend, held because the worst case is reserved first.

    worst case of a call ─ reserve ─> in flight ─ reply ─ settle ─> what it really took
                              │ does not fit: waits for calls in flight to settle;
                              └ none is in flight: BudgetReached, and the call is owed

The worst case of a call is its input, at most one token for each byte, and `max_tokens` for each
sample asked for. So calls, tokens and money never exceed the budget; time may be exceeded by what
was in flight when it ran out.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from pipelines.backend import Backend, Request, Sampling, Usage
from pipelines.errors import TransientError
from pipelines.meter import Meter
from pipelines.part import Real, Table, Where

MESSAGE_TOKENS = 16
"""Allowance for the marks that a chat template puts around each message, in tokens."""


class Budget(Table):
    """`[budget]`: what one run may spend. What is in the ledger already costs nothing."""

    money: Real | None = Field(default=None, gt=0)
    """Money, in the currency of the models' prices."""
    tokens: int | None = Field(default=None, ge=1)
    """Prompt and completion tokens of all models together."""
    calls: int | None = Field(default=None, ge=1)
    """Requests, those that failed included."""
    wall_s: Real | None = Field(default=None, gt=0)
    """Seconds from the start of the build; afterwards no call is started."""
    on_limit: Literal["stop", "publish"] = "stop"
    """What happens to a build that reached it: "stop" publishes nothing, and a later run goes on;
    "publish" publishes what is complete, the other prompts being dropped as owed."""

    def check_model(self, model: Backend, sampling: Sampling, where: Where) -> None:
        """Raises RecipeError where the worst case of a model's calls cannot be told."""
        prices = model.prices
        if self.money is not None and (prices.input is None or prices.output is None):
            raise where.error(
                f"models.{model.name} has no prices.input and prices.output, so money cannot be "
                "counted. Give them, or bound tokens or calls instead",
                "money",
            )
        unbounded = model.effective(sampling).max_tokens is None
        if unbounded and (self.money is not None or self.tokens is not None):
            key = "tokens" if self.tokens is not None else "money"
            raise where.error(
                f"an answer of models.{model.name} may take any number of tokens. Give its "
                "sampling.max_tokens, or bound calls instead",
                key,
            )


class BudgetReached(TransientError):
    """The budget does not allow this call. A later run with a further budget makes it."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What calls take: requests, tokens (prompt and completion), money."""

    calls: int = 0
    tokens: int = 0
    money: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.calls + other.calls, self.tokens + other.tokens, self.money + other.money)

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.calls - other.calls, self.tokens - other.tokens, self.money - other.money)


def worst_case(backend: Backend, request: Request) -> Cost:
    """The most that one attempt at `request` can take; without `max_tokens`, of its input."""
    prompt = len((request.tools or "").encode()) + sum(
        len((message.content or "").encode()) + MESSAGE_TOKENS for message in request.messages
    )
    completion = request.n * (request.sampling.max_tokens or 0)
    dearest = max(backend.prices.output or 0.0, backend.prices.reasoning or 0.0)
    money = (prompt * (backend.prices.input or 0.0) + completion * dearest) / 1e6
    return Cost(1, prompt + completion, money)


def actual(backend: Backend, usage: Usage | None, worst: Cost) -> Cost:
    """What a reply took; the worst case where the server did not say."""
    if usage is None or usage.prompt_tokens is None or usage.completion_tokens is None:
        return worst
    money = backend.prices.money(usage) or 0.0
    return Cost(1, usage.prompt_tokens + usage.completion_tokens, money)


class Purse:
    """What is left of a budget, in one event loop."""

    def __init__(self, budget: Budget, meter: Meter) -> None:
        self.budget = budget
        self.spent = Cost()
        self.reserved = Cost()
        self.reached = False
        self._deadline = None if budget.wall_s is None else meter.started + budget.wall_s
        self._settled = asyncio.Event()

    async def reserve(self, worst: Cost) -> None:
        """Sets `worst` aside, once it fits. Raises BudgetReached when it will not."""
        while not self._fits(worst):
            if self._is_late() or not self.reserved.calls:
                self.reached = True
                raise BudgetReached(f"the budget is reached ({self._limits()})")
            self._settled.clear()
            await self._settled.wait()
        self.reserved += worst

    def settle(self, worst: Cost, took: Cost) -> None:
        """Replaces what was set aside by what the call took."""
        self.reserved -= worst
        if not self.reserved.calls:
            self.reserved = Cost()  # and no rounding error of money is left
        self.spent += took
        self._settled.set()

    def _fits(self, worst: Cost) -> bool:
        total, budget = self.spent + self.reserved + worst, self.budget
        return (
            not self._is_late()
            and (budget.calls is None or total.calls <= budget.calls)
            and (budget.tokens is None or total.tokens <= budget.tokens)
            and (budget.money is None or total.money <= budget.money)
        )

    def _is_late(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _limits(self) -> str:
        given = self.budget.model_dump(exclude={"on_limit"}, exclude_none=True)
        return ", ".join(f"{name} = {limit}" for name, limit in given.items())
