"""What an iteration tells while it runs: each build, each training, and why it ended."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipelines.build import Outcome
from pipelines.iterating.answer import Answer
from pipelines.iterating.figures import Figures, Mean
from pipelines.publishing.versions import Version

Why = Literal["rounds", "pairs", "patience", "unchanged", "budget", "refused", "owed", "missing"]


@dataclass(frozen=True, slots=True)
class BuiltRound:
    """A round's version is there."""

    number: int
    version: Version
    figures: Figures
    rise: Mean | None
    """On held-out prompts, over the best round before; None in the first round."""
    before: bool
    """Whether an earlier run built it."""


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
