"""The plan: what a build would still call, before it calls.

    sampled units ─ the same coroutines ─> calls that the ledger does not hold
                          │                        │ counted, and answered by a stand-in
                          └ replies it does hold ─> lengths of answers, tokens per character

The units' own coroutines run (`round.run_unit`); only the buying is replaced (`forecaster.py`), so
loops, re-asks and cascades are counted by what they do. What is counted on the sampled units is
scaled up to all of them.
"""

import asyncio
import heapq
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import uvloop

from pipelines.backend import Backend
from pipelines.calls.dispatch import Dispatcher
from pipelines.calls.ledger import Ledger
from pipelines.intake.inputs import read_inputs
from pipelines.intake.records import Records
from pipelines.meter import Meter
from pipelines.planning.estimate import Estimate, scaled, times, total_of, widened
from pipelines.planning.forecaster import (
    ASSUMED,
    Account,
    Forecaster,
    Known,
    Lengths,
    PlannedUnit,
    Tally,
)
from pipelines.publishing.store import Store, staged
from pipelines.recipe import Recipe
from pipelines.round import run_round, run_unit
from pipelines.shard import RECORDS, admit, steps_of
from pipelines.unit import Workshop
from schemas.canonical import draw_unit
from schemas.rows import Prompt
from schemas.version import Forecast


@dataclass(frozen=True, slots=True)
class PartPlan:
    """What one part would still take of one model."""

    part: str
    model: str
    calls: Estimate
    samples: Estimate
    prompt_tokens: Estimate
    completion_tokens: Estimate
    money: Estimate | None
    """None: the model has no prices."""
    most_tokens: float
    """At the most; without `max_tokens`, of the prompts alone."""
    known_answers: int
    """Answers of this model to this part that lengths are drawn from; 0: they are assumed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build would still take."""

    units: int
    """Prompts that the build is about."""
    sampled_units: int
    """Prompts whose units were counted."""
    replayed: float
    """Samples that the ledger holds already, of all units."""
    parts: tuple[PartPlan, ...]

    def money(self) -> Estimate | None:
        """Of all parts together; None if one has no prices."""
        return total_of([part.money for part in self.parts])

    def forecast(self) -> dict[str, Forecast]:
        """Model -> what it is expected to take, for the manifest of the build."""
        models: dict[str, list[PartPlan]] = defaultdict(list)
        for part in self.parts:
            models[part.model].append(part)
        return {model: _forecast(parts) for model, parts in models.items()}


