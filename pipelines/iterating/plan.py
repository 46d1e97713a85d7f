"""What an iteration is asked for."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from pipelines.errors import RecipeError
from pipelines.iterating.command import Command
from pipelines.iterating.policy import policy_of
from pipelines.iterating.stops import Rules
from pipelines.recipe import Recipe
from schemas.canonical import canonical_json


@dataclass(frozen=True)
class Plan:
    """A recipe, a training command, and what ends it."""

    recipe: Recipe
    command: Command
    rules: Rules
    named: tuple[str, ...] = ()
    """Models of the recipe that are trained. Default: those with policy = "on"."""
    judge: str | None = None
    """The judge that tells how good the policy is. Default: [score]."""
    held_out: str = "test"
    """The split whose prompts are not trained on."""

    @cached_property
    def policy(self) -> tuple[str, ...]:
        """The models that are trained. Raises RecipeError where there is none."""
        return policy_of(self.recipe, self.named)

    def digest(self) -> str:
        """Of what decides the rounds, but not how many there are."""
        decisive = [self.recipe.fingerprint(), self.command.digest(), self.policy]
        return hashlib.sha256(canonical_json(decisive)).hexdigest()

    def check(self) -> None:
        """Raises RecipeError for what cannot be done."""
        self.command.check()
        judges = [one.name for one in self.recipe.judges]
        if self.judge is not None and self.judge not in judges:
            raise RecipeError(
                f'--by: no such judge "{self.judge}"; the recipe has {", ".join(judges)}'
            )
        if self.policy and self.rules.patience is not None:
            self._check_held_out()
            self._check_scale()

    def _check_held_out(self) -> None:
        splits = self.recipe.publish.splits
        if self.held_out not in splits:
            raise RecipeError(
                f"--patience: publish.splits has no {self.held_out}, so no prompt is held out; it "
                f"has {', '.join(splits)}"
            )

    def _check_scale(self) -> None:
        """Raises RecipeError where a judge whose scores count is the policy, which changes."""
        counted = [self.judge] if self.judge else self.recipe.score.judges
        for judge in self.recipe.judges:
            if counted and judge.name not in counted:
                continue
            if set(judge.models()) & set(self.policy):
                raise RecipeError(
                    f'--patience: judge "{judge.name}" asks the policy itself, so its scores of '
                    "two rounds are not of one scale; --by names another"
                )
