"""A shard: the units of some partitions of the ledger, run in one event loop, wherever it is.

    records ─ own prompts ─> early filters ─> units (sample, judge) ─> evidence of its own

Shards share nothing but folders: the records, which they only read, and the ledger, of which each
loads and writes its own partitions. A plain build is one shard with all of them.
"""

import secrets
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from pipelines.calibration.labelled import labelled_drops
from pipelines.calls.budget import Cost
from pipelines.calls.dispatch import Dispatcher
from pipelines.calls.ledger import Ledger, partition_of
from pipelines.calls.meter import Meter
from pipelines.calls.segments import PARTITIONS
from pipelines.intake.draw import EVERY, Draw
from pipelines.intake.records import Records
from pipelines.languages import Detector, detector_for
from pipelines.meanwhile import seldom_collecting
from pipelines.recipe import Recipe
from pipelines.running.exactly import with_more
from pipelines.running.round import Steps, UnitRows, run_round
from pipelines.running.sifter import Sifter
from pipelines.running.workshop import Workshop
from pipelines.selection.frames import PROMPTS_BEFORE, RESPONSES_BEFORE, TEXT_COLUMNS
from pipelines.selection.steps import early, make_sieve
from pipelines.staging.evidence import Evidence, prompts_frame
from pipelines.unit import OwedError
from schemas.rows import Drop, Prompt

PROMPTS_AT_ONCE = 1024
"""Prompts that are read and filtered together on their way to the units."""

RECORDS = "records.sqlite"
"""The file with the prompts and recorded rows of a build, in its staging folder."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Shard `number`, from 0, of `of`: whole partitions, so that it loads no other's samples."""

    number: int = 0
    of: int = 1
    draw: Draw = EVERY
    """The round that it is a shard of."""

    def __post_init__(self) -> None:
        if not 0 <= self.number < self.of <= PARTITIONS:
            raise ValueError(f"shard {self.number} of {self.of}: at most {PARTITIONS} shards")

    @property
    def label(self) -> str:
        """What the names of its folders begin with."""
        return f"{self.draw.label}shard{self.number:02d}"

    @property
    def partitions(self) -> range:
        """Its partitions of the ledger."""
        return range(self.number, PARTITIONS, self.of)

    def has(self, unit_id: str) -> bool:
        """Whether a unit belongs to it."""
        return self.of == 1 or partition_of(unit_id) % self.of == self.number


@dataclass(frozen=True, slots=True)
class Finished:
    """What a shard leaves behind."""

    folder: Path
    """Its evidence."""
    meter: Meter
    owed: int = 0
    """Prompts whose calls are still owed."""
    example: str = ""
    """What one of them owes."""
    budget_reached: bool = False
    """Whether calls are owed because the budget did not allow them."""
    spent: Cost = field(default_factory=Cost)
    """What this run of it took of the budget."""
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    """Judge with a `when` -> what became of prompts under it (`cascade.Counts`)."""


async def run_shard(
    recipe: Recipe, ledger_folder: Path, staging: Path, shard: Shard, meter: Meter
) -> Finished:
    """Runs a unit for each admitted prompt of `shard`; its rows become evidence.

    `staging` holds the records. Run again, it replays what is in the ledger, and its evidence is
    in a new folder. Raises FatalError when an endpoint refuses every request, and StoreError.
    """
    async with opened(recipe, ledger_folder, staging, shard, meter) as workshop:
        return await run_units(recipe, workshop, staging, shard)


@asynccontextmanager
async def opened(
    recipe: Recipe, ledger_folder: Path, staging: Path, shard: Shard, meter: Meter
) -> AsyncIterator[Workshop]:
    """What the units of `shard` share, in whichever round: records, ledger, models."""
    with (
        seldom_collecting(),
        Records(staging / RECORDS, read_only=True) as records,
        Ledger(ledger_folder, shard.partitions) as ledger,
    ):
        meter.damaged_records = len(ledger.damaged)
        judges = {judge.name: judge for judge in recipe.judges}
        async with Dispatcher(recipe.models, meter, recipe.budget, ledger_folder) as dispatcher:
            yield Workshop(
                recipe.head.seed, recipe.models, ledger, dispatcher, meter, records, judges
            )


