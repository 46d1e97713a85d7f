"""The plan: what a build would still call, before it calls.

    sampled units ─ the same coroutines ─> calls that the ledger does not hold
                          │                        │ counted, and answered by a stand-in
                          └ replies it does hold ─> lengths of answers, tokens per character

The units' own coroutines run (`running.round`); only the buying is replaced (`forecaster.py`), so
loops, re-asks and cascades are counted by what they do. What is counted on the sampled units is
scaled up to all of them.
"""

import asyncio
import heapq
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import uvloop

from pipelines.backend import Backend
from pipelines.calibration.gate import JudgeGate
from pipelines.calls.dispatch import Dispatcher
from pipelines.calls.ledger import Ledger
from pipelines.calls.meter import Meter
from pipelines.intake.draw import ORDER, Draw
from pipelines.intake.inputs import read_inputs
from pipelines.intake.records import Records
from pipelines.planning.forecaster import (
    ASSUMED,
    Forecaster,
    Known,
    Lengths,
    PlannedUnit,
    Tally,
)
from pipelines.planning.latency import Stopwatch, wall_seconds
from pipelines.planning.part_plan import Counted, Pilot, Plan, part_plan, saved_calls
from pipelines.planning.precedent import Pair, UnitForecast, precedents_of
from pipelines.planning.survival import Survival, survival
from pipelines.publishing.store import Store, staged
from pipelines.recipe import Recipe
from pipelines.running.round import run_round, run_unit
from pipelines.running.shard import RECORDS, Shard, admit, steps_of
from pipelines.running.workshop import Workshop
from schemas.canonical import draw_unit
from schemas.rows import Prompt
from schemas.version import Forecast


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
    not pay them again): they tell how long answers are, and how long they take. Raises what a build
    raises before it publishes.
    """
    recipe = recipe.in_store(store)
    with (
        staged(store, recipe.head.name) as staging,
        Records(staging / RECORDS) as records,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        read_inputs(recipe, records, lambda _: None)
        records.add_labelled(JudgeGate(recipe, store).labelled())
        shared = _Shared(recipe, store, records, meter or Meter())
        drawn = _drawn(recipe, records, units, pilot)
        paid = runner.run(shared.pay(drawn.pilots[:pilot])) if pilot else None
        if likely := runner.run(shared.survival(staging)):
            drawn = _drawn(recipe, records, units, pilot, likely.needed)
        plan = runner.run(shared.count(drawn, lengths, worst=True))
        plan = replace(plan, survival=likely)
    if paid is None:
        return plan
    calls = [(part.model, part.calls.value) for part in plan.parts]
    seconds = wall_seconds(calls, recipe.models, paid.latency, paid.shares)
    return replace(plan, pilot=paid, seconds=seconds)


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
        shared = _Shared(recipe, store, records, Meter())
        likely = runner.run(shared.survival(staging))
        drawn = _drawn(recipe, records, FORECAST_UNITS, needed=likely.needed if likely else None)
        return runner.run(shared.count(drawn, ASSUMED)).forecast()


LEARNT = 200
"""Prompts in the pilots' order that lengths are learnt from, beside those that are counted."""


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Prompts drawn by the seed, those to count apart from those of pilots.

    What is paid of a pilot's prompts is no measure of the others, so that a count on the same ones
    would come out too low.
    """

    total: int
    """Prompts that are admitted."""
    counted: list[Prompt]
    pilots: list[Prompt]


def _drawn(
    recipe: Recipe, records: Records, units: int, pilot: int = 0, needed: int | None = None
) -> _Drawn:
    """Of the prompts that are admitted, those with the smallest draws, smallest first.

    With `[exactly]`, of the first `needed` ones in its order; pilots are the first of them, so that
    the build has a use for what they bought.
    """
    exact = recipe.exactly is not None
    sizes = {"plan": units, ORDER if exact else "pilot": max(pilot, LEARNT)}
    heaps: dict[str, list[tuple[float, str, Prompt]]] = {purpose: [] for purpose in sizes}
    total, shard = 0, Shard(draw=Draw(0, needed))
    for prompt in chain.from_iterable(kept for _, kept, _ in admit(recipe, records, shard)):
        total += 1
        for purpose, heap in heaps.items():
            drawn = draw_unit(recipe.head.seed, purpose, prompt.prompt_id)
            entry = (-drawn, prompt.prompt_id, prompt)  # the largest draw goes first
            if len(heap) < sizes[purpose]:
                heapq.heappush(heap, entry)
            elif entry > heap[0]:
                heapq.heapreplace(heap, entry)
    counted, pilots = (
        [prompt for *_, prompt in sorted(heap, reverse=True)] for heap in heaps.values()
    )
    return _Drawn(total, counted, pilots)


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the units of a plan have in common."""

    recipe: Recipe
    store: Store
    records: Records
    meter: Meter

    async def pay(self, prompts: Sequence[Prompt]) -> Pilot:
        """Runs units for real; what they buy is in the ledger, and a unit that owes is no harm."""
        recipe, folder, stopwatch = self.recipe, self.store.ledger_folder, Stopwatch()
        models = stopwatch.timed(recipe.models)
        with Ledger(folder) as ledger:
            async with Dispatcher(models, self.meter, recipe.budget, folder) as dispatcher:
                workshop = self._workshop(ledger, dispatcher, self.meter, models)
                steps = steps_of(recipe)
                await run_round(iter(prompts), workshop, steps, lambda _: None, lambda *_: None)
        spent, owed = dispatcher.purse.spent, self.meter.units_owed
        return Pilot(spent, owed, stopwatch.means(), stopwatch.shares())

    async def survival(self, staging: Path) -> Survival | None:
        """How many prompts are likely to be drawn; None without `[exactly]`, where all are."""
        recipe, meter = self.recipe, Meter()
        if recipe.exactly is None:
            return None
        with Ledger(self.store.ledger_folder) as ledger:
            workshop = self._workshop(ledger, Dispatcher({}, meter), meter, recipe.models)
            folder = staging / "survival"
            return await survival(recipe, recipe.exactly, self.records, workshop, folder)

    async def count(self, drawn: _Drawn, lengths: Lengths, *, worst: bool = False) -> Plan:
        """The plan for all prompts, from those drawn; with the worst case where it is wanted."""
        meter, models, prompts = Meter(), self.recipe.models, drawn.counted
        learner = Forecaster(self.recipe, lengths, learning=True)
        with Ledger(self.store.ledger_folder) as ledger:
            workshop = self._workshop(ledger, Dispatcher({}, meter), meter, models)
            told = await _count(prompts, workshop, learner)  # the first time, to learn
            replayed = len(learner.replayed)
            ids = {prompt.prompt_id for prompt in prompts}
            others = [one for one in drawn.pilots if one.prompt_id not in ids]
            precedents = precedents_of([*told, *await _count(others, workshop, learner)])
            forecaster = Forecaster(self.recipe, lengths, known=learner.known)
            units = await _count(prompts, workshop, forecaster)
            most = Forecaster(self.recipe, lengths, worst=True)
            worst_units = await _count(prompts, workshop, most) if worst else None
        counted = Counted(drawn.total, units, worst_units, precedents)
        pairs, judges = counted.pairs(), {name for unit in units for name in unit.counts}
        rests = _Rests(self.recipe, learner.known, pairs)
        return Plan(
            units=drawn.total,
            spared={
                name: saved_calls(name, counted, rests.on(f"judges.{name}"))
                for name in sorted(judges)
            },
            sampled_units=len(prompts),
            replayed=replayed * drawn.total / len(prompts) if prompts else 0.0,
            parts=tuple(
                part_plan(pair, models[pair[1]], counted, learner.known[pair], rests.on(pair[0]))
                for pair in pairs
            ),
        )

    def _workshop(
        self, ledger: Ledger, dispatcher: Dispatcher, meter: Meter, models: dict[str, Backend]
    ) -> Workshop:
        judges = {judge.name: judge for judge in self.recipe.judges}
        return Workshop(
            self.recipe.head.seed, models, ledger, dispatcher, meter, self.records, judges
        )


