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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.engine.checkpoint import find_checkpoint
from tools.proof.answers import Marks
from tools.proof.intervals import Values, difference, mean
from tools.proof.jobs import Job, Setting, checkpoint_name
from tools.proof.processes import PYTHON, ROOT, mark_all, run_jobs
from tools.proof.report import WAYS
from tools.proof.step_sets import (
    CUTS,
    OUTCOMES,
    SEARCHES,
    Built,
    Cost,
    Recipe,
    build,
    quality,
    searched,
)
from tools.proof.steps_report import tables

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
        """The sets that are trained on. All cost what the first does."""
        search, most = SEARCHED["steps_likelihood"], self.size.most
        changes = searched(search, cut=True)
        first = build("mcts", search, changes, self.out, self.size.searched, most)
        search = SEARCHED["steps_rollouts"]
        other = self._equal(first.cost, "mcts", search, searched(search, cut=True))
        outcomes = self._equal(first.cost, "quickstart", "outcomes", OUTCOMES)
        few = build(
            "quickstart", "outcomes", OUTCOMES, self.out, outcomes.problems, len(first.rows)
        )
        return dict(zip(ARMS, (first, other, outcomes, few), strict=True))

    def _equal(self, cost: Cost, recipe: Recipe, of: str, changes: Sequence[str]) -> Built:
        """A set of so many problems as cost the same, within a hundredth or one problem."""
        problems = self.size.compared
        while True:
            built = build(recipe, of, changes, self.out, problems, self.size.most)
            wanted = round(problems * cost.tokens / built.cost.tokens)
            if abs(wanted - problems) <= max(1, problems // 100):
                return built
            problems = wanted

    def _tuned(self, sets: Mapping[str, Built]) -> dict[str, list[tuple[Setting, float]]]:
        """Arm -> each setting with its share of right answers on the problems for tuning."""
        arms = list(dict.fromkeys(ARMS.values()))
        jobs = {
            (arm, setting): self._job(sets[arm], setting, TUNING_SEED)
            for arm in arms
            for setting in self.size.grid
        }
        marks = dict(zip(jobs, self._done(jobs.values(), tuning=True), strict=True))
        return {
            arm: [(one, float(marks[arm, one].sampled.mean())) for one in self.size.grid]
            for arm in arms
        }

    def _trained(
        self, sets: Mapping[str, Built], chosen: Mapping[str, Setting]
    ) -> dict[str, list[Marks]]:
        """Arm -> the marks of each seed."""
        seeds = range(self.size.seeds)
        jobs = [self._job(sets[arm], chosen[arm], seed) for arm in ARMS for seed in seeds]
        marks = iter(self._done(jobs, tuning=False))
        return {arm: [next(marks) for _ in seeds] for arm in ARMS}

    def _job(self, built: Built, setting: Setting, seed: int) -> Job:
        steps, digests = self.size.steps, (self.start.digest(), built.digest)
        name = checkpoint_name((*digests, f"{steps} steps"), "dpo", setting, seed)
        return Job(
            str(self.start.folder),
            str(built.folder),
            "dpo",
            **asdict(setting),
            seed=seed,
            checkpoint=str(self.out / "trained" / name),
            steps=steps,
        )

    def _done(self, jobs: Iterable[Job], *, tuning: bool) -> list[Marks]:
        """The marks of each job's checkpoint."""
        every = list(jobs)
        run_jobs(every, self.out / "jobs", self.processes)
        return self._mark([Path(job.checkpoint) for job in every], tuning=tuning)

    def _mark(self, folders: Sequence[Path], *, tuning: bool) -> list[Marks]:
        size = self.size
        first, count = (0, size.tuning) if tuning else (size.tuning, size.reported)
        return mark_all(folders, first, count, size.samples, self.out / "answers", self.processes)


def _of_set(built: Built) -> dict[str, Any]:
    cost = asdict(built.cost) | {"tokens": built.cost.tokens}
    return {"asked": built.problems, **cost, **quality(built.rows), "digest": built.digest}


def _of_arm(marks: Sequence[Marks], start: Marks) -> dict[str, Any]:
    figures = {
        way: asdict(mean(_values(marks, way))) | {"seeds": _values(marks, way).mean(1).tolist()}
        for way in WAYS
    }
    return figures | {"from_start": _apart(marks, [start])}


def _apart(ours: Sequence[Marks], theirs: Sequence[Marks]) -> dict[str, Any]:
    return {way: asdict(difference(_values(ours, way), _values(theirs, way))) for way in WAYS}


def _values(marks: Sequence[Marks], way: str) -> Values:
    """(seeds, problems)."""
    return np.array([getattr(one, way) for one in marks])


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the experiment, prints its tables, and leaves steps.json in DIR."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--small", action="store_true", help="a few minutes' trial of it all")
    parser.add_argument("--processes", type=int, default=2, help="how many train at once")
    chosen = parser.parse_args(arguments)
    if not PYTHON.is_file():
        parser.error(".venv-trainers is not there: `sh tools/trainer_env.sh` makes it")
    size = SMALL if chosen.small else Size()
    report = Experiment(chosen.out.resolve(), size, chosen.processes).run()
    text = json.dumps(report, indent=1) + "\n"
    (chosen.out / "steps.json").write_text(text, encoding="utf-8")
    print("\n\n".join(tables(report).values()))


if __name__ == "__main__":
    main()