def make_plan(
    recipe: Recipe,
    store: Store,
    lengths: Lengths = ASSUMED,
    *,
    units: int = 2000,
    pilot: int = 0,
    meter: Meter | None = None,
) -> Plan:
    """The plan for a build into `store`, counted on a seeded sample of at most `units` prompts.

    `pilot` units of them are really run first (and paid, into the ledger, so that the build does
    not pay them again): they tell how long answers are. Raises what a build raises before it
    publishes.
    """
    with (
        staged(store, recipe.head.name) as staging,
        Records(staging / RECORDS) as records,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        read_inputs(recipe, records, lambda _: None)
        total, sampled = _sampled_prompts(recipe, records, max(units, pilot))
        workshop = _Shared(recipe, store, records, meter or Meter())
        if pilot:
            runner.run(workshop.pay(sampled[:pilot]))
        return runner.run(workshop.count(sampled, total, lengths))


FORECAST_UNITS = 200
"""Prompts that the forecast of a build is counted on."""


def forecast(recipe: Recipe, store: Store, staging: Path) -> dict[str, Forecast]:
    """Model -> what a build is expected to take of it, from the records that are read already.

    Empty where no model has prices and no budget is given: then nobody asked.
    """
    bounded = any(value is not None for value in (recipe.budget.calls, recipe.budget.tokens))
    if not bounded and not any(model.prices.input for model in recipe.models.values()):
        return {}
    with (
        Records(staging / RECORDS, read_only=True) as records,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        total, sampled = _sampled_prompts(recipe, records, FORECAST_UNITS)
        shared = _Shared(recipe, store, records, Meter())
        return runner.run(shared.count(sampled, total, ASSUMED)).forecast()


def _sampled_prompts(recipe: Recipe, records: Records, most: int) -> tuple[int, list[Prompt]]:
    """How many prompts are admitted, and `most` of them, drawn by the seed."""
    admitted = chain.from_iterable(kept for _, kept, _ in admit(recipe, records.prompts()))
    return _sampled(admitted, most, recipe.head.seed)


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the units of a plan have in common."""

    recipe: Recipe
    store: Store
    records: Records
    meter: Meter

    async def pay(self, prompts: Sequence[Prompt]) -> None:
        """Runs units for real; what they buy is in the ledger, and a unit that owes is no harm."""
        recipe = self.recipe
        with Ledger(self.store.ledger_folder) as ledger:
            async with Dispatcher(recipe.models, self.meter, recipe.budget) as dispatcher:
                workshop = self._workshop(ledger, dispatcher, self.meter)
                steps = steps_of(recipe)
                await run_round(iter(prompts), workshop, steps, lambda _: None, lambda *_: None)

    async def count(self, prompts: Sequence[Prompt], total: int, lengths: Lengths) -> Plan:
        """The plan for `total` prompts, from these."""
        meter = Meter()
        learner = Forecaster(self.recipe, lengths, learning=True)
        with Ledger(self.store.ledger_folder) as ledger:
            workshop = self._workshop(ledger, Dispatcher({}, meter), meter)
            await _count(prompts, workshop, learner)  # the first time, for the lengths
            replayed = meter.samples_replayed
            forecaster = Forecaster(self.recipe, lengths, known=learner.known)
            by_unit = await _count(prompts, workshop, forecaster)
        pairs = sorted({pair for account in by_unit for pair in account})
        return Plan(
            units=total,
            sampled_units=len(prompts),
            replayed=replayed * total / len(prompts) if prompts else 0.0,
            parts=tuple(
                _part_plan(pair, self.recipe.models[pair[1]], by_unit, total, learner.known[pair])
                for pair in pairs
            ),
        )

    def _workshop(self, ledger: Ledger, dispatcher: Dispatcher, meter: Meter) -> Workshop:
        recipe = self.recipe
        return Workshop(recipe.head.seed, recipe.models, ledger, dispatcher, meter, self.records)


async def _count(
    prompts: Sequence[Prompt], workshop: Workshop, forecaster: Forecaster
) -> list[Account]:
    """What each unit would still take."""
    accounts, steps = [], steps_of(forecaster.recipe)
    for prompt in prompts:
        forecaster.account = defaultdict(Tally)
        await run_unit(PlannedUnit(prompt, workshop, forecaster=forecaster), steps)
        accounts.append(dict(forecaster.account))
    return accounts


def _sampled(prompts: Iterator[Prompt], most: int, seed: int) -> tuple[int, list[Prompt]]:
    """How many prompts there are, and `most` of them with the smallest draws."""
    counted: Counter[str] = Counter()

    def keyed() -> Iterator[tuple[float, str, Prompt]]:
        for prompt in prompts:
            counted["prompts"] += 1
            yield draw_unit(seed, "plan", prompt.prompt_id), prompt.prompt_id, prompt

    drawn = heapq.nsmallest(most, keyed(), key=lambda one: one[:2])
    return counted["prompts"], [prompt for *_, prompt in drawn]


def _part_plan(
    pair: tuple[str, str], backend: Backend, by_unit: list[Account], total: int, known: Known
) -> PartPlan:
    rows = [account.get(pair, Tally()).values() for account in by_unit]
    calls, samples, prompt, completion, most = (
        scaled(list(column), total) for column in zip(*rows, strict=True)
    )
    lengths = [len(text) for text in known.answers]
    completion = widened(completion, samples.value, lengths, known.per_token)
    prices = backend.prices
    money = None
    if prices.input is not None and prices.output is not None:
        money = total_of(
            [times(prompt, prices.input / 1e6), times(completion, prices.output / 1e6)]
        )
    return PartPlan(
        *pair, calls, samples, prompt, completion, money, most.value, len(known.answers)
    )


def _forecast(parts: Sequence[PartPlan]) -> Forecast:
    money = total_of([part.money for part in parts])
    return Forecast(
        calls=sum(part.calls.value for part in parts),
        prompt_tokens=sum(part.prompt_tokens.value for part in parts),
        completion_tokens=sum(part.completion_tokens.value for part in parts),
        money=money.value if money is not None else None,
    )
