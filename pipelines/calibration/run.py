"""Running judges on labelled pairs, by the same ledger, budget and retries as a build.

Each pair is a unit of its own: a prompt with two responses. What the ledger holds is not paid
again, so a check that stopped goes on, and a build that meets the same pair pays nothing for it.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from pipelines.calibration.labelled import LabelledPair
from pipelines.calibration.opinion import Opinion, opinion_of
from pipelines.calibration.workshop import in_workshop
from pipelines.calls.budget import Cost
from pipelines.calls.meter import Meter
from pipelines.errors import FatalError
from pipelines.judge import Judge
from pipelines.judging.bounds import within_bounds
from pipelines.publishing.store import Store
from pipelines.recipe import Recipe
from pipelines.running.workshop import Workshop
from pipelines.unit import OwedError, Unit, gather
from schemas.rows import Judgment, Prompt, Response, response_id

OPEN_UNITS = 2
"""Pairs under way for each slot of the models' windows, so that these are always full."""
LEAST_OPEN_UNITS = 16

LABELLED = "labelled"
"""Model and sampler of responses of which nothing else is known."""


@dataclass
class Run:
    """What became of a run of some judges on some pairs."""

    opinions: dict[str, dict[str, Opinion]] = field(default_factory=lambda: defaultdict(dict))
    """Judge -> pair id -> what it said."""
    identities: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Judge -> the identities that its judgments bear."""
    owed: list[str] = field(default_factory=list)
    """What pairs owe, one text for each."""
    budget_reached: bool = False
    spent: Cost = field(default_factory=Cost)
    """What it took of the budget."""


def run_judges(
    recipe: Recipe,
    store: Store,
    names: Mapping[str, Judge],
    pairs: Sequence[LabelledPair],
    meter: Meter,
) -> Run:
    """What the judges `names` (name in the rows -> part) of `recipe` say of `pairs`.

    Raises FatalError when an endpoint refuses every request, and StoreError. What was bought is
    in the ledger however it ends.
    """
    meter.step, meter.units = "judging labelled pairs", meter.units + len(pairs)
    called = {model for judge in names.values() for model in judge.models()}
    found, purse = in_workshop(
        recipe, store, called, meter, lambda workshop: _judged(workshop, names, pairs)
    )
    found.budget_reached, found.spent = purse.reached, purse.spent
    return found


async def _judged(
    workshop: Workshop, names: Mapping[str, Judge], pairs: Sequence[LabelledPair]
) -> Run:
    found, waiting = Run(), iter(pairs)
    windows = {model.endpoint(): model.window for model in workshop.models.values()}
    first = islice(waiting, max(LEAST_OPEN_UNITS, OPEN_UNITS * sum(windows.values())))
    try:
        async with asyncio.TaskGroup() as group:
            for pair in list(first):
                group.create_task(_work(pair, waiting, workshop, names, found))
    except ExceptionGroup as errors:
        fatal = errors.subgroup(FatalError) or errors
        raise fatal.exceptions[0] from None
    return found


async def _work(
    first: LabelledPair,
    waiting: Iterator[LabelledPair],
    workshop: Workshop,
    names: Mapping[str, Judge],
    found: Run,
) -> None:
    """Judges a pair, then those that wait."""
    pair: LabelledPair | None = first
    while pair is not None:
        try:
            await _judge(pair, workshop, names, found)
        except OwedError as error:
            workshop.meter.units_owed += 1
            found.owed.append(str(error))
        except FatalError:
            await workshop.dispatcher.drain.close()  # the run ends
            raise
        workshop.meter.units_done += 1
        await asyncio.sleep(0)  # a pair without calls gives way too, to Ctrl-C above all
        pair = next(waiting, None)


async def _judge(
    pair: LabelledPair, workshop: Workshop, names: Mapping[str, Judge], found: Run
) -> None:
    """Adds what every judge says of `pair`, once all of them have said it."""
    assert pair.prompt is not None and pair.sides is not None
    unit, (a, b) = (
        Unit(pair.prompt, workshop),
        (_response(pair.prompt, text) for text in pair.sides),
    )
    parts = {part.name: part for part in names.values()}
    judged = await gather(part.judge(unit.by(part), [a, b]) for part in parts.values())
    said = dict(zip(parts, judged, strict=True))
    for name, part in names.items():
        own = within_bounds(one for one in said[part.name] if _name(one) == name)
        found.opinions[name][pair.pair_id] = opinion_of(
            own, a.response_id, b.response_id, part.tie_rule().band
        )
        found.identities[name].update(one.judge_identity for one in own)


def _name(judgment: Judgment) -> str:
    """What selection calls its judge: one dimension is a judge of its own."""
    own = (judgment.judge,) if judgment.dimension is None else (judgment.judge, judgment.dimension)
    return ".".join(own)


def _response(prompt: Prompt, text: str) -> Response:
    """A labelled response. Its id depends on prompt and text alone, never on its side."""
    own = response_id(
        prompt_id=prompt.prompt_id,
        parent_id=None,
        model_identity=LABELLED,
        sampler=LABELLED,
        params="{}",
        index=None,
        text=text,
    )
    return Response(own, prompt.prompt_id, text, LABELLED, LABELLED, LABELLED)
