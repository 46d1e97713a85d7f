"""The budget: a ceiling on what a build may spend, held because the worst case is reserved first.

    worst case of a call ─ reserve ─> in flight ─ reply ─ settle ─> what it really took
                              │ does not fit: waits for calls in flight to settle;
                              └ none is in flight: BudgetReached, and the call is owed

The worst case of a call is its input, at most one token for each byte beside what a chat template
adds, and `max_tokens` for each sample asked for. So calls, tokens and money never exceed the budget; time may be exceeded by what
was in flight when it ran out.
"""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from pipelines.backend import Backend, Request, Sampling
from pipelines.calls.meter import Meter
from pipelines.calls.prices import Usage
from pipelines.errors import TransientError
from pipelines.part import Real, Table, Where
from schemas.canonical import canonical_json
from schemas.rows import Message

MESSAGE_TOKENS = 16
"""Allowance for the marks that a chat template puts around each message, in tokens."""
TEMPLATE_TOKENS = 128
"""Allowance for a chat template's own text, such as a default system message, in tokens."""

BOUNDS = ("calls", "tokens", "money")
"""Fields of a budget that a call's worst case counts against."""
LIMITS = ("max_tokens", "max_completion_tokens")
"""Names of the length limit in the body of a request."""


class Budget(Table):
    """What one run may spend. What is in the ledger already costs nothing."""

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
        if self.money is None and self.tokens is None:
            return
        key = "tokens" if self.tokens is not None else "money"
        effective = model.effective(sampling)
        if effective.max_tokens is None:
            raise where.error(
                f"an answer of models.{model.name} may take any number of tokens. Give its "
                "sampling.max_tokens, or bound calls instead",
                key,
            )
        for limit in LIMITS:
            if limit in (effective.extra_body or {}):
                raise where.error(
                    f"{limit} in sampling.extra_body wins over sampling.max_tokens with "
                    f"models.{model.name}. Give sampling.max_tokens alone",
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

    def or_more(self, other: "Cost") -> "Cost":
        """The larger one of each."""
        calls, tokens = max(self.calls, other.calls), max(self.tokens, other.tokens)
        return Cost(calls, tokens, max(self.money, other.money))


@dataclass(eq=False, slots=True)
class Share:
    """What one unit has taken of a budget."""

    spent: Cost = Cost()
    resumed: bool = False
    """Whether earlier runs had paid for some of what it asked."""


SHARE: ContextVar[Share | None] = ContextVar("SHARE", default=None)
"""The share of the unit that makes a call, where somebody keeps them apart (`thrift`)."""


def worst_case(backend: Backend, request: Request) -> Cost:
    """The most that one attempt at `request` can take; without `max_tokens`, of its input."""
    prices, sampling = backend.prices, request.sampling
    prompt = TEMPLATE_TOKENS + len((request.tools or "").encode())
    prompt += sum(_bytes(message) + MESSAGE_TOKENS for message in request.messages)
    for beside in (sampling.json_schema, sampling.extra_body):
        prompt += len(canonical_json(beside)) if beside else 0
    completion = request.n * (sampling.max_tokens or 0)
    dearest_input = max(prices.input or 0.0, prices.cached_input or 0.0)
    dearest_output = max(prices.output or 0.0, prices.reasoning or 0.0)
    full = (prompt * dearest_input + completion * dearest_output) / 1e6
    return Cost(1, prompt + completion, full * backend.price_factors()[1])


def _bytes(message: Message) -> int:
    """Bytes of all texts of a message, each of its tool calls with marks of its own."""
    calls = message.tool_calls
    texts = [message.content, message.name, message.tool_call_id]
    texts += [text for call in calls for text in (call.id, call.name, call.arguments)]
    return len(calls) * MESSAGE_TOKENS + sum(len(text.encode()) for text in texts if text)


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
        self.is_bounded = any(getattr(budget, name) is not None for name in BOUNDS)
        """Whether calls, tokens or money have a bound; without one no worst case is worked out."""
        self._deadline = None if budget.wall_s is None else meter.started + budget.wall_s
        self._settled = asyncio.Event()

    async def reserve(self, worst: Cost) -> None:
        """Sets `worst` aside, once it fits. Raises BudgetReached when it will not."""
        while not self._fits(worst):
            if self._is_late() or not self.reserved.calls:
                raise self._over(self._exceeded(worst))
            self._settled.clear()
            await self._settled.wait()
        self.reserved += worst

    async def in_time(self, waiting: Awaitable[None]) -> None:
        """Waits, but no longer than there is time for a call. Raises BudgetReached."""
        if self._deadline is None:
            await waiting
            return
        try:
            async with asyncio.timeout(self._deadline - time.monotonic()):
                await waiting
        except TimeoutError:
            raise self._over() from None

    def settle(self, worst: Cost, took: Cost) -> None:
        """Replaces what was set aside by what the call took."""
        self.reserved -= worst
        if not self.reserved.calls:
            self.reserved = Cost()  # and no rounding error of money is left
        self.spent += took
        if (share := SHARE.get()) is not None:
            share.spent += took
        self._settled.set()

    def _fits(self, worst: Cost) -> bool:
        return not self._is_late() and not (self.is_bounded and self._exceeded(worst))

    def _exceeded(self, worst: Cost) -> list[str]:
        """The bounds that a further call of this worst case might go beyond."""
        total = self.spent + self.reserved + worst
        bounds = (("calls", total.calls), ("tokens", total.tokens), ("money", total.money))
        return [
            name
            for name, value in bounds
            if (limit := getattr(self.budget, name)) is not None and value > limit
        ]

    def _is_late(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _over(self, exceeded: Sequence[str] = ()) -> BudgetReached:
        self.reached = True
        limits = ", ".join(f"{name} = {getattr(self.budget, name)}" for name in exceeded)
        return BudgetReached(f"the budget is reached: {limits or f'wall_s = {self.budget.wall_s}'}")
