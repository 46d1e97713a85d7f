"""The loop: build with the policy as it is, train on what was built, go on with what came of it.

A generator: it tells each build and each training as soon as it is done, those of earlier runs among
them, and last why it ended. What is told is recorded, so that stopping loses nothing but what is
under way.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property

from pipelines.build import Outcome, run_build
from pipelines.errors import NotThere, TrainingError
from pipelines.health.endpoint import check_model
from pipelines.iterating.allowance import Allowance
from pipelines.iterating.answer import Answer
from pipelines.iterating.course import Course
from pipelines.iterating.events import BuiltRound, Ended, Event, TrainedRound, TrainingRound
from pipelines.iterating.journal import Built, Journal, Trained
from pipelines.iterating.plan import Plan
from pipelines.iterating.policy import identities, is_same, with_policy
from pipelines.iterating.training import LOG, train
from pipelines.meter import Meter
from pipelines.publishing.store import Store
from pipelines.publishing.versions import Version
from pipelines.recipe import Recipe
from schemas.version import Lineage

Watch = Callable[[Meter], AbstractContextManager[object]]


@dataclass
class Iteration:
    """One run of an iteration."""

    plan: Plan
    store: Store
    watch: Watch = nullcontext
    """Put around each build, with its meter."""
    _allowance: Allowance = field(default_factory=Allowance)

    @cached_property
    def journal(self) -> Journal:
        """Where it is recorded: another recipe, command or policy has a journal of its own."""
        return Journal(self.store.root, self.plan.recipe.head.name, self.plan.digest())

    def run(self) -> Iterator[Event]:
        """Does what is not done yet, and tells of all of it.

        Raises RecipeError before anything is done, TrainingError where a training fails, and what
        `run_build` raises.
        """
        self.plan.check()
        with self.journal.locked():
            yield from self._rounds()

    def _rounds(self) -> Iterator[Event]:
        plan, course, answer = self.plan, Course(self.plan), None
        lineage = Lineage(round=1, policy=identities(plan.recipe, plan.policy))
        for number in range(1, plan.rules.rounds + 1):
            built = yield from self._built(lineage, answer, course)
            if built is None:
                return
            trained = self.journal.trained(number, built)
            if before := trained is not None:
                answer = Answer(**trained.answer)
            else:
                yield TrainingRound(number, self.journal.round_folder(number) / LOG)
                trained, answer = self._train(number, self._recipe(answer), built)
            yield TrainedRound(number, answer, trained.seconds, before)
            if is_same(lineage.policy, trained.policy, answer):
                yield Ended("unchanged", _unchanged(number), answer)
                return
            lineage = Lineage(
                round=number + 1,
                policy=trained.policy,
                trained_on=built.version,
                command=trained.command,
            )
        yield Ended("rounds", _rounds_done(plan.rules.rounds), answer)
