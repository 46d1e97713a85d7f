"""A round: many independent units, each one coroutine, no barrier between them.

prompt ─ samplers ─> responses ─ early filters ─> kept ─ judges ─> judgments
                                                           └ `when` ┘
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from pipelines.calls.thrift import Thrift
from pipelines.errors import FatalError
from pipelines.judge import Judge
from pipelines.languages import Detector
from pipelines.running.cascade import Counts, ask_judges
from pipelines.running.sifter import Sifter
from pipelines.running.waves import draw_all
from pipelines.running.workshop import Workshop
from pipelines.sampler import Sampler
from pipelines.unit import OwedError, Unit
from schemas.rows import Drop, Judgment, Prompt, Response, TreeNode

LEAST_OPEN_UNITS = 16
"""Units under way at once, at the least. More than the window, so that it is always full."""


@dataclass(frozen=True, slots=True)
class UnitRows:
    """What one finished unit leaves behind."""

    prompt: Prompt
    responses: list[Response]
    judgments: list[Judgment]
    drops: list[Drop]
    nodes: Sequence[TreeNode] = ()
    counts: Mapping[str, Counts] = field(default_factory=dict)
    """Judge with a `when` -> what became of the prompt under it."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The parts that a unit's coroutine is composed of."""

    samplers: Sequence[Sampler]
    early_filters: Sifter
    judges: Sequence[Judge]
    detector: Detector | None = None
    """Tells the languages of responses, where the recipe asks for them."""


async def run_unit(unit: Unit, steps: Steps) -> UnitRows:
    """The coroutine of one unit. Raises OwedError when one of its calls is owed."""
    drawn = await draw_all(unit, steps.samplers)
    every = chain.from_iterable(one.responses for one in drawn)
    responses = list({one.response_id: one for one in every}.values())
    if steps.detector is not None:
        responses = steps.detector.of_responses(unit.prompt, responses)
    kept, drops = await steps.early_filters.sift(responses)
    judged = await ask_judges(unit, steps.judges, [one for one in kept if not one.partial])
    nodes = [node for one in drawn for node in one.nodes]
    return UnitRows(unit.prompt, responses, judged.judgments, drops, nodes, judged.counts)


async def run_round(
    prompts: Iterator[Prompt],
    workshop: Workshop,
    steps: Steps,
    finished: Callable[[UnitRows], None],
    owed: Callable[[Prompt, OwedError], None],
) -> None:
    """Runs a unit for each prompt; rows come back through `finished` in order of arrival.

    A unit whose calls are owed is reported through `owed` and leaves no rows. Raises FatalError
    when an endpoint refuses every request; what was bought by then is in the ledger. Before that,
    and where it is cancelled, it waits for what is under way (`calls.drain`).
    """
    jobs = any(model.in_jobs for model in workshop.models.values())
    thrift = Thrift(workshop.dispatcher.purse, wanted=not jobs)  # a first job may take hours

    drain = workshop.dispatcher.drain

    async def work(first: Prompt) -> None:
        for prompt in chain((first,), prompts):
            try:
                async with thrift.unit():
                    rows = await run_unit(Unit(prompt, workshop), steps)
            except OwedError as error:
                workshop.meter.units_owed += 1
                owed(prompt, error)
            except FatalError:
                await drain.close()  # the run ends
                raise
            else:
                finished(rows)
            workshop.meter.units_done += 1
            await asyncio.sleep(0)  # a unit without calls gives way too, to Ctrl-C above all

    async def work_all() -> None:
        async with asyncio.TaskGroup() as group:
            for prompt in islice(prompts, _open_units(workshop)):
                group.create_task(work(prompt))

    try:
        await drain.stoppable(work_all())
    except ExceptionGroup as errors:
        fatal = errors.subgroup(FatalError) or errors
        raise fatal.exceptions[0] from None


def _open_units(workshop: Workshop) -> int:
    windows = {model.endpoint(): model.window for model in workshop.models.values()}
    return max(LEAST_OPEN_UNITS, 2 * sum(windows.values()))
