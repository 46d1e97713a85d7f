"""Replay: the evidence of a recipe from what the ledger and the sources hold. No call is made."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import uvloop

from pipelines.backend import Backend, Completion, Request
from pipelines.calibration.gate import JudgeGate
from pipelines.calls.dispatch import Dispatcher
from pipelines.calls.ledger import Ledger
from pipelines.calls.meter import Meter
from pipelines.intake.draw import EVERY, Draw
from pipelines.intake.inputs import read_inputs
from pipelines.intake.records import Records
from pipelines.publishing.store import Store
from pipelines.recipe import Recipe
from pipelines.running.round import run_unit
from pipelines.running.shard import RECORDS, Shard, admit, steps_of
from pipelines.running.workshop import Workshop
from pipelines.staging.evidence import Evidence
from pipelines.unit import OwedError, Unit
from schemas.rows import Drop


@dataclass(frozen=True, slots=True)
class Replayed:
    """What could be told without a call."""

    evidence: Evidence
    prompts: int
    """Prompts of which every call is in the ledger."""
    owed: int
    """Prompts that a build would still have to call for; they are left out."""


@dataclass(frozen=True, slots=True)
class ReplayedUnit(Unit):
    """A unit that buys nothing."""

    async def _buy(
        self, model: str, backend: Backend, key: bytes, indices: list[int], asked: Request
    ) -> dict[int, Completion]:
        raise OwedError(f"{model}: not in the ledger")


def replay(recipe: Recipe, store: Store, staging: Path) -> Replayed:
    """Runs the recipe's units on what the ledger of `store` holds. Raises as a build does."""
    recipe, evidence = recipe.in_store(store), Evidence(staging / "evidence")
    with (
        Records(staging / RECORDS) as records,
        Ledger(store.ledger_folder) as ledger,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        read_inputs(recipe, records, evidence.add_drop)
        records.add_labelled(JudgeGate(recipe, store).labelled())
        meter, judges = Meter(), {judge.name: judge for judge in recipe.judges}
        shop = Workshop(
            recipe.head.seed, recipe.models, ledger, Dispatcher({}, meter), meter, records, judges
        )
        prompts, owed = runner.run(run_replayed(recipe, records, shop, evidence))
    evidence.flush()
    return Replayed(evidence, prompts, owed)


async def run_replayed(
    recipe: Recipe, records: Records, workshop: Workshop, evidence: Evidence, draw: Draw = EVERY
) -> tuple[int, int]:
    """Stages the rows of each unit of a round; how many had all calls, and how many did not."""
    steps, finished, owed = steps_of(recipe), 0, 0
    for every, kept, drops in admit(recipe, records, Shard(draw=draw)):
        for prompt in every:
            evidence.add_prompt(prompt)
        for drop in drops:
            evidence.add_drop(drop)
        for prompt in kept:
            try:
                rows = await run_unit(ReplayedUnit(prompt, workshop), steps)
            except OwedError as error:
                owed += 1
                whose = prompt.prompt_id
                evidence.add_drop(Drop("prompts", whose, whose, "sampling", "owed", str(error)))
                continue
            finished += 1
            evidence.add_responses(rows.responses)
            evidence.add_judgments(rows.judgments)
            evidence.add_nodes(rows.nodes)
            for drop in rows.drops:
                evidence.add_drop(drop)
    return finished, owed
