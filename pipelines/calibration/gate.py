"""The judges' gate: `[gates] judge_accuracy` against the calibrations that a store holds.

    unchecked, fewer than 100 pairs, other labels, undefined, too low  ─> failures, in words
    prompts that the judges were checked on                             ─> kept out of the build

All of it is known before any call, so a build that would pay is refused before it pays.
"""

import shlex
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from itertools import chain
from pathlib import Path

from pipelines.calibration.identity import (
    calibration_id,
    counting_judges,
    has_many_names,
    judge_part,
)
from pipelines.calibration.stored import stored_calibrations
from pipelines.errors import RecipeError, StoreError
from pipelines.publishing.store import Store
from pipelines.recipe import Recipe
from schemas.calibration import Calibration
from schemas.version import Judge, Manifest

LEAST_PAIRS = 100
"""Labelled pairs below which a calibration counts for nothing."""

DIGITS = 12
"""Of a digest, where people read it."""


class JudgeGate:
    """What the judges of a recipe were checked on, as a store held it when the build began."""

    def __init__(self, recipe: Recipe, store: Store) -> None:
        """Reads what the gate counts on. Raises StoreError for a damaged calibration."""
        self._recipe, self._store = recipe, store
        self._bounds = recipe.gates.accuracy_bounds(counting_judges(recipe))
        self._found = {name: self._calibrations(name) for name in self._bounds}

    def failures(self) -> list[str]:
        """What judges lack, in words; empty where all of them may be used."""
        lacking = ((name, self._lacks(name, bound)) for name, bound in self._bounds.items())
        return [f"judge {name}: {why}" for name, why in lacking if why]

    def verdict(self, name: str) -> str:
        """Whether judge `name` may be used, in words; "" where nothing is asked of it."""
        bound = self._bounds.get(name)
        if bound is None:
            return ""
        asked, why = f"judge_accuracy >= {bound}", self._lacks(name, bound)
        return f"FAILS {asked}: {why}" if why else f"passes {asked}"

    def labelled(self) -> dict[str, str]:
        """What the labelled prompts ask (`labelled.asked_id`) -> what they are labels of."""
        asked: dict[str, set[str]] = {}
        for one in chain.from_iterable(self._found.values()):
            for prompt in one.prompts:
                asked.setdefault(prompt, set()).add(f"labels {one.labels.digest[:DIGITS]}")
        return {prompt: ", ".join(sorted(asked[prompt])) for prompt in sorted(asked)}

    def noted(self, manifest: Manifest) -> Manifest:
        """`manifest` with what each judge was checked on, gate or no gate."""
        judges = {name: self._noted(name, judge) for name, judge in manifest.judges.items()}
        return manifest.model_copy(update={"judges": judges})

    def _noted(self, name: str, judge: Judge) -> Judge:
        """No build fails here: the gate has read what it needs, and the rest is for people."""
        with suppress(RecipeError, StoreError):
            found = self._found[name] if name in self._found else self._calibrations(name)
            checks = tuple(one.summary() for one in found)
            checked_as = calibration_id(self._recipe, name)
            return judge.model_copy(update={"checked_as": checked_as, "checks": checks})
        return judge

    def _calibrations(self, name: str) -> list[Calibration]:
        return stored_calibrations(self._store, calibration_id(self._recipe, name))

    def _lacks(self, name: str, bound: Decimal) -> str:
        check = f"`{_command(self._recipe, self._store)} --judge {shlex.quote(name)}`"
        labels, found = self._recipe.gates.judge_labels, self._found[name]
        own = [one for one in found if one.labels.digest.startswith(labels)]
        enough = [one for one in own if one.labels.pairs >= LEAST_PAIRS]
        if has_many_names(judge_part(self._recipe, name), name):
            return "its rows name several judges; name those that count, in [score] or the pairing"
        if not found:
            return f"was never checked, and gates.judge_accuracy is >= {bound}. {check} checks it"
        if not own:
            checked = ", ".join(one.labels.digest[:DIGITS] for one in found)
            return f"checked on labels {checked}, and gates.judge_labels is {labels}. {check}"
        if not enough:
            most = max(one.labels.pairs for one in own)
            return f"checked on {most} labelled pairs, and {LEAST_PAIRS} are needed. {check}"
        return next(filter(None, (_too_low(one, bound) for one in enough)), "")


def pays(recipe: Recipe) -> bool:
    """Whether a build may pay for a call: whether a model of its parts is billed."""
    return any(recipe.models[name].billed for name in _called(recipe))


def _called(recipe: Recipe) -> Iterator[str]:
    for sampler in recipe.samplers:
        yield from sampler.models()
    for judge in recipe.judges:
        yield from judge.models()


def _too_low(calibration: Calibration, bound: Decimal) -> str:
    labels = f"on {calibration.labels.pairs} labelled pairs of {calibration.labels.name}"
    accuracy, low = calibration.figures["accuracy"].value, calibration.lower_bound
    if accuracy is None or low is None:
        return f"its accuracy {labels} is undefined, and gates.judge_accuracy is >= {bound}"
    if Decimal(str(low)) >= bound:  # as decimals: 0.7 in a file is not below 0.7 in a recipe
        return ""
    return (
        f"accuracy {accuracy:.3f} {labels}, whose lower 95 % bound {low:.3f} is below "
        f"gates.judge_accuracy >= {bound}"
    )


def _command(recipe: Recipe, store: Store) -> str:
    """`pairwright judge check` for this recipe and store, with paths as seen from here.

    With all of its `--set`: any of them may be what makes the judge another one.
    """
    here = Path.cwd()
    where = store.root.relative_to(here) if store.root.is_relative_to(here) else store.root
    words = ["pairwright", "judge", "check", str(recipe.path), "--on", "LABELLED"]
    changes = (word for override in recipe.overrides for word in ("--set", override))
    return shlex.join([*words, *changes, "--store", str(where)])