@dataclass(frozen=True, slots=True)
class _Rests:
    """What the requests of parts rest on: replies that are still to come."""

    recipe: Recipe
    known: Mapping[Pair, Known]
    calling: Sequence[Pair]
    """All parts that still call, with their models."""

    def on(self, part: str) -> list[Known]:
        """What is known of the parts whose replies decide what `part` asks.

        Its own among them where it asks in steps, or is a judge: one that cannot be read is asked
        again.
        """
        before = self._before(part)
        found = [self.known[pair] for pair in self.calling if pair[0] in before]
        own = [known for pair, known in self.known.items() if pair[0] == part]
        if part.startswith("judges."):
            return [*found, *(known for known in own if known.paid)]
        stepwise = {f"samplers.{one.name}" for one in self.recipe.samplers if one.stepwise}
        return [*found, *own] if part in stepwise else found

    def _before(self, part: str) -> set[str]:
        """The parts that `part` waits for."""
        for sampler in self.recipe.samplers:
            if part == f"samplers.{sampler.name}":
                asked = (f"judges.{name}" for name in sampler.judge_names())
                return {*(f"samplers.{name}" for name in sampler.starts_from()), *asked}
        whens = (one.when for one in self.recipe.judges if part == f"judges.{one.name}")
        first = {f"judges.{when.judge}" for when in whens if when is not None}
        return {f"samplers.{sampler.name}" for sampler in self.recipe.samplers} | first


async def _count(
    prompts: Sequence[Prompt], workshop: Workshop, forecaster: Forecaster
) -> list[UnitForecast]:
    """What each unit would still take, and what it has taken."""
    found: list[UnitForecast] = []
    steps = replace(steps_of(forecaster.recipe), detector=None)  # a stand-in has no language
    for prompt in prompts:
        forecaster.account = defaultdict(Tally)
        rows = await run_unit(PlannedUnit(prompt, workshop, forecaster=forecaster), steps)
        paid = {
            pair: known.paid[prompt.prompt_id]
            for pair, known in forecaster.known.items()
            if prompt.prompt_id in known.paid
        }
        refused = prompt.prompt_id in forecaster.refused
        found.append(UnitForecast(dict(forecaster.account), paid, rows.counts, refused))
    return found
