"""The spine: from a recipe to a published version, in the order the rows move.

    read ─> prompts ─> units (sample, judge) ─> evidence ─> score, pair, select ─> version
               └─────── once; or until there are enough pairs (`running/`) ─┘

Models are called in the units (`running/`) and nowhere else; all after them is table
to table. Here the units are one shard in this process; a flow runs the same three steps with
several (`flows/build.py`).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from pipelines.calibration.gate import JudgeGate, pays
from pipelines.calibration.identity import counted_names
from pipelines.calls.budget import Cost
from pipelines.calls.meter import Meter
from pipelines.gating.figure_gates import OF_JUDGES
from pipelines.gating.gates import failed_gates
from pipelines.intake.inputs import Intake, read_inputs
from pipelines.intake.records import Records
from pipelines.meanwhile import importing
from pipelines.part import Where
from pipelines.planning.plan import forecast
from pipelines.publishing.passed_over import with_counts
from pipelines.publishing.store import Store, staged
from pipelines.publishing.versions import Version
from pipelines.recipe import Recipe
from pipelines.reusing.identity import publishes_its_units, units_fingerprint
from pipelines.running.exactly import refuse_out_of_reach
from pipelines.running.rounds import SAMPLING, Rounds, missing_of, pairs_of, shortage
from pipelines.running.shard import RECORDS, Finished, Shard, opened, run_units
from pipelines.selection.exact import NOT_NEEDED, cut
from pipelines.selection.funnel import Funnel
from pipelines.selection.select import select
from pipelines.staging.evidence import Evidence
from pipelines.staging.tally import count_units
from schemas.version import Manifest

if TYPE_CHECKING:
    from pipelines.reusing.reuse import Reused


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
    budget_reached: bool = False
    """Whether some of them are owed because the budget did not allow them."""
    missing: int = 0
    """Pairs that are missing to the number that `[exactly]` wants."""
    spent: Cost = field(default_factory=Cost)
    """What this run of it took of the budget, calls that failed included."""
    uncatalogued: tuple[str, ...] = ()
    """Versions of the store, as in "my-set@v0001", whose files are damaged."""


def run_build(
    recipe: Recipe, store_root: Path, meter: Meter | None = None, *, reusing: bool = False
) -> Outcome:
    """Builds `recipe` into the store. Ctrl-C raises KeyboardInterrupt; what was bought is kept.

    `reusing`: the units of an earlier version are taken over where they would be the same.
    Raises RecipeError before any call, BackendError when an endpoint refuses every request, and
    StoreError when the store cannot be written.
    """
    store, meter = Store(store_root), meter or Meter()
    recipe = recipe.in_store(store)
    with staged(store, recipe.head.name) as staging:
        gate = JudgeGate(recipe, store)
        if refused := refuse_to_pay(recipe, store, staging, gate, meter):
            return refused
        fingerprint = note_units(recipe, store, gate, meter)
        if reusing and (before := _taken_over(recipe, store, staging, fingerprint, meter)):
            return publish(
                recipe, store, staging, before.intake, [before.finished], meter, gate, before
            )
        intake = read(recipe, staging, meter, gate)
        meter.forecast = forecast(recipe, store, staging)
        with importing(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            rounds = Rounds(recipe, staging, intake, meter)
            spent = runner.run(run_rounds(store, rounds))
        outcome = publish(recipe, store, staging, intake, rounds.finished, meter, gate)
        return replace(outcome, spent=spent)


def note_units(recipe: Recipe, store: Store, gate: JudgeGate, meter: Meter) -> str:
    """What the units hang on; noted for the manifest where a later build may take them over."""
    fingerprint = units_fingerprint(recipe, gate.labelled(), store.ledger_folder)
    meter.units_fingerprint = fingerprint if publishes_its_units(recipe) else ""
    return fingerprint


def _taken_over(
    recipe: Recipe, store: Store, staging: Path, fingerprint: str, meter: Meter
) -> "Reused | None":
    """The units of an earlier build; None where there is none, or none that would do."""
    name = recipe.head.name
    if store.latest(name) is None and next(store.refusals(name), None) is None:
        return None
    from pipelines.reusing.reuse import reuse  # a first build needs nothing of what it imports

    return reuse(recipe, store, staging, fingerprint, meter)


async def run_rounds(store: Store, rounds: Rounds) -> Cost:
    """Second step: runs the units of all rounds, with one set of open models.

    What they took of the budget. Raises as `run_build`.
    """
    recipe, staging, whole = rounds.recipe, rounds.staging, Shard()
    async with opened(recipe, store.ledger_folder, staging, whole, rounds.meter) as workshop:
        for draw in rounds:
            rounds.add(
                draw, [await run_units(recipe, workshop, staging, replace(whole, draw=draw))]
            )
        return workshop.dispatcher.purse.spent


def refuse_to_pay(
    recipe: Recipe, store: Store, staging: Path, gate: JudgeGate, meter: Meter
) -> Outcome | None:
    """Refuses a build before it pays for what a judge would make worthless; else None.

    Recipe and reasons are kept. Where nothing would be paid a build runs to its end, and is refused
    there with all of its evidence.
    """
    failures = gate.failures() if pays(recipe) else []
    if not failures:
        return None
    from pipelines.publishing.account import bare_manifest

    folder = staging / "version"
    folder.mkdir()
    (folder / "recipe.toml").write_text(recipe.to_toml(), encoding="utf-8")
    manifest = bare_manifest(recipe, meter)
    refused = store.refuse(recipe.head.name, folder, manifest, failures)
    return Outcome(manifest, refused=refused, failures=failures)


def read(recipe: Recipe, staging: Path, meter: Meter, gate: JudgeGate) -> Intake:
    """First step: reads the sources once, into the records and the evidence of `staging`.

    What the judges of `gate` were checked on will be kept out.
    """
    meter.step = "reading"
    evidence = Evidence(staging / "evidence")
    with Records(staging / RECORDS) as records:
        intake = read_inputs(recipe, records, evidence.add_drop, meter)
        records.add_labelled(gate.labelled())
    evidence.flush()
    where = Where(str(recipe.path), "[exactly]", recipe.root)
    refuse_out_of_reach(recipe, intake.selected, where)
    meter.step, meter.units = SAMPLING, intake.selected
    return intake


def publish(
    recipe: Recipe,
    store: Store,
    staging: Path,
    intake: Intake,
    shards: Sequence[Finished],
    meter: Meter,
    gate: JudgeGate,
    before: "Reused | None" = None,
) -> Outcome:
    """Last step: makes a version of what was read and of the evidence of all shards.

    `meter` says what all of it took, and `gate` is as for `read`. The order of `shards` changes
    nothing. `before` is what was taken over, where the units were.
    """
    from pipelines.publishing.account import make_manifest  # `meanwhile` says why here
    from pipelines.publishing.card import write_card
    from pipelines.publishing.publish import write_tables
    from pipelines.querying.catalog import rebuild
    from pipelines.report.write import with_figures, write_report

    evidence, funnel = Evidence(staging / "evidence"), Funnel()
    for shard in shards:
        evidence.take(shard.folder)
    owed = sum(shard.owed for shard in shards)
    reached = any(shard.budget_reached for shard in shards)
    incomplete = owed > recipe.gates.allow_incomplete * evidence.count("prompts")
    ended = Outcome(owed=owed, budget_reached=reached)
    if recipe.budget.on_limit == "stop" if reached else incomplete:
        examples = [shard.example for shard in shards if shard.owed]
        missing = missing_of(recipe.exactly, pairs_of(recipe, evidence))
        return replace(ended, failures=examples[:1], missing=missing)

    meter.step = "selecting"
    count_units(funnel, intake, evidence, "budget_reached" if reached else NOT_NEEDED)
    selected = select(recipe, evidence.folder, funnel)
    if recipe.exactly is not None:
        selected = cut(selected, recipe.exactly.pairs, recipe.head.seed, funnel)
        ended = replace(ended, missing=missing_of(recipe.exactly, selected.pairs.height))
        if ended.missing and not reached and recipe.exactly.on_limit == "stop":
            return replace(ended, failures=[shortage(recipe.exactly, intake, ended.missing)])

    meter.step = "publishing"
    folder = staging / "version"
    files = write_tables(
        evidence.folder,
        selected,
        funnel.found(),
        recipe.publish,
        recipe.head.seed,
        folder,
        taken=before.files if before else None,
    )
    (folder / "recipe.toml").write_text(recipe.to_toml(), encoding="utf-8")
    manifest = make_manifest(
        recipe,
        intake,
        evidence.answers(),
        evidence.judgments(),
        funnel,
        files,
        folder,
        meter,
        owed,
        before.said if before else None,
    )
    manifest = gate.noted(with_counts(manifest, [shard.counts for shard in shards]))
    manifest = with_figures(recipe, folder, manifest, before.judge_figures if before else None)
    write_card(folder, recipe, manifest)
    asking = frozenset(judge.name for judge in recipe.judges if judge.models())
    judged = {one.subject for one in manifest.figures if one.figure in OF_JUDGES}
    counting = counted_names(recipe, judged)
    comparing = frozenset(judge.name for judge in recipe.judges if not judge.rates())
    failures = failed_gates(recipe.gates, manifest, asking, counting, comparing)
    failures += gate.failures()
    if failures or not store.holds(manifest):
        write_report(recipe, folder, manifest)
    if failures:
        refused = store.refuse(recipe.head.name, folder, manifest, failures)
        return replace(ended, manifest=manifest, refused=refused, failures=failures)
    version, published = store.publish(recipe.head.name, folder, manifest)
    left_out = rebuild(store).left_out if published else ()
    ended = replace(ended, version=version, published=published, uncatalogued=left_out)
    return replace(ended, manifest=version.manifest)
