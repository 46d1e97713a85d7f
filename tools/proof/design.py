"""The design: which sets are built, what is trained on them, and what is compared.

All sets are the quickstart recipe with a larger limit, its pairing or thresholds changed: the same
answers and judgments, bought once. All have the same number of pairs, so trainings of one setting
take the same number of steps. Settings are tuned for each judge and method on its main set, with a
seed and problems apart from those reported; the other sets of the judge are then trained with them,
and so are the shuffled labels.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tools.proof.jobs import Method, Setting

Judge = Literal["verifier", "teacher"]
JUDGES: tuple[Judge, ...] = ("verifier", "teacher")

BY_VERIFIER = "score.judges=['verifier']"
ALL_PAIRS = "pairings=[{kind='all_pairs'}]"
UNFILTERED = "filters=[{kind='finish_reason'},{kind='identical'}]"
"""Without the quickstart's thresholds for the teacher's scores."""
FAR_APART = "filters.margin.min=5"
"""In nats, between the least likely tokens: e^5 is about 150 to 1. The quickstart's is 2."""

SETS: dict[str, tuple[Judge, tuple[str, ...]]] = {
    "verifier_best_worst": ("verifier", (BY_VERIFIER, UNFILTERED)),
    "verifier_all_pairs": ("verifier", (BY_VERIFIER, UNFILTERED, ALL_PAIRS)),
    "quickstart": ("teacher", ()),
    "teacher_best_worst": ("teacher", (UNFILTERED,)),
    "teacher_all_pairs": ("teacher", (UNFILTERED, ALL_PAIRS)),
    "teacher_margin": ("teacher", (ALL_PAIRS, FAR_APART)),
}
"""Set -> who labels it, and what is changed in the quickstart recipe (`--set`).

A verifier's scores are 0 and 1, so with it every margin is 1 and there is no set by margin.
"""

Grid = Mapping[Method, tuple[Setting, ...]]
"""What is tried while tuning, with one seed."""

GRID: Grid = {
    "dpo": tuple(
        Setting(rate, 1, beta) for beta in (0.3, 1.0, 3.0) for rate in (3e-5, 1e-4, 3e-4, 1e-3)
    ),
    "chosen_only": tuple(Setting(rate, 1) for rate in (1e-4, 3e-4, 1e-3, 3e-3)),
}

TUNING_SEED = 100


@dataclass(frozen=True, slots=True)
class Arm:
    """One way of training, repeated with several seeds."""

    set: str
    method: Method = "dpo"

    @property
    def judge(self) -> Judge:
        """Whose labels it learns from."""
        return SETS[self.set][0]

    @property
    def tuned_like(self) -> "Arm":
        """The arm whose tuning decides this one's setting."""
        pairs_matter = self.method in ("dpo", "shuffled")
        return Arm(MAIN[self.judge].set, "dpo" if pairs_matter else "chosen_only")

    @property
    def name(self) -> str:
        """As in the report: the set, and the method where it is not DPO.

        >>> Arm("teacher_margin", "shuffled").name
        'teacher margin, shuffled'
        """
        method = "" if self.method == "dpo" else f", {self.method}"
        return f"{self.set}{method}".replace("_", " ")


MAIN: dict[Judge, Arm] = {"verifier": Arm("verifier_best_worst"), "teacher": Arm("quickstart")}
"""The arms whose settings are tuned, and that have controls."""
CONTROLS: tuple[Method, ...] = ("shuffled", "chosen_only", "either_only")

CONTROLLED: tuple[tuple[Method, Method], ...] = (
    ("dpo", "shuffled"),
    ("chosen_only", "either_only"),
    ("dpo", "chosen_only"),
)

ARMS = (
    *map(Arm, SETS),
    *(Arm(arm.set, control) for arm in MAIN.values() for control in CONTROLS),
)

COMPARED = (
    *(
        (Arm(arm.set, one), Arm(arm.set, other))
        for one, other in CONTROLLED
        for arm in MAIN.values()
    ),
    (MAIN["teacher"], MAIN["verifier"]),
    (Arm("quickstart", "chosen_only"), Arm("verifier_best_worst", "chosen_only")),
    *((arm, MAIN[arm.judge]) for arm in map(Arm, SETS) if arm not in MAIN.values()),
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
