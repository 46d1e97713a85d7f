"""What an iteration is asked for, and what it tells while it runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipelines.build import Outcome
from pipelines.iterating.answer import Answer
from pipelines.iterating.command import Command
from pipelines.iterating.figures import Figures, Mean
from pipelines.iterating.stops import Rules
from pipelines.meter import Meter
from pipelines.publishing.versions import Version
from pipelines.recipe import Recipe

Why = Literal["rounds", "pairs", "patience", "unchanged", "budget", "refused", "owed"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is wanted."""

    recipe: Recipe
    command: Command
    rules: Rules
    policy: tuple[str, ...] = ()
    """Models of the recipe. Default: those with policy = "on"."""
    judge: str | None = None
    """The judge that tells how good the policy is. Default: [score]."""
    held_out: str = "test"
    """The split whose prompts are not trained on."""


@dataclass(frozen=True, slots=True)
class BuiltRound:
    """A round's version is there."""

    number: int
    version: Version
    figures: Figures
    rise: Mean | None
    """On held-out prompts, over the best round before; None in the first round."""
    spent: Meter | None
    """What this run paid for it; None: an earlier run built it."""


@dataclass(frozen=True, slots=True)
class TrainingRound:
    """A round's training begins."""

    number: int
    log: Path


@dataclass(frozen=True, slots=True)
class TrainedRound:
    """A round's model is there."""

    number: int
    answer: Answer
    seconds: float
    before: bool
    """Whether an earlier run trained it."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Why there is no further round."""

    why: Why
    words: str
    answer: Answer | None
    """What the last training came to; None where none was done."""
    outcome: Outcome | None = None
    """The build that ended it."""


Event = BuiltRound | TrainingRound | TrainedRound | Ended
