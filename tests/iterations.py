"""An iteration of a small recipe with the shipped policy, and a training that is none."""

import json
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.iterating.command import Command
from pipelines.iterating.events import BuiltRound, Ended, Event, TrainedRound, TrainingRound
from pipelines.iterating.iterate import Iteration
from pipelines.iterating.plan import Plan
from pipelines.iterating.stops import Rules
from pipelines.publishing.store import Store
from pipelines.recipe import Recipe, read_recipe
from pipelines.shipped import shipped

TRAINER = Path(__file__).with_name("fake_trainer.py")

PROMPTS = 12

RECIPE = """
name = "sums"
seed = 8

[sources.problems]
kind = "jsonl"
path = "problems.jsonl"

[prompts]
text = "question"
reference = "answer"
key = "id"

[models.student]
kind = "embedded"
model = "policy"
policy = "on"

[[samplers]]
kind = "independent"
model = "student"
n = 4
sampling = { temperature = 0.8, max_tokens = 64 }

[[judges]]
kind = "verifier"
answer = "number"

[[pairings]]
kind = "correct_wrong"
max_per_prompt = 1

[publish]
splits = { train = 0.75, test = 0.25 }
"""


@dataclass
class Bench:
    """A folder with a recipe, a store, and a trainer that counts its runs."""

    folder: Path

    def recipe(self, *overrides: str) -> Recipe:
        return read_recipe(self.folder / "sums.toml", overrides)

    @property
    def store(self) -> Store:
        return Store(self.folder / "store")

    def command(self) -> str:
        runs = shlex.quote(str(self.folder / "runs"))
        return f"{{python}} {shlex.quote(str(TRAINER))} {runs} {{set}} {{model}} {{out}}"

    def trainer_does(self, mode: str) -> None:
        """As `fake_trainer` has it; "": it trains."""
        (self.folder / "runs.mode").write_text(mode, encoding="utf-8")

    def iteration(
        self,
        rounds: int,
        *overrides: str,
        command: Command | None = None,
        min_pairs: int = 1,
        patience: int | None = None,
        judge: str | None = None,
    ) -> Iteration:
        rules = Rules(rounds, min_pairs, patience)
        command = command or Command(self.command())
        return Iteration(Plan(self.recipe(*overrides), command, rules, judge=judge), self.store)

    def twin(self, folder: Path) -> "Bench":
        """A copy in another folder, with the same done. Its command is that of the first."""
        shutil.copytree(self.folder, folder)
        for file in folder.rglob("trained.json"):
            moved = file.read_text(encoding="utf-8").replace(str(self.folder), str(folder))
            file.write_text(moved, encoding="utf-8")
        return Bench(folder)

    def runs(self) -> list[dict[str, Any]]:
        """What the trainer was told, each time."""
        file = self.folder / "runs"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def make_bench(folder: Path) -> Bench:
    """A bench in a new folder, whose path has a space."""
    folder = folder / "a b"
    folder.mkdir()
    (folder / "sums.toml").write_text(RECIPE, encoding="utf-8")
    problems = shipped("prompts/sums_train.jsonl").read_text(encoding="utf-8")
    (folder / "problems.jsonl").write_text("".join(problems.splitlines(True)[:PROMPTS]))
    return Bench(folder)


def builds(events: Sequence[Event]) -> list[BuiltRound]:
    """The builds among the events."""
    return [event for event in events if isinstance(event, BuiltRound)]


def trainings(events: Sequence[Event]) -> list[TrainedRound]:
    """The trainings among the events."""
    return [event for event in events if isinstance(event, TrainedRound)]


def begun(events: Sequence[Event]) -> int:
    """How many trainings this run began."""
    return sum(isinstance(event, TrainingRound) for event in events)


def ending(events: Sequence[Event]) -> Ended:
    """How it ended."""
    last = events[-1]
    assert isinstance(last, Ended)
    return last
