"""The plan: what a build would still call, before it calls.

    sampled units ─ the same coroutines ─> calls that the ledger does not hold
                          │                        │ counted, and answered by a stand-in
                          └ replies it does hold ─> lengths of answers, tokens per character

The units' own coroutines run (`round.run_unit`); only the buying is replaced, so loops, re-asks and
cascades are counted by what they do. A stand-in answer is as long as a known one of the same part,
drawn by the seed, or of a given length where none is known yet. What is counted on the sampled
units is scaled up to all of them.
"""

import asyncio
import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from statistics import fmean, pvariance

import uvloop

from pipelines.backend import Backend, Completion, Request, Sampling
from pipelines.calls.budget import worst_case
from pipelines.calls.dispatch import Dispatcher
from pipelines.calls.ledger import Ledger
from pipelines.intake.inputs import read_inputs
from pipelines.intake.records import Records
from pipelines.meter import Meter
from pipelines.publishing.store import Store, staged
from pipelines.recipe import Recipe
from pipelines.round import run_round, run_unit
from pipelines.shard import RECORDS, admit, steps_of
from pipelines.unit import Unit, Workshop
from schemas.canonical import draw_integer, draw_unit
from schemas.rows import Message, Prompt
from schemas.version import Forecast

CHARACTERS_PER_TOKEN = 4.0
"""Assumed where no reply of the model has told better."""
Z = 1.96
"""Standard deviations on either side of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class StandIn(Completion):
    """An answer that nobody paid for."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths of answers where none is known yet, in tokens; `max_tokens` bounds them."""

    answer: int = 400
    judgment: int = 150


@dataclass(slots=True)
class Known:
    """What the ledger tells of one part's answers and one model's tokens."""

    answers: list[str] = field(default_factory=list)
    characters: int = 0
    tokens: int = 0

    def learn(self, completion: Completion) -> None:
        """Takes in a completion that was paid for."""
        if completion.text is None:
            return
        self.answers.append(completion.text)
        if completion.completion_tokens:
            self.characters += len(completion.text)
            self.tokens += completion.completion_tokens

    @property
    def per_token(self) -> float:
        """Characters of a token."""
        return self.characters / self.tokens if self.tokens else CHARACTERS_PER_TOKEN


