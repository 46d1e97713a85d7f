"""Choosing: of several templates, the one with which a judge is right most often, or fairest.

With labels accuracy decides, then fairness; without, fairness alone (ZEPO, arXiv 2406.11370). The
best is kept: a template takes the place of another only if it is strictly better, so that the
figure never falls from one to the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.calls.budget import BOUNDS, Budget, Cost
from pipelines.errors import RecipeError
from pipelines.judge import Judge
from pipelines.recipe import Recipe
from schemas.calibration import Figure

OWN = "as it is"
"""What the template is called that the recipe has already."""

UNDEFINED = float("-inf")


@dataclass(frozen=True, slots=True)
class Trial:
    """A template, and how the judge did with it."""

    override: str
    """The `--set` that puts it into the recipe; "" for the template that is there already."""
    figures: dict[str, Figure]

    @property
    def template(self) -> str:
        """Its path, as people are shown it."""
        return self.override.partition("=")[2].strip('"') or OWN

    @property
    def merit(self) -> tuple[float, ...]:
        """What is compared: accuracy where there are labels, then fairness, then replies read."""
        values = (self.figures[name].value for name in ("accuracy", "fairness", "read"))
        accuracy, fairness, read = (UNDEFINED if one is None else one for one in values)
        return accuracy, fairness, read


def keep_best(trials: Sequence[Trial]) -> Trial:
    """The best trial; of equals the first."""
    best = trials[0]
    for trial in trials[1:]:
        best = trial if trial.merit > best.merit else best
    return best


def with_template(recipe: Recipe, judge: Judge, template: Path) -> str:
    """The `--set` that makes `judge` of `recipe` use `template`, a path as seen from here.

    Raises RecipeError for a judge without a template, and a file that is missing.
    """
    if "template" not in type(judge).model_fields:
        raise RecipeError(f"[[judges]] {judge.name}: kind {judge.kind} has no template to choose")
    path, root = template.absolute(), recipe.root.absolute()
    if not path.is_file():
        raise RecipeError(f"--choose {template}: no such file")
    inside = path.is_relative_to(root)
    return f'judges.{judge.name}.template="{path.relative_to(root) if inside else path}"'


def left_of(budget: Budget, spent: Cost) -> Budget:
    """What is left of a budget that several runs share."""
    given = {name: getattr(budget, name) for name in BOUNDS}
    left = {
        name: max(0, limit - getattr(spent, name))
        for name, limit in given.items()
        if limit is not None
    }
    return budget.model_copy(update=left)
