"""Reuse: where nothing but what follows the units has changed, they are taken from a version.

    same fingerprint (`identity`), complete ─> same files read ─> bytes as published ─> evidence

So another threshold, pairing or selector costs no reading and no replay. A version that was changed
by hand is passed over, and the build says so.
"""

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import polars as pl

from pipelines.calls.meter import Meter, Spend
from pipelines.errors import RecipeError, StoreError
from pipelines.intake.inputs import InputFile, Intake, input_files
from pipelines.intake.passes import Tally
from pipelines.publishing.account import Notes, inputs_of
from pipelines.publishing.passed_over import counts_in
from pipelines.publishing.store import Store
from pipelines.publishing.versions import Version
from pipelines.recipe import Recipe
from pipelines.reusing.identity import steps_before
from pipelines.reusing.said import judge_figures_of, notes_of
from pipelines.reusing.taking import take
from pipelines.running.shard import Finished
from pipelines.selection.funnel import Funnel
from pipelines.staging.evidence import Evidence
from pipelines.staging.tally import count_units
from schemas.version import Figure, FileInfo, Manifest, content_digest


@dataclass(frozen=True, slots=True)
class Reused:
    """What a build takes over."""

    version: Version
    intake: Intake
    """What that version read."""
    finished: Finished
    """Its units."""
    files: dict[str, FileInfo]
    """Those of its files that are evidence as they are, by path."""
    said: dict[str, Notes]
    """What its manifest notes of each judge."""
    judge_figures: tuple[Figure, ...] | None
    """The figures of the judges; None: they are to be measured."""


def reuse(
    recipe: Recipe, store: Store, staging: Path, fingerprint: str, meter: Meter
) -> Reused | None:
    """The units of an earlier build of this dataset as evidence in `staging`; None: there is none.

    `fingerprint` is `identity.units_fingerprint`. `meter` is told what the units had cost, and why
    a version that should have done was passed over.
    """
    if not fingerprint:
        return None
    for version in _candidates(store, recipe.head.name):
        manifest = version.manifest
        if manifest.run.units_fingerprint != fingerprint or not manifest.counts:
            continue
        if manifest.run.owed or not _reads_equal_files(recipe, manifest):
            continue
        meter.step = f"taking over {version.ref}"
        folder = staging / f"reused-{version.folder.name}"
        try:
            if reused := _taken(recipe, version, folder):
                meter.reused = version.ref
                _count_spend(meter, manifest)
                return reused
        except (StoreError, OSError, pl.exceptions.PolarsError) as fault:
            meter.not_reused = f"{version.ref} is not reused: {fault}. `pairwright verify`"
        shutil.rmtree(folder, ignore_errors=True)
    return None


def _candidates(store: Store, name: str) -> Iterator[Version]:
    """Versions, the newest first, then what gates refused."""
    yield from reversed(store.readable(name))
    yield from store.refusals(name)


def _reads_equal_files(recipe: Recipe, manifest: Manifest) -> bool:
    """Whether the files that would be read have the hashes of those that were.

    False where a source reads none, so that no hash tells whether it changed.
    """
    try:
        sources = recipe.sources.values()
        if not all(source.files(recipe.root) or source.versions() for source in sources):
            return False
        now = inputs_of(input_files(recipe))
    except (RecipeError, StoreError, OSError):
        return False  # whoever reads it says what is wrong
    hashes, before = (
        {path: one.sha256 for path, one in of.items()} for of in (now, manifest.inputs)
    )
    return hashes == before


def _taken(recipe: Recipe, version: Version, folder: Path) -> Reused | None:
    """None where its units do not give the steps of the funnel that the version tells of.

    Raises StoreError where not every byte is as published.
    """
    manifest = version.manifest
    if manifest.content_digest != content_digest(manifest.files, manifest.recipe_fingerprint):
        raise StoreError("its content digest does not belong to its files")
    intake, funnel = _intake(manifest), Funnel()
    files = take(version, folder, steps_before(recipe))
    count_units(funnel, intake, Evidence(folder))
    if tuple(funnel.steps) != manifest.counts[: len(funnel.steps)]:
        return None
    finished = Finished(folder, Meter(), counts=counts_in(recipe, manifest))
    of_judges = judge_figures_of(manifest, recipe.gates)
    return Reused(version, intake, finished, files, notes_of(manifest), of_judges)


def _intake(manifest: Manifest) -> Intake:
    """What the version read, from its manifest."""
    passes = []
    for step in takewhile(lambda step: step.level == "rows", manifest.counts):
        dropped = Counter(step.reasons)
        merged, skipped = dropped.pop("merged", 0), dropped.pop("prompt_not_selected", 0)
        passes.append(Tally(step.step, step.in_, merged, skipped, dropped))
    selection = manifest.counts[len(passes)]
    files = (InputFile(path, one.sha256, 0, one.rows) for path, one in manifest.inputs.items())
    return Intake(tuple(passes), selection.in_, selection.kept, tuple(files))


def _count_spend(meter: Meter, manifest: Manifest) -> None:
    """What the version's run paid, and those before it, is what this one would have replayed."""
    for spent in (manifest.run.spent, manifest.run.before):
        for model, spend in spent.items():
            meter.before.setdefault(model, Spend()).merge(Spend(**dict(spend)))
