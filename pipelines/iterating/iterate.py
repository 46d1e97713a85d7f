"""The loop: build with the policy as it is, train on what was built, go on with what came of it.

A generator: it tells each build and each training as soon as it is done, those of earlier runs among
them, and last why it ended. What is told is recorded, so that stopping loses nothing but what is
under way.
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property

from pipelines.build import Outcome, run_build
from pipelines.errors import RecipeError, TrainingError
from pipelines.iterating.allowance import Allowance
from pipelines.iterating.answer import Answer
from pipelines.iterating.course import Course
from pipelines.iterating.events import (
    Ended,
    Event,
    Plan,
    TrainedRound,
    TrainingRound,
)
from pipelines.iterating.journal import Built, Journal, Trained
from pipelines.iterating.policy import identities, policy_of, with_policy
from pipelines.iterating.training import LOG, train
from pipelines.meter import Meter
from pipelines.publishing.store import Store
from pipelines.publishing.versions import Version
from pipelines.recipe import Recipe
from schemas.canonical import canonical_json
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

    def run(self) -> Iterator[Event]:
        """Does what is not done yet, and tells of all of it.

        Raises RecipeError before anything is done, TrainingError where a training fails, and what
        `run_build` raises.
        """
        self.check()
        with self.journal.locked():
            yield from self._rounds()

    def check(self) -> None:
        """Raises RecipeError for what cannot be done."""
        self.plan.command.check()
        recipe, rules, judge = self.plan.recipe, self.plan.rules, self.plan.judge
        judges = {one.name: one for one in recipe.judges}
        if judge is not None and judge not in judges:
            raise RecipeError(f'--by: no such judge "{judge}"; the recipe has {", ".join(judges)}')
        if rules.patience is None:
            return
        splits = recipe.publish.splits
        if self.plan.held_out not in splits:
            raise RecipeError(
                f"--patience: publish.splits has no {self.plan.held_out}, so no prompt is held "
                f"out; it has {', '.join(splits)}"
            )
        counted = [judge] if judge else recipe.score.judges or list(judges)
        for name in (one for one in counted if one in judges):
            if set(judges[name].models()) & set(self._policy):
                raise RecipeError(
                    f'--patience: judge "{name}" asks the policy itself, so its scores of two '
                    "rounds are not of one scale; --by names another"
                )

    @cached_property
    def journal(self) -> Journal:
        """Where it is recorded: another recipe, command or policy has a journal of its own."""
        decisive = [self.plan.recipe.fingerprint(), self.plan.command.digest(), self._policy]
        digest = hashlib.sha256(canonical_json(decisive)).hexdigest()
        return Journal(self.store.root, self.plan.recipe.head.name, digest)

    @cached_property
    def _policy(self) -> tuple[str, ...]:
        return policy_of(self.plan.recipe, self.plan.policy)

    def _rounds(self) -> Iterator[Event]:
        recipe, answer, lineage = self.plan.recipe, None, self._first()
        course = Course(self.plan, self._policy)
        for number in range(1, self.plan.rules.rounds + 1):
            built, spent = self.journal.built(number, lineage.policy), None
            if built is None:
                outcome, spent = self._build(recipe, lineage)
                if ended := self._unbuilt(number, outcome, answer):
                    yield ended
                    return
                built = self._note_built(number, outcome, lineage)
            version = self.store.resolve(built.version)
            yield course.add(number, version, spent)
            if ended := course.ended(number, version, answer):
                yield ended
                return
            trained = self.journal.trained(number, built)
            is_done = trained is not None
            if trained is None:
                yield TrainingRound(number, self.journal.round_folder(number) / LOG)
                trained = self._train(number, recipe, version, built)
            answer = Answer(**trained.answer)
            yield TrainedRound(number, answer, trained.seconds, is_done)
            if trained.policy == lineage.policy:
                yield Ended("unchanged", self._unchanged(number), answer)
                return
            if number < self.plan.rules.rounds:
                recipe = with_policy(self.plan.recipe, self._policy, answer)
            lineage = Lineage(
                round=number + 1,
                policy=trained.policy,
                trained_on=built.version,
                command=trained.command,
            )
        yield Ended("rounds", _rounds_done(self.plan.rules.rounds), answer)

    def _first(self) -> Lineage:
        return Lineage(round=1, policy=identities(self.plan.recipe, self._policy))

    def _build(self, recipe: Recipe, lineage: Lineage) -> tuple[Outcome, Meter]:
        """Builds what is left of a round, within what is left of the budget."""
        _check_reachable(recipe, self._policy, lineage)
        if identities(recipe, self._policy) != lineage.policy:
            raise TrainingError(
                f"the model that round {lineage.round - 1} was trained to has changed since. To "
                f"train it again, delete {self.journal.round_folder(lineage.round - 1)}"
            )
        meter = Meter(lineage=lineage)
        limited = self._allowance.within(recipe)
        if limited is None:
            return Outcome(budget_reached=True), meter
        try:
            with self.watch(meter):
                outcome = run_build(limited, self.store.root, meter)
        finally:
            self._allowance.add(meter)
        return outcome, meter

    def _unbuilt(self, number: int, outcome: Outcome, answer: Answer | None) -> Ended | None:
        """Why the build of a round ends the iteration; None where it does not."""
        if outcome.refused is not None:
            words = f"a gate refuses round {number}: {'; '.join(outcome.failures)}"
            return Ended("refused", words, answer, outcome)
        if outcome.budget_reached:
            words = f"the budget is reached in round {number}; the same command goes on there"
            return Ended("budget", words, answer, outcome)
        if outcome.version is None:
            words = f"calls of round {number} are owed: {'; '.join(outcome.failures)}"
            return Ended("owed", words, answer, outcome)
        return None

    def _note_built(self, number: int, outcome: Outcome, lineage: Lineage) -> Built:
        assert outcome.version is not None
        digest = outcome.version.manifest.content_digest
        built = Built(version=outcome.version.ref, content_digest=digest, policy=lineage.policy)
        self.journal.note_built(number, built)
        return built

    def _train(self, number: int, recipe: Recipe, version: Version, built: Built) -> Trained:
        """Trains a round's model, and records it once it is known to suit the recipe."""
        told = {
            "set": str(version.folder),
            "version": version.ref,
            "model": recipe.models[self._policy[0]].location(),
            "out": str(self.journal.out(number)),
            "round": str(number),
            "store": str(self.store.root),
        }
        started = time.monotonic()
        answer = train(self.plan.command, told, self.journal.round_folder(number))
        trained = Trained(
            content_digest=built.content_digest,
            command=self.plan.command.digest(),
            answer=answer.given(),
            policy=identities(with_policy(self.plan.recipe, self._policy, answer), self._policy),
            seconds=round(time.monotonic() - started, 1),
        )
        self.journal.note_trained(number, trained)
        return trained

    def _unchanged(self, number: int) -> str:
        return (
            f"the training of round {number} returned the policy that it was given, by its "
            "identity, so a further round would be the same. Weights in a folder are told apart by "
            'themselves, those at an address by "identity"'
        )


def _check_reachable(recipe: Recipe, policy: tuple[str, ...], lineage: Lineage) -> None:
    """Raises TrainingError where the endpoint that a training named does not answer."""
    from pipelines.health.endpoint import check_model

    if lineage.round == 1:
        return  # the build says what is wrong with the user's own
    for name in policy:
        for check in check_model(recipe.models[name]):
            if check.status == "fault":
                raise TrainingError(
                    f"the model that round {lineage.round - 1} was trained to does not answer: "
                    f"{check.finding} ({check.help}). Its training is kept: the same command goes "
                    "on once it does"
                )


def _rounds_done(rounds: int) -> str:
    return "1 round is done" if rounds == 1 else f"{rounds} rounds are done"
