"""The loop: build with the policy as it is, train on what was built, go on with what came of it.

A generator: it tells each build and each training as soon as it is done, those of earlier runs among
them, and last why it ended. What is told is recorded, so that stopping loses nothing but what is
under way.
"""

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property

from pipelines.build import Outcome, run_build
from pipelines.calls.meter import Meter
from pipelines.errors import NotThere, RecipeError, StoreError, TrainingError
from pipelines.health.endpoint import check_model
from pipelines.intake.inputs import input_files
from pipelines.iterating.allowance import Allowance
from pipelines.iterating.answer import Answer
from pipelines.iterating.course import Course
from pipelines.iterating.events import Ended, Event, TrainedRound, TrainingRound
from pipelines.iterating.journal import Built, Journal, Trained
from pipelines.iterating.plan import Plan
from pipelines.iterating.policy import identities, is_same, suited, with_policy
from pipelines.iterating.training import LOG, train
from pipelines.publishing.account import inputs_of
from pipelines.publishing.store import Store
from pipelines.publishing.versions import Version
from pipelines.recipe import Recipe
from schemas.version import Input, Lineage

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
                recipe = self._recipe(answer)
                self._check_same(recipe, lineage)
                yield TrainingRound(number, self.journal.round_folder(number) / LOG)
                trained, answer = self._train(number, recipe, built)
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

    def _built(
        self, lineage: Lineage, answer: Answer | None, course: Course
    ) -> Generator[Event, None, Built | None]:
        """The version of a round, which is built if it is not there; None where it ends all."""
        number = lineage.round
        kept = self._kept(lineage)
        if before := kept is not None:
            built, version = kept
        else:
            outcome = self._build(self._recipe(answer), lineage)
            if outcome.version is None or outcome.budget_reached:
                yield _unbuilt(number, outcome, answer)
                return None
            built, version = self._noted(lineage, outcome.version)
        yield course.add(number, version, before=before)
        if ended := course.ended(number, version, answer):
            yield ended
            return None
        return built

    def _kept(self, lineage: Lineage) -> tuple[Built, Version] | None:
        """What an earlier run built with the same policy and rows, if the store still holds it."""
        built = self.journal.built(lineage.round, lineage.policy)
        if built is None:
            return None
        try:
            version = self.store.resolve(built.version)
        except NotThere:
            return None
        same = version.manifest.content_digest == built.content_digest
        return (built, version) if same and _hashes(version.manifest.inputs) == self._rows else None

    @cached_property
    def _rows(self) -> dict[str, str] | None:
        """What the sources hold now, by file; None where one is missing, as the build will say."""
        try:
            return _hashes(inputs_of(input_files(self.plan.recipe.in_store(self.store))))
        except (RecipeError, StoreError, OSError):
            return None

    def _recipe(self, answer: Answer | None) -> Recipe:
        """The recipe with the policy that the last training came to."""
        recipe = self.plan.recipe
        return recipe if answer is None else with_policy(recipe, self.plan.policy, answer)

    def _build(self, recipe: Recipe, lineage: Lineage) -> Outcome:
        """Builds a round, within what is left of the budget."""
        if lineage.round > 1:
            self._check_policy(recipe, lineage)
        limited = self._allowance.within(recipe)
        if limited is None:
            return Outcome(budget_reached=True)
        meter = Meter(lineage=lineage)
        with self.watch(meter):
            outcome = run_build(limited, self.store.root, meter)
        self._allowance.add(outcome.spent)
        return outcome

    def _check_policy(self, recipe: Recipe, lineage: Lineage) -> None:
        """Raises TrainingError where what a training came to has changed, or does not answer."""
        self._check_same(recipe, lineage)
        trained = lineage.round - 1
        checks = (check for name in self.plan.policy for check in check_model(recipe.models[name]))
        for check in checks:
            if check.status == "fault":
                raise TrainingError(
                    f"the model that round {trained} was trained to does not answer: "
                    f"{check.finding} ({check.help}). Its training is kept: the same command goes "
                    "on once it does"
                )

    def _check_same(self, recipe: Recipe, lineage: Lineage) -> None:
        """Raises TrainingError where what a training came to is no longer what it was."""
        trained = lineage.round - 1
        if identities(recipe, self.plan.policy) == lineage.policy:
            return
        if not trained:
            raise TrainingError(
                "the model of the recipe has changed while round 1 was built; the same command "
                "builds with what it is now"
            )
        raise TrainingError(
            f"the model that round {trained} was trained to has changed since. To train it "
            f"again, delete {self.journal.round_folder(trained)}"
        )

    def _noted(self, lineage: Lineage, version: Version) -> tuple[Built, Version]:
        built = Built(
            version=version.ref,
            content_digest=version.manifest.content_digest,
            policy=lineage.policy,
        )
        self.journal.note_built(lineage.round, built)
        return built, version

    def _train(self, number: int, recipe: Recipe, built: Built) -> tuple[Trained, Answer]:
        """Trains the policy of `recipe`; it is recorded once it is known to suit the recipe."""
        policy = self.plan.policy
        told = {
            "set": str(self.store.resolve(built.version).folder),
            "version": built.version,
            "model": recipe.models[policy[0]].location(),
            "out": str(self.journal.out(number)),
            "round": str(number),
            "store": str(self.store.root),
        }
        started = time.monotonic()
        answered = train(self.plan.command, told, self.journal.round_folder(number))
        answer = suited(recipe, policy, answered)
        trained = Trained(
            content_digest=built.content_digest,
            command=self.plan.command.digest(),
            answer=answer.given(),
            policy=identities(self._recipe(answer), policy),
            seconds=round(time.monotonic() - started, 1),
        )
        self.journal.note_trained(number, trained)
        return trained, answer


def _hashes(inputs: Mapping[str, Input]) -> dict[str, str]:
    return {path: one.sha256 for path, one in inputs.items()}


def _unbuilt(number: int, outcome: Outcome, answer: Answer | None) -> Ended:
    """Why a build that was not published, or not in full, ends the iteration."""
    reasons = "; ".join(outcome.failures)
    if outcome.refused is not None:
        return Ended("refused", f"a gate refuses round {number}: {reasons}", answer, outcome)
    if outcome.budget_reached:
        words = f"the budget is reached in round {number}; the same command goes on there"
        return Ended("budget", words, answer, outcome)
    if outcome.missing and not outcome.owed:
        return Ended("missing", f"round {number} has too few pairs: {reasons}", answer, outcome)
    return Ended("owed", f"calls of round {number} are owed: {reasons}", answer, outcome)


def _unchanged(number: int) -> str:
    return (
        f"the training of round {number} returned the policy that it was given, so that a further "
        "round would be the same. Weights in a folder are told apart by their bytes, those at an "
        'address by "identity" in the answer'
    )


def _rounds_done(rounds: int) -> str:
    return "1 round is done" if rounds == 1 else f"{rounds} rounds are done"