@dataclass(slots=True)
class Tally:
    """Calls of one part to one model: on one unit, or on all of them."""

    calls: float = 0
    samples: float = 0
    prompt_tokens: float = 0
    completion_tokens: float = 0
    most_tokens: float = 0
    """Tokens that it can take at the most, as a budget reserves them."""

    def values(self) -> tuple[float, ...]:
        """The figures, in the order of the fields."""
        return (
            self.calls, self.samples, self.prompt_tokens, self.completion_tokens, self.most_tokens
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Estimate:
    """A forecast total, and half the width of its 95 % interval; None where it cannot be told."""

    value: float
    plus_minus: float | None


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
    """Answers of this part that lengths are drawn from; 0: they are assumed."""


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
        return _total([part.money for part in self.parts])

    def forecast(self) -> dict[str, Forecast]:
        """Model -> what it is expected to take, for the manifest of the build."""
        models: dict[str, list[PartPlan]] = defaultdict(list)
        for part in self.parts:
            models[part.model].append(part)
        return {model: _forecast(parts) for model, parts in models.items()}


Account = dict[tuple[str, str], Tally]
"""Part and model -> what they take."""


@dataclass(slots=True)
class Forecaster:
    """Counts what units would buy, and answers for the models."""

    recipe: Recipe
    lengths: Lengths
    learning: bool = False
    known: dict[str, Known] = field(default_factory=lambda: defaultdict(Known))
    account: Account = field(default_factory=lambda: defaultdict(Tally))

    def buy(
        self, caller: str, model: str, backend: Backend, request: Request, path: Sequence[object]
    ) -> list[Completion]:
        """Stand-in completions for `request`, which is counted; `path` keys the draws."""
        known, tally = self.known[caller], self.account[caller, model]
        completions: list[Completion] = [
            StandIn(self._answer(caller, request, (*path, choice)), finish_reason="stop")
            for choice in range(request.n)
        ]
        characters = sum(len(message.content or "") for message in request.messages)
        tally.calls += 1
        tally.samples += request.n
        tally.prompt_tokens += characters / known.per_token
        tally.completion_tokens += sum(len(one.text or "") for one in completions) / known.per_token
        tally.most_tokens += worst_case(backend, request).tokens
        return completions

    def _answer(self, caller: str, request: Request, path: Sequence[object]) -> str:
        answers = self.known[caller].answers
        if answers:
            return answers[draw_integer(self.recipe.head.seed, "plan", *path) % len(answers)]
        shelf, _, name = caller.partition(".")
        judge = next((one for one in self.recipe.judges if one.name == name), None)
        specimen = judge.specimen() if judge is not None and shelf == "judges" else ""
        tokens = self.lengths.judgment if shelf == "judges" else self.lengths.answer
        tokens = min(tokens, request.sampling.max_tokens or tokens)
        own = str(draw_integer("plan", *path))  # answers of one prompt differ
        filler = own * (int(tokens * CHARACTERS_PER_TOKEN) // len(own) + 1)
        return filler[: int(tokens * CHARACTERS_PER_TOKEN) - len(specimen) - 1] + f"\n{specimen}"


@dataclass(frozen=True, slots=True)
class PlannedUnit(Unit):
    """A unit that counts instead of buying, and learns from what was bought before."""

    forecaster: Forecaster = field(kw_only=True)

    async def sample(
        self,
        model: str,
        messages: Sequence[Message],
        *,
        sampling: Sampling | None = None,
        tools: str | None = None,
        n: int = 1,
        first_index: int = 0,
    ) -> list[Completion]:
        """As `Unit.sample`; what was paid for teaches the forecaster, while it learns."""
        completions = await Unit.sample(
            self, model, messages, sampling=sampling, tools=tools, n=n, first_index=first_index
        )
        if self.forecaster.learning:
            for completion in completions:
                if not isinstance(completion, StandIn):
                    self.forecaster.known[self.caller].learn(completion)
        return completions

    async def _buy(
        self, model: str, backend: Backend, key: bytes, indices: list[int], request: Request
    ) -> dict[int, Completion]:
        path = (key.hex(), indices[0])
        answers = self.forecaster.buy(self.caller, model, backend, request, path)
        return dict(zip(indices, answers, strict=True))


def make_plan(
    recipe: Recipe,
    store: Store,
    lengths: Lengths = Lengths(),
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
        staged(store) as staging,
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
        return runner.run(shared.count(sampled, total, Lengths())).forecast()


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
                _part_plan(
                    part, model, self.recipe.models[model], by_unit, total, learner.known[part]
                )
                for part, model in pairs
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
    part: str, model: str, backend: Backend, by_unit: list[Account], total: int, known: Known
) -> PartPlan:
    rows = [account.get((part, model), Tally()).values() for account in by_unit]
    calls, samples, prompt, completion, most = (
        _scaled(list(column), total) for column in zip(*rows, strict=True)
    )
    completion = _with_lengths(completion, samples.value, known)
    prices = backend.prices
    money = None
    if prices.input is not None and prices.output is not None:
        money = _total(
            [_times(prompt, prices.input / 1e6), _times(completion, prices.output / 1e6)]
        )
    return PartPlan(
        part, model, calls, samples, prompt, completion, money, most.value, len(known.answers)
    )


def _forecast(parts: Sequence[PartPlan]) -> Forecast:
    money = _total([part.money for part in parts])
    return Forecast(
        calls=sum(part.calls.value for part in parts),
        prompt_tokens=sum(part.prompt_tokens.value for part in parts),
        completion_tokens=sum(part.completion_tokens.value for part in parts),
        money=money.value if money is not None else None,
    )


def _scaled(values: list[float], total: int) -> Estimate:
    """The total over `total` units from those counted, with a 95 % interval.

    N x mean, and 1.96 N sqrt((1 - m/N) s^2 / m): simple random sampling without replacement.
    """
    m = len(values)
    spread = pvariance(values) * m / (m - 1) if m > 1 else 0.0
    error = total * math.sqrt(max(0.0, 1 - m / total) * spread / m)
    return Estimate(total * fmean(values), Z * error)


def _with_lengths(completion: Estimate, samples: float, known: Known) -> Estimate:
    """Widened by how well the mean length is known: samples x s / sqrt(k) of k known answers."""
    k = len(known.answers)
    if k < 2:
        return replace(completion, plus_minus=None if samples else 0.0)
    spread = math.sqrt(pvariance([len(text) for text in known.answers]) * k / (k - 1))
    error = Z * samples * spread / known.per_token / math.sqrt(k)
    return replace(completion, plus_minus=math.hypot(completion.plus_minus or 0.0, error))


def _times(estimate: Estimate, factor: float) -> Estimate:
    wide = None if estimate.plus_minus is None else estimate.plus_minus * factor
    return Estimate(estimate.value * factor, wide)


def _total(estimates: Sequence[Estimate | None]) -> Estimate | None:
    """The sum; its interval adds the half widths, as if all erred alike."""
    given = [one for one in estimates if one is not None]
    if len(given) < len(estimates):
        return None
    widths = [one.plus_minus for one in given]
    known = [wide for wide in widths if wide is not None]
    wide = sum(known) if len(known) == len(widths) else None
    return Estimate(sum(one.value for one in given), wide)
