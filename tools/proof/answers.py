"""How often a checkpoint answers right: greedily, and at the temperature of the pairs.

A problem's samples are drawn with the same random numbers from every checkpoint, so differences
between checkpoints are differences on the same problems under the same luck.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.engine.ask import Draw
from pipelines.engine.checkpoint import Checkpoint
from pipelines.engine.model import Model, load_model
from pipelines.engine.worker import Worker
from pipelines.judging.answers import equal_answers, find_answer
from pipelines.shipped import shipped
from schemas.canonical import draw_integer
from schemas.rows import Message

TEMPERATURE = 0.8
LONGEST = 112
"""Tokens of an answer."""
AT_ONCE = 256
"""Samples that are decoded together."""

HELD_OUT = "prompts/sums_held_out.jsonl"


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem that no training has seen."""

    id: str
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Marks:
    """How often each problem was answered right, by two ways of answering: shares in [0, 1]."""

    sampled: NDArray[np.float64]
    greedy: NDArray[np.float64]


def held_out(first: int, count: int) -> list[Problem]:
    """`count` of the shipped held-out problems, from place `first`."""
    lines = shipped(HELD_OUT).read_text(encoding="utf-8").splitlines()
    problems = [Problem(**json.loads(line)) for line in lines[first : first + count]]
    if len(problems) < count:
        raise ValueError(f"{HELD_OUT} holds {len(lines)} problems, and {first + count} are wanted")
    return problems


def mark(folder: Path, problems: Sequence[Problem], samples: int) -> Marks:
    """The marks of the checkpoint in `folder`."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    model = load_model(Checkpoint(folder))
    worker = Worker(model, AT_ONCE)
    try:
        return Marks(
            _shares(model, worker, problems, TEMPERATURE, samples),
            _shares(model, worker, problems, 0.0, 1),
        )
    finally:
        worker.close()


def _shares(
    model: Model, worker: Worker, problems: Sequence[Problem], temperature: float, samples: int
) -> NDArray[np.float64]:
    asked = [
        worker.ask(
            Draw(
                model.vocabulary.conversation([Message("user", problem.question)]),
                samples,
                draw_integer("proof", problem.id),
                temperature=temperature,
                max_tokens=LONGEST,
            )
        )
        for problem in problems
    ]
    return np.array(
        [
            np.mean([is_right(problem, sample.text) for sample in answer.result()])
            for problem, answer in zip(problems, asked, strict=True)
        ]
    )


def is_right(problem: Problem, text: str) -> bool:
    """Whether `text` answers the problem, as the verifier of a build reads it."""
    answer = find_answer("number", text)
    return answer is not None and equal_answers("number", answer, problem.answer)


def marked(folder: Path, first: int, count: int, samples: int, kept: Path) -> Marks:
    """As `mark`, for the held-out problems from `first`; remembered in the folder `kept`."""
    name = f"{Checkpoint(folder).digest()[:16]}-{first}-{count}-{samples}.json"
    file = kept / name
    if not file.exists():
        marks = mark(folder, held_out(first, count), samples)
        shares = {"sampled": marks.sampled.tolist(), "greedy": marks.greedy.tolist()}
        unfinished = file.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(shares), encoding="utf-8")
        unfinished.rename(file)
    table = json.loads(file.read_text(encoding="utf-8"))
    return Marks(np.array(table["sampled"]), np.array(table["greedy"]))
