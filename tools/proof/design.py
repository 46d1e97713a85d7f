"""The design: which sets are built, what is trained on them, and what is compared.

Settings are tuned for each judge and method on its best-worst set, with a seed and problems apart
from those reported; every pairing of a judge is then trained with the setting of its best-worst
set, and so are its shuffled labels. All sets have the same number of pairs, so all trainings of one
setting take the same number of steps.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tools.proof.jobs import Method, Setting

JUDGES = ("verifier", "teacher")
SETS = (
    "verifier_best_worst",
    "verifier_all_pairs",
    "teacher_best_worst",
    "teacher_margin",
    "teacher_all_pairs",
)
"""Recipes in `recipes/`. A verifier's scores are 0 and 1: with it, every margin is 1."""

Grid = Mapping[Method, tuple[Setting, ...]]
"""What is tried while tuning, with one seed."""

GRID: Grid = {
    "dpo": tuple(Setting(rate, 1, beta) for beta in (0.3, 1.0) for rate in (3e-5, 1e-4)),
    "chosen_only": tuple(Setting(rate, 1) for rate in (3e-4, 1e-3, 3e-3)),
}

TUNING_SEED = 100


@dataclass(frozen=True, slots=True)
class Arm:
    """One way of training, repeated with several seeds."""

    set: str
    method: Method = "dpo"

    @property
    def judge(self) -> str:
        """Whose labels it learns from."""
        return self.set.partition("_")[0]

    @property
    def tuned_like(self) -> "Arm":
        """The arm whose tuning decides this one's setting."""
        method: Method = "chosen_only" if self.method == "chosen_only" else "dpo"
        return Arm(f"{self.judge}_best_worst", method)

    @property
    def name(self) -> str:
        """As in the report: the set, and the method where it is not DPO.

        >>> Arm("teacher_best_worst", "shuffled").name
        'teacher best worst, shuffled'
        """
        method = "" if self.method == "dpo" else f", {self.method}"
        return f"{self.set}{method}".replace("_", " ")


VERIFIER, TEACHER = (Arm(f"{judge}_best_worst") for judge in JUDGES)
CONTROLS: tuple[Method, ...] = ("shuffled", "chosen_only")

ARMS = (
    *(Arm(name) for name in SETS),
    *(Arm(arm.set, control) for arm in (VERIFIER, TEACHER) for control in CONTROLS),
)

COMPARED = (
    *((arm, Arm(arm.set, control)) for control in CONTROLS for arm in (VERIFIER, TEACHER)),
    (VERIFIER, TEACHER),
    (Arm("verifier_all_pairs"), VERIFIER),
    (Arm("teacher_all_pairs"), TEACHER),
    (Arm("teacher_margin"), TEACHER),
)
"""Differences that are reported beside those from the start: the first minus the second."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done."""

    prompts: int = 3400
    """Problems that the policy answers."""
    pairs: int = 2000
    """Most pairs of each set."""
    seeds: int = 3
    """Trainings of each arm."""
    tuning: int = 500
    """Held-out problems that settings are chosen by: the first so many."""
    reported: int = 1500
    """Held-out problems that the report is about: those that follow."""
    samples: int = 4
    """Answers to each problem at temperature 0.8, besides the greedy one."""
    grid: Grid = field(default_factory=lambda: GRID)


SMALL = Size(
    prompts=20,
    pairs=100,
    seeds=1,
    tuning=10,
    reported=20,
    samples=2,
    grid={"dpo": (Setting(1e-4, 1, 0.1),), "chosen_only": (Setting(1e-4, 1),)},
)
"""To see that it all runs: it shows nothing."""
