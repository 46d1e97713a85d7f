"""The spine: from a recipe to a published version, in the order the rows move.

    read ─> prompts ─> units (sample, judge) ─> evidence ─> score, pair, select ─> version

Models are called in the units (`round.py`) and nowhere else; all after them is table to table.
"""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import polars as pl
import uvloop

from pipelines.calls.dispatch import Dispatcher
from pipelines.calls.ledger import Ledger
from pipelines.evidence import Evidence, prompts_frame
from pipelines.intake.inputs import Intake, read_inputs
from pipelines.intake.records import Records
from pipelines.meter import Meter
from pipelines.publishing.account import make_manifest
from pipelines.publishing.card import write_card
from pipelines.publishing.catalog import rebuild
from pipelines.publishing.gates import failed_gates
from pipelines.publishing.publish import write_tables
from pipelines.publishing.store import Store, Version
from pipelines.recipe import Recipe
from pipelines.round import Steps, UnitRows, run_round
from pipelines.selection.frames import PROMPTS_BEFORE, RESPONSES_BEFORE, TEXT_COLUMNS
from pipelines.selection.funnel import Funnel
from pipelines.selection.select import select
from pipelines.selection.steps import early, make_sieve
from pipelines.unit import OwedError, Workshop
from schemas.rows import Drop, Prompt
from schemas.version import Manifest

PROMPTS_AT_ONCE = 1024
"""Prompts that are read and filtered together on their way to the units."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a build ended."""

    manifest: Manifest | None = None
    """What was built; None where calls are owed."""
    version: Version | None = None
    """The version that holds the content; None where a gate refused it or calls are owed."""
    published: bool = False
    """False with a version: it was there already, and nothing new was published."""
    refused: Path | None = None
    """Where the evidence lies of a build that a gate refused."""
    failures: list[str] = field(default_factory=list)
    """What the gates say, or an example of what is owed."""
    owed: int = 0
    """Prompts whose calls are still owed."""


def run_build(recipe: Recipe, store_root: Path, meter: Meter | None = None) -> Outcome:
    """Builds `recipe` into the store. Ctrl-C raises KeyboardInterrupt; what was bought is kept.

    Raises RecipeError before any call, BackendError when an endpoint refuses every request, and
    StoreError when the store cannot be written.
    """
    store = Store(store_root)
    staging = store.staging()
    try:
        return _build(recipe, store, staging, meter or Meter())
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _build(recipe: Recipe, store: Store, staging: Path, meter: Meter) -> Outcome:
    evidence, funnel = Evidence(staging / "evidence"), Funnel()

    with Records(staging / "records.sqlite") as records:
        meter.step = "reading"
        intake = read_inputs(recipe, records, evidence.add_drop)
        meter.step, meter.units = "sampling and judging", intake.selected
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            owed = runner.run(_run_units(recipe, store, records, evidence, meter))
    evidence.flush()
    if len(owed) > recipe.gates.allow_incomplete * intake.selected:
        return Outcome(failures=owed[:1], owed=len(owed))

    meter.step = "selecting"
    _count_what_units_did(funnel, intake, evidence)
    everything = evidence.frames()
    selected = select(recipe, everything, evidence.join_texts, funnel)

    meter.step = "publishing"
    folder = staging / "version"
    files = write_tables(
        evidence.folder, selected, funnel.found(), recipe.publish, recipe.head.seed, folder
    )
    (folder / "recipe.toml").write_text(recipe.to_toml(), encoding="utf-8")
    manifest = make_manifest(recipe, intake, everything, funnel, files, folder, meter, len(owed))
    write_card(folder, recipe, manifest)
    asking = frozenset(judge.name for judge in recipe.judges if judge.models())
    if failures := failed_gates(recipe.gates, manifest, asking):
        refused = store.refuse(recipe.head.name, folder, manifest, failures)
        return Outcome(manifest, refused=refused, failures=failures, owed=len(owed))
    version, published = store.publish(recipe.head.name, folder, manifest)
    if published:
        rebuild(store)
    return Outcome(version.manifest, version, published, owed=len(owed))


async def _run_units(
    recipe: Recipe, store: Store, records: Records, evidence: Evidence, meter: Meter
) -> list[str]:
    """Runs a unit for each admitted prompt; its rows become evidence. Returns what is owed."""
    owed = []

    def finished(rows: UnitRows) -> None:
        evidence.add_responses(rows.responses)
        evidence.add_judgments(rows.judgments)
        for drop in rows.drops:
            evidence.add_drop(drop)

    def is_owed(prompt: Prompt, error: OwedError) -> None:
        owed.append(str(error))
        evidence.add_drop(
            Drop("prompts", prompt.prompt_id, prompt.prompt_id, "sampling", "owed", str(error))
        )

    known = RESPONSES_BEFORE.union(TEXT_COLUMNS["responses"])
    sieve = make_sieve(early(recipe.filters, "responses"), "responses", known)
    steps = Steps(recipe.samplers, sieve, recipe.judges)
    with Ledger(store.ledger_folder) as ledger:
        async with Dispatcher(recipe.models, meter) as dispatcher:
            workshop = Workshop(recipe.head.seed, recipe.models, ledger, dispatcher, meter, records)
            prompts = _admitted(recipe, records, evidence, meter)
            await run_round(prompts, workshop, steps, finished, is_owed)
    return owed


def _admitted(
    recipe: Recipe, records: Records, evidence: Evidence, meter: Meter
) -> Iterator[Prompt]:
    """The prompts that the filters on prompts let through before any call; all become evidence."""
    known = PROMPTS_BEFORE.union(TEXT_COLUMNS["prompts"])
    sieve = make_sieve(early(recipe.filters, "prompts"), "prompts", known)
    prompts = records.prompts()
    while batch := list(islice(prompts, PROMPTS_AT_ONCE)):
        for prompt in batch:
            evidence.add_prompt(prompt)
        kept, drops = sieve.sift(prompts_frame(batch, sieve.columns))
        for row in drops.iter_rows(named=True):
            evidence.add_drop(Drop(**row))
        admitted = set(kept["prompt_id"])
        meter.units -= len(batch) - len(admitted)
        yield from (prompt for prompt in batch if prompt.prompt_id in admitted)


def _count_what_units_did(funnel: Funnel, intake: Intake, evidence: Evidence) -> None:
    """The steps of the funnel up to the judges, from what was read and what is staged."""
    for one in intake.passes:
        reasons = {"merged": one.merged, "prompt_not_selected": one.skipped, **one.dropped}
        funnel.count(one.label, "rows", one.rows, reasons)
    left_out = intake.prompts - intake.selected
    funnel.count("selection", "prompts", intake.prompts, {"not_selected": left_out})
    drops = funnel.staged(evidence.drops())
    is_owed = pl.col("step") == "sampling"
    of_prompts, of_responses = drops.filter(level="prompts"), drops.filter(level="responses")
    n_prompts, n_responses = intake.selected, evidence.count("responses")
    n_prompts = funnel.replay("early filters", "prompts", n_prompts, of_prompts.filter(~is_owed))
    funnel.replay("sampling", "prompts", n_prompts, of_prompts.filter(is_owed))
    funnel.replay("early filters", "responses", n_responses, of_responses)
