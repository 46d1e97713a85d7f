"""Checks: what judges said of labelled pairs becomes calibrations, which are kept and shown."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.judging.asking import ask
from flows.options.store import suggested

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.calibration.labelled import LabelSet
    from pipelines.calls.meter import Meter
    from pipelines.judge import Judge
    from pipelines.recipe import Recipe
    from schemas.calibration import Calibration

    Kept = tuple[Calibration, Path, str]


def check(
    chosen: argparse.Namespace,
    recipe: "Recipe",
    judges: "dict[str, Judge]",
    labels: "LabelSet",
    meter: "Meter",
    also_seen: "Sequence[str]" = (),
) -> "list[Kept]":
    """Checks `judges` on `labels`: what is kept, its file, what the gate says. Raises Owing."""
    from pipelines.calibration.check import calibration
    from pipelines.calibration.gate import JudgeGate
    from pipelines.calibration.stored import store_calibration
    from pipelines.publishing.store import Store

    found, store = ask(chosen, recipe, judges, labels, meter), Store(chosen.store)
    made = [
        calibration(recipe, name, labels, found.opinions[name], found.identities[name], also_seen)
        for name in judges
    ]
    for one in made:
        _refuse_refused(one, chosen)
    files = [store_calibration(store, one) for one in made]
    gate = JudgeGate(recipe, store)
    return [(one, file, gate.verdict(one.judge)) for one, file in zip(made, files, strict=True)]


def in_format(chosen: argparse.Namespace, kept: "list[Kept]") -> str:
    """What was kept, as `--format` wants it."""
    from flows.judging.check_text import calibration_text
    from flows.texts.json_values import json_text

    if chosen.format == "json":
        return json_text(as_json(kept))
    return "\n\n\n".join(calibration_text(one, _from_here(file), said) for one, file, said in kept)


def as_json(kept: "list[Kept]") -> "list[dict[str, Any]]":
    """Each calibration, with its file."""
    return [{**one.model_dump(), "file": str(file)} for one, file, _ in kept]


def _refuse_refused(calibration: "Calibration", chosen: argparse.Namespace) -> None:
    """Raises BackendError where a judge was refused each of its requests: it has said nothing."""
    from pipelines.errors import BackendError
    from pipelines.judging.refusal import REQUEST_REFUSED

    unread = calibration.unread
    if calibration.figures["read"].value or not unread:
        return
    if all(why.startswith(REQUEST_REFUSED) for why in unread):
        said = next(iter(unread)).removeprefix(REQUEST_REFUSED)
        retry = suggested(chosen.store, "retry", "--failed")
        raise BackendError(
            f"not checked: the endpoint of judge {calibration.judge} refused every request: {said}\n"
            f"`pairwright doctor {chosen.recipe}` looks at key, address and model. A refusal is kept, "
            f"and not asked again; once its cause is gone, `{retry}` has it asked."
        )


def _from_here(file: Path) -> Path:
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
