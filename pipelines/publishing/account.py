"""The account of a build: its manifest, from what was read, judged, dropped, written and paid."""

import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import polars as pl

from pipelines.bias.notes import LENGTH_SLOPE, length_slopes, notes
from pipelines.bias.reading import readable
from pipelines.calls.meter import Meter
from pipelines.intake.inputs import InputFile, Intake
from pipelines.judging.tie_rule import RECHECK, TieRules
from pipelines.publishing.publish import schema_hashes
from pipelines.publishing.refusals import refused
from pipelines.recipe import Recipe
from pipelines.scoring.comparisons import consolidate
from pipelines.selection.funnel import Funnel
from pipelines.selection.transitivity import transitivity
from schemas.version import FileInfo, Input, Judge, Manifest, Run, Spent, content_digest

Notes = dict[str, int | float | str]
"""What is noted of a judge (`Judge.notes`)."""


def make_manifest(
    recipe: Recipe,
    intake: Intake,
    responses: pl.LazyFrame,
    judgments: pl.LazyFrame,
    funnel: Funnel,
    files: Mapping[str, FileInfo],
    folder: Path,
    meter: Meter,
    owed: int,
    said: Mapping[str, Notes] | None = None,
) -> Manifest:
    """The manifest of the tables `files` that were written to `folder`.

    `responses` and `judgments` are all of the build: columns `judged.LENGTHS` and those of
    `frames.JUDGMENTS`. `said` are the notes of `_notes`, where they are known.
    """
    rules = {judge.name: judge.tie_rule() for judge in recipe.judges}
    said = _notes(rules, responses, judgments) if said is None else said
    slopes = length_slopes(recipe.score, responses, judgments, rules)
    fingerprint = recipe.fingerprint()
    return Manifest(
        name=recipe.head.name,
        recipe_fingerprint=fingerprint,
        content_digest=content_digest(files, fingerprint),
        seed=recipe.head.seed,
        counts=tuple(funnel.steps),
        files=dict(files),
        schema_hashes=schema_hashes(folder),
        models={name: model.qualified_model for name, model in recipe.models.items()},
        judges={
            name: judge.model_copy(
                update={"notes": {**said.get(name, {}), **_slope(slopes.get(name))}}
            )
            for name, judge in _judges(judgments).items()
        },
        refused=refused(recipe, folder, files),
        inputs=inputs_of(intake.files),
        code_version=version("pairwright"),
        run=_run(meter, owed).model_copy(
            update={"trial": _trial(recipe, intake), "passed_over": _passed_over(recipe)}
        ),
    )


def _passed_over(recipe: Recipe) -> dict[str, str]:
    """What filters could not read of the files that they read."""
    return {name: told for one in recipe.filters for name, told in one.passed_over().items()}


def _trial(recipe: Recipe, intake: Intake) -> int | None:
    """The prompts of a trial; None where `--limit` left none out."""
    return recipe.trial if intake.selected < intake.prompts else None


def bare_manifest(recipe: Recipe, meter: Meter) -> Manifest:
    """The manifest of a build that was refused before it read or called anything."""
    fingerprint = recipe.fingerprint()
    return Manifest(
        name=recipe.head.name,
        recipe_fingerprint=fingerprint,
        content_digest=content_digest({}, fingerprint),
        seed=recipe.head.seed,
        files={},
        schema_hashes={},
        models={name: model.qualified_model for name, model in recipe.models.items()},
        code_version=version("pairwright"),
        run=_run(meter, owed=0),
    )


def inputs_of(files: Sequence[InputFile]) -> dict[str, Input]:
    """What was read, by path; of several files with one name, also by their content."""
    contents: dict[str, set[str]] = {}
    for file in files:
        contents.setdefault(file.path, set()).add(file.sha256)
    inputs: dict[str, Input] = {}
    for file in files:
        alone = len(contents[file.path]) == 1
        key = file.path if alone else f"{file.path}@{file.sha256[:12]}"
        rows = file.rows + (inputs[key].rows if key in inputs else 0)
        inputs[key] = Input(sha256=file.sha256, rows=rows)
    return inputs


def _judges(judgments: pl.LazyFrame) -> dict[str, Judge]:
    """What each judge was asked, and how much of it could be read."""
    asked = judgments.filter(_is_whole()).group_by("judge")
    found = asked.agg(
        identities=pl.col("judge_identity").unique().sort(), asked=pl.len(), read=readable().sum()
    )
    return {
        name: Judge(identity=", ".join(identities), asked=asked, read=read)
        for name, identities, asked, read in found.collect().sort("judge").iter_rows()
    }


def _notes(rules: TieRules, responses: pl.LazyFrame, judgments: pl.LazyFrame) -> dict[str, Notes]:
    """What each judge's judgments show of it besides."""
    names = judgments.filter(_is_whole()).select(pl.col("judge").unique()).collect()["judge"]
    comparisons = judgments.filter(pl.col("comparison_id").is_not_null()).collect()
    is_ranked = pl.col("rank").is_not_null() | pl.col("dimension").eq(RECHECK)
    ranked = judgments.filter(is_ranked).collect()
    figures = notes(responses, judgments.filter(_is_whole()))
    return {
        name: {
            **_votes(comparisons, name, rules),
            **transitivity(ranked, name),
            **figures.get(name, {}),
        }
        for name in names
    }


def _slope(slope: float | None) -> Notes:
    return {} if slope is None else {LENGTH_SLOPE: slope}


def _is_whole() -> pl.Expr:
    """Whether a judgment is of a whole answer, and not of one dimension of it."""
    return pl.col("dimension").is_null()


def _votes(comparisons: pl.DataFrame, judge: str, rules: TieRules) -> Notes:
    """Of a judge of comparisons: its votes, and how many of them are ties, and inconsistent."""
    votes = consolidate(comparisons, [judge], rules)
    if not votes.height:
        return {}
    counts = votes.select(
        votes="n_votes", ties="n_ties", inconsistent="n_inconsistent", unread="n_unread"
    )
    return counts.sum().row(0, named=True)


def _run(meter: Meter, owed: int) -> Run:
    return Run(
        host=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        seconds=round(time.monotonic() - meter.started, 3),
        calls=meter.calls,
        samples_paid=meter.samples_paid,
        samples_replayed=meter.samples_replayed,
        retries=meter.retries,
        owed=owed,
        spent={name: Spent(**asdict(spend)) for name, spend in sorted(meter.spend.items())},
        before={name: Spent(**asdict(spend)) for name, spend in sorted(meter.before.items())},
        forecast=meter.forecast,
        engines=meter.engines,
        lineage=meter.lineage,
        units_fingerprint=meter.units_fingerprint,
        reused=meter.reused or None,
    )
