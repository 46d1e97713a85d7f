"""`judge check --choose`: several templates are tried, and the best is kept.

With labels one half of the prompts chooses, and the other half, which had no say, checks the choice:
figures that something was chosen by are too good.
"""

import argparse
import shlex
from contextlib import suppress
from typing import TYPE_CHECKING

from flows.json_text import json_text
from flows.plain_text import aligned, counted

if TYPE_CHECKING:
    from pipelines.calibration.choose import Trial
    from pipelines.calibration.labelled import LabelSet
    from pipelines.judge import Judge
    from pipelines.recipe import Recipe

TRIED = ("accuracy", "fairness", "a_rate", "consistency", "read")


def choose(
    chosen: argparse.Namespace, recipe: "Recipe", judges: "dict[str, Judge]", labels: "LabelSet"
) -> str:
    """Tries the templates, checks the best where there are labels; what is to be printed."""
    from flows.judging.check import as_json, check, in_format
    from pipelines.calibration.choose import keep_best, with_template
    from pipelines.errors import RecipeError

    if len(judges) != 1:
        raise RecipeError(f"--choose is for one judge: --judge NAME ({', '.join(judges)})")
    [name] = judges
    seed = recipe.head.seed
    own, rest = labels.halves(seed) if labels.is_labelled else (labels, None)
    overrides = [with_template(recipe, judges[name], template) for template in chosen.choose]
    trials = [_trial(chosen, name, override, own) for override in ("", *overrides)]
    for epoch in range(chosen.epochs if chosen.paraphrase else 0):
        reworded = _reworded(chosen, name, keep_best(trials).override, epoch)
        trials += [_trial(chosen, name, override, own) for override in reworded]
    best = keep_best(trials)
    kept = []
    if rest is not None:
        better = _recipe(chosen, best.override)
        kept = check(chosen, better, {name: _judge(better, name)}, rest, own.asked())
    if chosen.format == "json":
        tried = [{"set": one.override, "figures": _dumped(one)} for one in trials]
        return json_text({"trials": tried, "best": best.override, "checks": as_json(kept)})
    pages = [_table(name, trials, best, own), _advice(best), in_format(chosen, kept)]
    return "\n\n".join(filter(None, pages))


def _trial(chosen: argparse.Namespace, name: str, override: str, labels: "LabelSet") -> "Trial":
    from flows.judging.check import ask
    from pipelines.calibration.check import judged
    from pipelines.calibration.choose import Trial

    recipe = _recipe(chosen, override)
    found = ask(chosen, recipe, {name: _judge(recipe, name)}, labels)
    figures = judged(labels, found.opinions[name], recipe.head.seed).figures()
    return Trial(override, figures)


def _reworded(chosen: argparse.Namespace, name: str, override: str, epoch: int) -> list[str]:
    """The `--set` of each paraphrase of a template that the judge can use. Raises Owing."""
    from flows.judging.check import Owing
    from flows.progress import progress
    from pipelines.calibration.choose import with_template
    from pipelines.calibration.paraphrase import kept_file, paraphrases, template_text
    from pipelines.calibration.run import Run
    from pipelines.errors import RecipeError
    from pipelines.meter import Meter
    from pipelines.publishing.store import Store
    from pipelines.unit import OwedError

    recipe, store, meter = _recipe(chosen, override), Store(chosen.store), Meter()
    judge, n = _judge(recipe, name), chosen.per_epoch
    text = template_text(recipe, judge)
    try:
        with progress(meter):
            found = paraphrases(recipe, store, chosen.paraphrase, text, n, epoch * n, meter)
    except OwedError as error:
        raise Owing(Run(owed=[str(error)]), meter) from error
    usable = []
    for one in found:
        reworded = with_template(recipe, judge, kept_file(store, one))
        with suppress(RecipeError):  # it cannot be rendered: no paraphrase
            _recipe(chosen, reworded)
            usable.append(reworded)
    return usable


def _recipe(chosen: argparse.Namespace, override: str) -> "Recipe":
    from flows.shipped_recipes import find_recipe
    from pipelines.recipe import read_recipe

    own = [override] if override else []
    return read_recipe(find_recipe(chosen.recipe), [*chosen.overrides, *own])


def _judge(recipe: "Recipe", name: str) -> "Judge":
    from pipelines.calibration.identity import judge_part

    return judge_part(recipe, name)


def _dumped(trial: "Trial") -> dict[str, object]:
    return {name: figure.model_dump() for name, figure in trial.figures.items()}


def _table(name: str, trials: "list[Trial]", best: "Trial", labels: "LabelSet") -> str:
    from flows.judging.check_text import number

    shown = [one for one in TRIED if any(trial.figures[one].value is not None for trial in trials)]
    rows = [("template", *shown, "")]
    for trial in trials:
        values = (number(trial.figures[one].value) for one in shown)
        rows.append((trial.template, *values, "kept" if trial is best else ""))
    pairs, prompts = counted(len(labels.pairs), "pair"), counted(labels.groups, "prompt")
    by = "half of the prompts" if labels.is_labelled else "fairness alone, without labels"
    return f"judge {name}: templates by {by} ({pairs} of {prompts})\n\n{aligned(rows)}"


def _advice(best: "Trial") -> str:
    if not best.override:
        return "the template of the recipe is kept"
    return f"to use it: --set {shlex.quote(best.override)}"
