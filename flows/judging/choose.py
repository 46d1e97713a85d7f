"""`judge check --choose`: several templates are tried, and the best is kept.

With labels one half of the prompts chooses, and the other half, which had no say, checks the choice:
figures that something was chosen by are too good.
"""

import argparse
import shlex
from typing import TYPE_CHECKING

from flows.texts.json_values import json_text
from flows.texts.plain import aligned, counted

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
    from flows.judging.checks import as_json, check, in_format
    from flows.judging.trials import Choosing
    from pipelines.calibration.choose import keep_best, with_template
    from pipelines.calls.budget import Cost
    from pipelines.calls.meter import Meter
    from pipelines.errors import RecipeError

    if len(judges) != 1:
        raise RecipeError(f"--choose is for one judge: --judge NAME ({', '.join(judges)})")
    [name] = judges
    if labels.is_recorded:
        raise RecipeError(f"{labels.name}: is what a judge has said already: nothing to choose by")
    seed = recipe.head.seed
    own, rest = labels.halves(seed) if labels.is_labelled else (labels, None)
    if not own.pairs or (rest is not None and not rest.pairs):
        raise RecipeError(f"{labels.name}: too few prompts to choose by one half of them")
    given = [with_template(recipe, judges[name], template) for template in chosen.choose]
    choosing = Choosing(chosen, name, own, Meter(), Cost())
    choosing.rehearse(["", *given])
    trials = [choosing.trial(override) for override in ("", *given)]
    for epoch in range(chosen.epochs if chosen.paraphrase else 0):
        reworded = choosing.reworded(keep_best(trials).override, epoch)
        trials += [choosing.trial(override) for override in reworded]
    best = keep_best(trials)
    kept = []
    if rest is not None:
        better = choosing.recipe(best.override)
        judge = choosing.judge(better)
        kept = check(chosen, better, {name: judge}, rest, choosing.meter, own.asked())
    if chosen.format == "json":
        tried = [{"set": one.override, "figures": _dumped(one)} for one in trials]
        return json_text({"trials": tried, "best": best.override, "checks": as_json(kept)})
    pages = [_table(name, trials, best, own), _advice(best), in_format(chosen, kept)]
    return "\n\n".join(filter(None, pages))


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
