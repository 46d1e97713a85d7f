"""A job: one training, and all that decides what comes out of it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

Method = Literal["dpo", "shuffled", "chosen_only", "either_only"]
"""DPO on the pairs; DPO on the pairs with sides drawn by coin; fine-tuning on the chosen answers;
fine-tuning on one answer of each pair, drawn by coin."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is tuned."""

    rate: float
    """Highest learning rate."""
    epochs: int
    """Passes over the pairs."""
    beta: float = 0.0
    """DPO's weight of the distance from the start; 0 where there is none."""


@dataclass(frozen=True, slots=True)
class Job:
    """One training."""

    start: str
    """Folder of the model that is trained."""
    pairs: str
    """Folder of the export, made by `pairwright export --format trl`, or for DPO also `steps`."""
    method: Method
    rate: float
    epochs: int
    beta: float
    seed: int
    checkpoint: str
    """Folder that it leaves."""
    steps: int | None = None
    """Steps that it takes, however many passes they are. None: those of `epochs`."""

    def to_json(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)


def checkpoint_name(digests: Sequence[str], method: Method, setting: Setting, seed: int) -> str:
    """A name that no other training has: `digests` are those of the start and of the pairs."""
    decisive = json.dumps([*digests, method, asdict(setting), seed])
    return hashlib.sha256(decisive.encode()).hexdigest()[:16]


def write_jobs(jobs: Sequence[Job], file: Path) -> None:
    """Writes what `read_jobs` reads."""
    file.write_text(json.dumps([job.to_json() for job in jobs], indent=1), encoding="utf-8")


def read_jobs(file: Path) -> list[Job]:
    """The jobs in a file."""
    return [Job(**table) for table in json.loads(file.read_text(encoding="utf-8"))]
