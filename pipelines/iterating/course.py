"""The course of an iteration: how the score went from round to round, and whether that ends it."""

import polars as pl

from pipelines.errors import RecipeError
from pipelines.iterating.answer import Answer
from pipelines.iterating.events import BuiltRound, Ended
from pipelines.iterating.figures import Mean, figures, rise, scores
from pipelines.iterating.plan import Plan
from pipelines.iterating.stops import has_risen, out_of_patience, too_few
from pipelines.publishing.versions import Version


class Course:
    """How the held-out score went, round after round."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._best: pl.DataFrame | None = None
        self._risen: list[bool] = []

    def add(self, number: int, version: Version, *, before: bool) -> BuiltRound:
        """Takes in a round's version: its figures, and its rise over the best before it."""
        scored = scores(version, self._plan.policy, self._plan.judge)
        gained = None if self._best is None else rise(self._best, scored, self._plan.held_out)
        if self._best is not None:
            self._risen.append(has_risen(gained))
        if self._best is None or self._risen[-1]:
            self._best = scored
        found = figures(scored, self._plan.held_out)
        if self._plan.rules.patience is not None:
            _check_held_out(version, found.held_out, self._plan.held_out)
        return BuiltRound(number, version, found, gained, before)

    def ended(self, number: int, version: Version, answer: Answer | None) -> Ended | None:
        """Why the round is not trained on; None where it is."""
        rules = self._plan.rules
        manifest = version.manifest
        trained_on = manifest.rows("pairs") - manifest.splits().get(self._plan.held_out, 0)
        if words := too_few(rules, number, trained_on):
            return Ended("pairs", words, answer)
        if words := out_of_patience(rules, self._risen):
            return Ended("patience", words, answer)
        return None


def _check_held_out(version: Version, held_out: Mean | None, split: str) -> None:
    if held_out is None or held_out.interval is None:
        raise RecipeError(
            f"--patience: {version.ref} has {held_out.prompts if held_out else 0} prompts with a "
            f"score in split {split}, which tells no interval. publish.splits gives it more, and only "
            "answers as they were sampled count: neither revisions nor those of a search"
        )
