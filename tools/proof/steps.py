"""Whether pairs of steps teach more than pairs of answers that cost as many tokens.

    python -m tools.proof.steps --out DIR [--small]

MCTS-DPO (arXiv 2405.00451) on the embedded policy, by the product's own commands. First several
ways to search on the same problems: how many pairs of steps they give, what they cost, and how many
of the chosen steps are right by arithmetic. Then DPO on the pairs of two of them, and on pairs of
right and wrong answers, of which as many problems are asked as cost the same; and the same held-out
problems as in docs/proof.md. What is in DIR is not done again.
"""

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.engine.checkpoint import find_checkpoint
from tools.proof.answers import TEMPERATURE, Marks
from tools.proof.intervals import Values, difference, mean
from tools.proof.jobs import Job, Setting, checkpoint_name
from tools.proof.processes import PYTHON, ROOT, mark_all, run_jobs
from tools.proof.report import head, row, signed
from tools.proof.step_sets import CUTS, OUTCOMES, SEARCHES, Built, build, quality, searched

ARMS = {
    "steps_likelihood": "steps_likelihood",
    "steps_rollouts": "steps_likelihood",
    "outcomes": "outcomes",
    "outcomes_as_many": "outcomes",
}
"""What is trained on -> whose tuning decides its setting. All cost as many tokens; the last takes
no more of its pairs than the first has."""
SEARCHED = {"steps_likelihood": "likelihood_4", "steps_rollouts": "rollouts_4"}
"""The arms of steps, and how they were searched for."""

COMPARED = (
    ("steps_likelihood", "outcomes"),
    ("steps_likelihood", "outcomes_as_many"),
    ("steps_rollouts", "outcomes"),
    ("steps_likelihood", "steps_rollouts"),
    ("outcomes", "outcomes_as_many"),
)
"""Differences that are reported beside those from the start: the first minus the second."""

GRID = tuple(Setting(rate, 1, beta) for beta in (0.3, 1.0, 3.0) for rate in (1e-4, 3e-4, 1e-3))
TUNING_SEED = 100
WAYS = ("sampled", "greedy")


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done."""

    compared: int = 200
    """Problems on which ways to search are compared."""
    searched: int = 1000
    """Problems that are searched with the teacher's likelihood. What that costs, all arms cost."""
    steps: int = 63
    """Steps of each training, of 32 pairs."""
    most: int = 2016
    """Most pairs of a set: those of so many steps."""
    seeds: int = 3
    """Trainings of each arm."""
    tuning: int = 500
    """Held-out problems that settings are chosen by: the first so many."""
    reported: int = 1500
    """Held-out problems that the report is about: those that follow."""
    samples: int = 4
    """Answers to each problem at temperature 0.8, besides the greedy one."""
    grid: tuple[Setting, ...] = GRID


SMALL = Size(
    compared=10, searched=10, steps=2, seeds=1, tuning=10, reported=20, samples=2, grid=GRID[4:5]
)
"""To see that it all runs: it shows nothing."""


class Experiment:
    """A run of the experiment, in one folder."""

    def __init__(self, out: Path, size: Size, processes: int) -> None:
        self.out, self.size, self.processes = out, size, processes
        self.start = find_checkpoint("policy", ROOT)
        for name in ("trained", "answers", "jobs"):
            (out / name).mkdir(parents=True, exist_ok=True)

    def run(self) -> dict[str, Any]:
        """Everything; the figures."""
        searches = {name: self._searched(name) for name in SEARCHES}
        sets = self._sets()
        tuned = self._tuned(sets)
        chosen = {arm: max(tuned[like], key=lambda one: one[1])[0] for arm, like in ARMS.items()}
        (start,) = self._mark([self.start.folder], tuning=False)
        marks = self._trained(sets, chosen)
        return {
            "size": {name: at for name, at in asdict(self.size).items() if name != "grid"},
            "searches": searches,
            "sets": {name: _of_set(built) for name, built in sets.items()},
            "tuning": [
                {"arm": arm, **asdict(setting), "sampled": right}
                for arm, tried in tuned.items()
                for setting, right in tried
            ],
            "start": {way: asdict(mean(_values([start], way))) for way in WAYS},
            "arms": {
                arm: _of_arm(of, start) | {"setting": asdict(chosen[arm])}
                for arm, of in marks.items()
            },
            "differences": [
                {"of": one, "from": other, **_apart(marks[one], marks[other])}
                for one, other in COMPARED
            ],
        }

    def _searched(self, name: str) -> dict[str, Any]:
        """A way to search: its cost, and the worth of its pairs, cut in several ways."""
        problems, changes = self.size.compared, searched(name, cut=False)
        built = build("mcts", name, changes, self.out, problems, 8 * problems)
        of_cuts = {
            cut: quality([one for one in built.rows if keeps(one)]) for cut, keeps in CUTS.items()
        }
        return {"problems": problems, "cost": asdict(built.cost), "cuts": of_cuts}

    def _sets(self) -> dict[str, Built]:
        """The sets that are trained on, made to cost what the first costs."""
        size = self.size
        changes = {name: searched(search, cut=True) for name, search in SEARCHED.items()}
        sets = {
            name: self._equal("mcts", SEARCHED[name], changes[name], None) for name in list(changes)[:1]
        }
        raise NotImplementedError


def main() -> None: ...