async def run_units(recipe: Recipe, workshop: Workshop, staging: Path, shard: Shard) -> Finished:
    """Runs the units of `shard`, as `run_shard`, with what is open."""
    recipe, meter = with_more(recipe, shard.draw.more), workshop.meter
    evidence = Evidence(staging / f"{shard.label}-{secrets.token_hex(4)}")
    owed: list[str] = []
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def finished(rows: UnitRows) -> None:
        evidence.add_responses(rows.responses)
        evidence.add_judgments(rows.judgments)
        evidence.add_nodes(rows.nodes)
        for drop in rows.drops:
            evidence.add_drop(drop)
        for judge, own in rows.counts.items():
            counts[judge].update(own)

    def is_owed(prompt: Prompt, error: OwedError) -> None:
        owed.append(str(error))
        evidence.add_drop(
            Drop("prompts", prompt.prompt_id, prompt.prompt_id, "sampling", "owed", str(error))
        )

    prompts = _admitted(recipe, workshop.records, shard, evidence, meter)
    await run_round(prompts, workshop, steps_of(recipe), finished, is_owed)
    evidence.flush()
    purse, example = workshop.dispatcher.purse, next(iter(owed), "")
    return Finished(
        evidence.folder,
        meter,
        len(owed),
        example,
        purse.reached,
        purse.spent,
        {judge: dict(own) for judge, own in counts.items()},
    )


def _admitted(
    recipe: Recipe, records: Records, shard: Shard, evidence: Evidence, meter: Meter
) -> Iterator[Prompt]:
    """The prompts that are let through before any call; all become evidence."""
    for batch, kept, drops in admit(recipe, records, shard):
        for prompt in batch:
            evidence.add_prompt(prompt)
        for drop in drops:
            evidence.add_drop(drop)
        meter.units -= len(batch) - len(kept)
        yield from kept


def admit(
    recipe: Recipe, records: Records, shard: Shard | None = None
) -> Iterator[tuple[list[Prompt], list[Prompt], list[Drop]]]:
    """Batches of prompts: all, those that are let through, and why not the others.

    Early filters on prompts drop some, and judges' labels those that they were checked on.
    """
    known = PROMPTS_BEFORE.union(TEXT_COLUMNS["prompts"])
    sieve = make_sieve(early(recipe.filters, "prompts"), "prompts", known)
    shard = shard or Shard()
    prompts = records.prompts(shard.has, shard.draw)
    labelled = records.labelled()
    detector = detector_of(recipe)
    while batch := list(islice(prompts, PROMPTS_AT_ONCE)):
        batch = [detector.of_prompt(one) for one in batch] if detector else batch
        kept, dropped = sieve.sift(prompts_frame(batch, sieve.columns))
        drops = [Drop(**row) for row in dropped.iter_rows(named=True)]
        drops += labelled_drops(batch, labelled) if labelled else []
        ids = set(kept["prompt_id"]) - {drop.id for drop in drops}
        yield batch, [prompt for prompt in batch if prompt.prompt_id in ids], drops


def detector_of(recipe: Recipe) -> Detector | None:
    """What tells languages; None where the recipe does not ask for them."""
    return None if recipe.languages is None else detector_for(recipe.languages)


def steps_of(recipe: Recipe) -> Steps:
    """What the coroutine of a unit is composed of."""
    known = RESPONSES_BEFORE.union(TEXT_COLUMNS["responses"])
    sieve = make_sieve(early(recipe.filters, "responses"), "responses", known)
    return Steps(recipe.samplers, Sifter(sieve), recipe.judges, detector_of(recipe))
