"""Trials of templates: each is a run of the judge on the same pairs, all of one budget."""

import argparse
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.calibration.choose import Trial
    from pipelines.calibration.labelled import LabelSet
    from pipelines.calls.budget import Cost
    from pipelines.calls.meter import Meter
    from pipelines.judge import Judge
    from pipelines.recipe import Recipe


@dataclass
class Choosing:
    """What the trials have in common. They share one budget."""

    chosen: argparse.Namespace
    name: str
    labels: "LabelSet"
    meter: "Meter"
    spent: "Cost"

    def recipe(self, override: str) -> "Recipe":
        """The recipe with another template, and with what is left of its budget."""
        from flows.options.shipped_recipes import find_recipe
        from pipelines.calibration.choose import left_of
        from pipelines.recipe import read_recipe

        own = [override] if override else []
        path = find_recipe(self.chosen.recipe)
        recipe = read_recipe(path, [*self.chosen.overrides, *own])
        return replace(recipe, budget=left_of(recipe.budget, self.spent))

    def rehearse(self, overrides: "Sequence[str]") -> None:
        """Raises RecipeError, before a call is paid, where one of the trials could not be run."""
        from pipelines.calibration.paraphrase import paraphrasing, template_text

        for recipe in map(self.recipe, overrides):
            if self.chosen.paraphrase:
                paraphrasing(recipe, self.chosen.paraphrase)
                template_text(recipe, self.judge(recipe))

    def judge(self, recipe: "Recipe") -> "Judge":
        """The judge whose template is chosen."""
        from pipelines.calibration.identity import judge_part

        return judge_part(recipe, self.name)

    def trial(self, override: str) -> "Trial":
        """How the judge does with a template. Raises Owing."""
        from flows.judging.asking import ask
        from pipelines.calibration.check import judged
        from pipelines.calibration.choose import Trial

        recipe = self.recipe(override)
        judges = {self.name: self.judge(recipe)}
        found = ask(self.chosen, recipe, judges, self.labels, self.meter)
        self.spent += found.spent
        rows = judged(self.labels, found.opinions[self.name], recipe.head.seed)
        return Trial(override, rows.figures())

    def reworded(self, override: str, epoch: int) -> list[str]:
        """The `--set` of each paraphrase of a template that the judge can use. Raises Owing."""
        from flows.judging.asking import Owing
        from flows.progress import progress
        from pipelines.calibration.choose import with_template
        from pipelines.calibration.paraphrase import kept_file, paraphrases, template_text
        from pipelines.calibration.run import Run
        from pipelines.errors import RecipeError
        from pipelines.publishing.store import Store
        from pipelines.unit import OwedError

        recipe, store = self.recipe(override), Store(self.chosen.store)
        judge, model, n = self.judge(recipe), self.chosen.paraphrase, self.chosen.per_epoch
        text = template_text(recipe, judge)
        try:
            with progress(self.meter):
                found, spent = paraphrases(recipe, store, model, text, n, epoch * n, self.meter)
        except OwedError as error:
            raise Owing(Run(owed=[str(error)]), self.meter) from error
        self.spent += spent
        usable = []
        for one in found:
            reworded = with_template(recipe, judge, kept_file(store, one))
            with suppress(RecipeError):  # it cannot be rendered: no paraphrase
                self.recipe(reworded)
                usable.append(reworded)
        return usable
