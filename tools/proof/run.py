"""Does the whole proof: `python -m tools.proof.run --out DIR [--small]`.

Needs `.venv-trainers` (`sh tools/trainer_env.sh` makes it). Writes report.md and report.json into
DIR; a run that was stopped goes on with the same command.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from pipelines.engine.checkpoint import find_checkpoint
from tools.proof.answers import Marks
from tools.proof.design import ARMS, JUDGES, MAIN, SMALL, TUNING_SEED, Arm, Size
from tools.proof.jobs import Job, Setting, checkpoint_name
from tools.proof.processes import PYTHON, ROOT, mark_all, run_jobs
from tools.proof.report import Findings, Tried, tables
from tools.proof.sets import PairSet, build_sets

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Training:
    """An arm, trained with one setting and one seed."""

    arm: Arm
    setting: Setting
    seed: int


class Proof:
    """A run of the proof, in one folder."""

    def __init__(self, out: Path, size: Size, processes: int) -> None:
        self.out, self.size, self.processes = out, size, processes
        self.start = find_checkpoint("policy", ROOT)
        self.sets: dict[str, PairSet] = {}
        for name in ("trained", "answers", "jobs"):
            (out / name).mkdir(parents=True, exist_ok=True)

    def run(self) -> Findings:
        """Everything, one judge after the other."""
        tuned: list[Tried] = []
        chosen: dict[Arm, Setting] = {}
        trained: dict[Arm, list[Marks]] = {}
        for judge in JUDGES:
            build = partial(build_sets, judge, self.out, self.size)
            self.sets |= timed(f"building the sets of the {judge}", build)
            tried = timed("tuning", partial(self._tune, MAIN[judge]))
            best = best_settings(tried)
            tuned += tried
            arms = {arm: best[arm.tuned_like] for arm in ARMS if arm.judge == judge}
            chosen |= arms
            trained |= timed("training and answering", partial(self._train_arms, arms))
        (before,) = self._mark([self.start.folder], 0, self.size.tuning)
        (start,) = self._mark([self.start.folder], self.size.tuning, self.size.reported)
        in_order = {arm: trained[arm] for arm in ARMS}
        return Findings(self.size, self.sets, tuned, chosen, before, start, in_order)

    def _tune(self, main: Arm) -> list[Tried]:
        """Every setting of the grid, on the problems for tuning."""
        trainings = [
            Training(Arm(main.set, method), setting, TUNING_SEED)
            for method, settings in self.size.grid.items()
            for setting in settings
        ]
        self._train(trainings)
        marks = self._mark(map(self._checkpoint, trainings), 0, self.size.tuning)
        return [
            Tried(training.arm, training.setting, float(one.sampled.mean()))
            for training, one in zip(trainings, marks, strict=True)
        ]

    def _train_arms(self, settings: Mapping[Arm, Setting]) -> dict[Arm, list[Marks]]:
        """Every arm with every seed, on the problems for the report."""
        seeds = range(self.size.seeds)
        trainings = [Training(arm, settings[arm], seed) for arm in settings for seed in seeds]
        self._train(trainings)
        folders = map(self._checkpoint, trainings)
        marks = iter(self._mark(folders, self.size.tuning, self.size.reported))
        return {arm: [next(marks) for _ in seeds] for arm in settings}

    def _checkpoint(self, training: Training) -> Path:
        digests = (self.start.digest(), self._set(training).digest)
        method, setting = training.arm.method, training.setting
        name = checkpoint_name(digests, method, setting, training.seed)
        return self.out / "trained" / name

    def _set(self, training: Training) -> PairSet:
        return self.sets[training.arm.set]

    def _train(self, trainings: Sequence[Training]) -> None:
        """Trains what is not there yet."""
        jobs = [self._job(one) for one in trainings]
        run_jobs(jobs, self.out / "jobs", self.processes)

    def _job(self, training: Training) -> Job:
        setting = training.setting
        return Job(
            start=str(self.start.folder),
            pairs=str(self._set(training).folder),
            method=training.arm.method,
            rate=setting.rate,
            epochs=setting.epochs,
            beta=setting.beta,
            seed=training.seed,
            checkpoint=str(self._checkpoint(training)),
        )

    def _mark(self, folders: Iterable[Path], first: int, count: int) -> list[Marks]:
        """The marks of each checkpoint."""
        kept = self.out / "answers"
        return mark_all(folders, first, count, self.size.samples, kept, self.processes)


def timed(what: str, work: Callable[[], T]) -> T:
    """What `work` returns; says how long it took."""
    started = time.monotonic()
    done = work()
    print(f"{what}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return done


def best_settings(tuned: Iterable[Tried]) -> dict[Arm, Setting]:
    """The best setting of each arm that was tuned; of equals, the first."""
    best: dict[Arm, Tried] = {}
    for one in tuned:
        if one.arm not in best or one.sampled > best[one.arm].sampled:
            best[one.arm] = one
    return {arm: one.setting for arm, one in best.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the proof."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--small", action="store_true", help="a few minutes' trial of it all")
    parser.add_argument("--processes", type=int, default=2, help="how many train at once")
    chosen = parser.parse_args(arguments)
    if not PYTHON.is_file():
        parser.error(".venv-trainers is not there: `sh tools/trainer_env.sh` makes it")
    size = SMALL if chosen.small else Size()
    report = Proof(chosen.out.resolve(), size, chosen.processes).run().to_json()
    text = "\n\n".join(tables(report).values())
    (chosen.out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    (chosen.out / "report.md").write_text(f"{text}\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
