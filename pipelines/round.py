"""A round: many independent units, each one coroutine, no barrier between them.

prompt ─ samplers ─> responses ─ early filters ─> kept ─ judges ─> judgments
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from pipelines.errors import FatalError
from pipelines.evidence import responses_frame
from pipelines.judge import Judge
from pipelines.sampler import Sampler
from pipelines.selection.steps import Sieve
from pipelines.unit import OwedError, Unit, Workshop, gather
from schemas.rows import Drop, Judgment, Prompt, Response

LEAST_OPEN_UNITS = 16
"""Units under way at once, at the least. More than the window, so that it is always full."""


@dataclass(frozen=True, slots=True)
class UnitRows:
    """What one finished unit leaves behind."""

    prompt: Prompt
    responses: list[Response]
    judgments: list[Judgment]
    drops: list[Drop]


@dataclass(frozen=True, slots=True)
class Steps:
    """The parts that a unit's coroutine is composed of."""

    samplers: Sequence[Sampler]
    early_filters: Sieve
    judges: Sequence[Judge]


async def run_unit(unit: Unit, steps: Steps) -> UnitRows:
    """The coroutine of one unit. Raises OwedError when one of its calls is owed."""
    drawn = await gather(sampler.draw(unit.by(sampler)) for sampler in steps.samplers)
    responses = list({one.response_id: one for one in chain.from_iterable(drawn)}.values())
    kept, drops = _filter_early(responses, steps.early_filters)
    judged = await gather(judge.judge(unit.by(judge), kept) for judge in steps.judges)
    return UnitRows(unit.prompt, responses, list(chain.from_iterable(judged)), drops)


async def run_round(
    prompts: Iterator[Prompt],
    workshop: Workshop,
    steps: Steps,
    finished: Callable[[UnitRows], None],
    owed: Callable[[Prompt, OwedError], None],
) -> None:
    """Runs a unit for each prompt; rows come back through `finished` in order of arrival.

    A unit whose calls are owed is reported through `owed` and leaves no rows. Raises FatalError
    when an endpoint refuses every request; what was bought by then is in the ledger.
    """

    async def work() -> None:
        for prompt in prompts:
            try:
                rows = await run_unit(Unit(prompt, workshop), steps)
            except OwedError as error:
                workshop.meter.units_owed += 1
                owed(prompt, error)
            else:
                finished(rows)
            workshop.meter.units_done += 1
            await asyncio.sleep(0)  # a unit without calls gives way too, to Ctrl-C above all

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(_open_units(workshop)):
                group.create_task(work())
    except ExceptionGroup as errors:
        fatal = errors.subgroup(FatalError) or errors
        raise fatal.exceptions[0] from None


def _open_units(workshop: Workshop) -> int:
    windows = {model.endpoint(): model.window for model in workshop.models.values()}
    return max(LEAST_OPEN_UNITS, 2 * sum(windows.values()))


def _filter_early(responses: list[Response], filters: Sieve) -> tuple[list[Response], list[Drop]]:
    """The responses that the filters keep before any judge is asked, and why the others go."""
    if not filters.flags or not responses:
        return responses, []
    kept, dropped = filters.sift(responses_frame(responses, filters.columns))
    if not dropped.height:
        return responses, []
    ids = set(kept["response_id"])
    drops = [Drop(**row) for row in dropped.iter_rows(named=True)]
    return [response for response in responses if response.response_id in ids], drops
