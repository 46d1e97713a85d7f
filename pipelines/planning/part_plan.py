"""A plan's figures: for each part and model, and for all of them together."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipelines.backend import Backend
from pipelines.calls.budget import Cost
from pipelines.planning.estimate import (
    Estimate,
    guessed,
    scaled,
    times,
    total_of,
    widened,
    with_judgments,
)
from pipelines.planning.forecaster import Account, Known, Tally
from pipelines.planning.survival import Survival
from schemas.version import Forecast


@dataclass(frozen=True, slots=True)
class Worst:
    """The most that something can take without failed calls; None where nothing bounds it."""

    calls: float
    tokens: float | None
    """As a budget reserves them: a token for each byte of a prompt, `max_tokens` for an answer."""
    money: float | None
    """None also without prices."""


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
    known_answers: int
    """Answers of this model to this part that lengths are drawn from; 0: they are assumed."""
    worst: Worst | None = None
    """None where it was not asked for."""


@dataclass(frozen=True, slots=True)
class Pilot:
    """What a pilot took."""

    spent: Cost
    """As the budget counts it."""
    owed: int
    """Prompts of it that owe calls."""
    latency: dict[str, float]
    """Model -> mean seconds of a reply."""


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
    spared: dict[str, Estimate] = field(default_factory=dict)
    """Judge with a `when` -> the calls that it saves, whether the ledger holds them or not."""
    pilot: Pilot | None = None
    survival: Survival | None = None
    """Of a build that wants a number of pairs: how far the ledger's replies go."""
    seconds: float | None = None
    """Wall time of the calls at the pilot's latency; None where it measured none."""

    def money(self) -> Estimate | None:
        """Of all parts together; None if one has no prices."""
        return total_of([part.money for part in self.parts])

    def worst(self) -> Worst:
        """Of all parts together."""
        found = [part.worst for part in self.parts if part.worst is not None]
        return Worst(
            calls=sum(one.calls for one in found),
            tokens=_sum([one.tokens for one in found]),
            money=_sum([one.money for one in found]),
        )

    def forecast(self) -> dict[str, Forecast]:
        """Model -> what it is expected to take, for the manifest of the build."""
        models: dict[str, list[PartPlan]] = defaultdict(list)
        for part in self.parts:
            models[part.model].append(part)
        return {model: _forecast(parts) for model, parts in models.items()}


def part_plan(
    pair: tuple[str, str],
    backend: Backend,
    by_unit: Sequence[Account],
    worst_by_unit: Sequence[Account] | None,
    total: int,
    known: Known,
    waits_for: Known | None = None,
) -> PartPlan:
    """What part and model `pair` take of `total` units, from those that were counted.

    `waits_for` is what is known of a judge whose replies, still to come, decide whether it is asked.
    """
    columns = _columns(pair, by_unit)
    calls, samples, prompt, completion, *_ = (scaled(column, total) for column in columns)
    if pair[0].startswith("judges."):
        calls, samples, prompt = (
            with_judgments(one, column, total, len(known.units))
            for one, column in zip((calls, samples, prompt), columns, strict=False)
        )
    if waits_for is not None:
        calls, samples, prompt, completion = (
            guessed(one, column, total, len(waits_for.units))
            for one, column in zip((calls, samples, prompt, completion), columns, strict=False)
        )
    lengths = [len(text) for text in known.answers]
    completion = widened(completion, samples, lengths, known.per_token)
    prices, (factor, _) = backend.prices, backend.price_factors()
    money = None
    if prices.input is not None and prices.output is not None:
        per_token = factor * prices.input / 1e6, factor * prices.output / 1e6
        money = total_of([times(prompt, per_token[0]), times(completion, per_token[1])])
    worst = None
    if worst_by_unit is not None:
        columns = _columns(pair, worst_by_unit)
        most_calls = max(_upper(columns[0], total), calls.value)
        tokens, spent = (_bounded(column, total) for column in columns[-2:])
        worst = Worst(most_calls, tokens, spent if money is not None else None)
    return PartPlan(*pair, calls, samples, prompt, completion, money, len(known.answers), worst)


def _columns(pair: tuple[str, str], by_unit: Sequence[Account]) -> list[list[float]]:
    """The figures of `Tally`, each of all units."""
    rows = [account.get(pair, Tally()).values() for account in by_unit]
    return [list(column) for column in zip(*rows, strict=True)]


def _bounded(column: Sequence[float], total: int) -> float | None:
    return None if any(map(math.isinf, column)) else _upper(column, total)


def _upper(column: Sequence[float], total: int) -> float:
    """The upper end of a total's interval."""
    estimate = scaled(column, total)
    return estimate.value + (estimate.plus_minus or 0.0)


def _sum(values: Sequence[float | None]) -> float | None:
    given = [value for value in values if value is not None]
    return sum(given) if len(given) == len(values) else None


def _forecast(parts: Sequence[PartPlan]) -> Forecast:
    money = total_of([part.money for part in parts])
    return Forecast(
        calls=sum(part.calls.value for part in parts),
        prompt_tokens=sum(part.prompt_tokens.value for part in parts),
        completion_tokens=sum(part.completion_tokens.value for part in parts),
        money=money.value if money is not None else None,
    )
