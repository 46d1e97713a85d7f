"""Sets of step pairs and of outcome pairs: built and exported, with what they cost and are worth.

The cost of a set is counted in tokens, by the manifest of its build: those that the policy wrote,
and those that the teacher read to say how likely they are. What the policy read again in the middle
of an answer is told apart, for a server's prefix cache saves most of it.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pipelines.engine.checkpoint import find_checkpoint
from pipelines.publishing.store import Store
from tools.proof.intervals import Estimate, drawn
from tools.proof.processes import ROOT
from tools.proof.right_steps import right_step, right_throughout
from tools.proof.sets import pairwright

Row = Mapping[str, Any]

Recipe = Literal["mcts", "quickstart"]

TEACHER = "models.teacher={kind='embedded',model='teacher'}"

SEARCHES: dict[str, tuple[str, int]] = {
    "nothing_2": ("by='nothing'", 2),
    "rollouts_2": ("by='rollouts'", 2),
    "rollouts16_2": ("by='rollouts',rollouts=16", 2),
    "likelihood_2": ("by='likelihood',model='teacher'", 2),
    "nothing_4": ("by='nothing'", 4),
    "rollouts_4": ("by='rollouts'", 4),
    "likelihood_4": ("by='likelihood',model='teacher'", 4),
}
"""Search -> how it values answers so far, and how many continuations it draws after each."""

SIDES = ("chosen", "rejected")

GAP = 1
"""In units of Q, in which right and wrong answers are 2.25 apart."""

CUTS: dict[str, Callable[[Row], bool]] = {
    "all": lambda _: True,
    "visited": lambda row: min(row["n_chosen"], row["n_rejected"]) >= 2,
    "solved": lambda row: bool(row["path_correct"]),
    "solved_gap": lambda row: row["path_correct"] and row["gap"] >= GAP,
}
"""Cut -> which pairs it keeps, as `min_visits`, `only_solved` and `min_gap` of the pairing do."""

STEPS = """
    SELECT messages[-1].content AS question, step_pairs.*
    FROM step_pairs JOIN prompts USING (prompt_id) ORDER BY pair_id
"""
ANSWERS = """
    SELECT messages[-1].content AS question, pairs.prompt_id, a.text AS chosen, b.text AS rejected
    FROM pairs JOIN prompts USING (prompt_id)
    JOIN responses a ON a.response_id = chosen_response_id
    JOIN responses b ON b.response_id = rejected_response_id
    ORDER BY pair_id
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Tokens that a set took."""

    written: int
    """By the policy."""
    scored: int
    """Read by the teacher."""
    read: int
    """Read by the policy: prompts, and answers that it goes on with."""

    @property
    def tokens(self) -> int:
        """What sets are made equal by."""
        return self.written + self.scored


@dataclass(frozen=True, slots=True)
class Built:
    """A set."""

    problems: int
    """That the policy was asked."""
    cost: Cost
    rows: Sequence[Row]
    """Its pairs."""
    folder: Path
    """Its export, as tokens."""
    digest: str
    """SHA-256 of that."""


def searched(name: str, *, cut: bool) -> list[str]:
    """The changes in the recipe `mcts` for one of `SEARCHES`; `cut`: to solved ones with a gap."""
    by, n = SEARCHES[name]
    return [
        TEACHER,
        f"samplers.mcts.evaluation={{{by}}}",
        f"samplers.mcts.n={n}",
        "samplers.mcts.n_init=4",
        f"pairings.step_siblings.only_solved={str(cut).lower()}",
        f"pairings.step_siblings.min_gap={GAP if cut else 0}",
    ]


OUTCOMES = [
    "judges=[{kind='verifier',answer='number'}]",
    "score.judges=['verifier']",
    "pairings=[{kind='correct_wrong',max_per_prompt=1}]",
    "filters=[{kind='finish_reason'},{kind='identical'}]",
]
"""The changes in the quickstart's recipe: eight answers, of which a right one and a wrong one."""


def build(
    recipe: Recipe, of: str, changes: Sequence[str], out: Path, problems: int, most: int
) -> Built:
    """Builds and exports a set of up to `most` pairs. What was bought in `out` is not bought again.

    Sets `of` one kind share a store.
    """
    store, name = out / "stores" / of, f"{of}_{problems}_{most}"
    at = ["--store", str(store)]
    chosen = f"selectors=[{{kind='sample',n={most}}}]"
    whole = (f"name={name}", f"limit={problems}", "publish.splits={train=1}", chosen)
    sets = [word for change in (*whole, *changes) for word in ("--set", change)]
    pairwright("build", recipe, *at, *sets, "--yes")
    folder = out / "pairs" / name
    shutil.rmtree(folder, ignore_errors=True)
    tokenizer = f"tokenizer={find_checkpoint('policy', ROOT).folder}"
    given = ["--format", "steps", "--set", tokenizer, "--out", str(folder)]
    pairwright("export", name, *at, *given)
    query = STEPS if recipe == "mcts" else ANSWERS
    asked = pairwright("sql", query, *at, "--dataset", name, "--format", "json")
    files = sorted(folder.glob("*.parquet"))
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    return Built(problems, _cost(store, name), json.loads(asked), folder, digest)


def _cost(store: Path, name: str) -> Cost:
    run = Store(store).resolve(name).manifest.run
    spent = [*run.spent.items(), *run.before.items()]
    student = [one for model, one in spent if model == "student"]
    return Cost(
        written=sum(one.completion_tokens for one in student),
        scored=sum(one.prompt_tokens for model, one in spent if model == "teacher"),
        read=sum(one.prompt_tokens for one in student),
    )


def quality(rows: Sequence[Row]) -> dict[str, Any]:
    """What pairs are worth by arithmetic, as shares with intervals over problems.

    Of steps: whether the step is right; of answers: whether all of the chosen one is.
    """
    marks = [_marked(row) for row in rows]
    problems = [row["prompt_id"] for row in rows]
    on_right = [place for place, mark in enumerate(marks) if mark[2]]
    return {
        "pairs": len(rows),
        "problems": len(set(problems)),
        "right": asdict(share(problems, [mark[0] for mark in marks])),
        "reversed": asdict(share(problems, [mark[1] for mark in marks])),
        "after_right": len(on_right),
        "right_after_right": asdict(
            share([problems[place] for place in on_right], [marks[place][0] for place in on_right])
        ),
    }


def _marked(row: Row) -> tuple[bool, bool, bool]:
    """Whether the chosen side is right; only the rejected one is; what stands before them is."""
    question, prefix = row["question"], row.get("prefix", "")
    if "prefix" in row:
        right, other = (right_step(question, prefix, row[f"{side}_step"]) for side in SIDES)
    else:
        right, other = (right_throughout(question, row[side]) for side in SIDES)
    return right, other and not right, right_throughout(question, prefix)


def share(problems: Sequence[str], hits: Sequence[bool]) -> Estimate:
    """The share of hits, and its 95 % interval by a bootstrap over problems.

    >>> share(["a", "a", "b"], [True, True, True])
    Estimate(value=1.0, low=1.0, high=1.0)
    """
    if not hits:
        return Estimate(0.0, 0.0, 1.0)
    places = {problem: place for place, problem in enumerate(dict.fromkeys(problems))}
    at = [places[problem] for problem in problems]
    of, hit = np.bincount(at), np.bincount(at, np.asarray(hits, float))
    weights = drawn(np.random.default_rng(0), len(places))
    low, high = np.quantile(weights @ hit / (weights @ of), (0.025, 0.975))
    return Estimate(float(np.mean(hits)), float(low), float(high))
