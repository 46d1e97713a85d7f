"""Trains the two models: `.venv-trainers/bin/python -m tools.embedded_lm.train {policy,teacher}`.

    solving ──┬── stopped early ──> policy ──> its mistakes ──┐
              └── to its end ─────> teaching ───────────────> correcting ──> teacher

The first course teaches to solve. Stopped early it makes mistakes: that is the policy. The teacher
goes on to the end. Then it learns, at lower rates, to judge, compare and revise while it keeps
solving: first on mistakes that are made up, then on the policy's own. All tasks at once from the
start do not work in this time: copying what is judged is learned before reckoning, and then
reckoning hardly ever.

A course is a seed and a number of steps. On one machine it comes out the same again.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read once, when torch is imported

import argparse
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from tools.embedded_lm.examples import SHORT, Encoded, Encoder, Examples, Mistaken, Mix
from tools.embedded_lm.met import mistakes_of
from tools.embedded_lm.model import Llama, Shape, load_model, save_model
from tools.embedded_lm.muon import Muon
from tools.embedded_lm.problems import LENGTHS
from tools.embedded_lm.tokenizer import write_tokenizer
from tools.embedded_lm.vocabulary import PAD_ID

MODELS = Path(__file__).parents[2] / "data" / "models"

BATCH = 64
"""Examples of a step."""
ROUND = 16
"""Batches are padded to multiples of so many tokens: the matrices then have few shapes."""
WARM_UP = 50
"""Steps over which the rates rise at first."""
CLIP = 1.0
"""Largest norm of the gradient of what AdamW trains."""


@dataclass(frozen=True, slots=True)
class Course:
    """What is practised, for how long, and how fast."""

    mix: Mix
    steps: int
    """Steps after which the rates are zero. A course can be stopped before."""
    seed: int
    matrix_rate: float
    """Muon's, for the matrices of the blocks."""
    other_rate: float
    """AdamW's, for embedding and norms."""
    short: float = 0.0
    """Share of the steps, the first ones, on short problems only."""
    falling: float = 0.5
    """Share of the steps, the last ones, over which the rates fall to zero."""
    mark_weight: float = 1.0
    """Weight of " yes" and " no" in the loss. They are few, and the judgment hangs on them."""
    fenced: float = 0.0
    """Share of the judged texts that stand between fences."""

    def pace(self, step: int) -> float:
        """The share of the full rates at `step`."""
        left = (self.steps - step) / (self.steps * self.falling)
        return min(1.0, (step + 1) / WARM_UP, left)


SHAPE = Shape(width=128, layers=4, heads=4, key_value_heads=2, inner=352)

SOLVING = Course({"solve": 1.0}, steps=2200, seed=1, matrix_rate=0.02, other_rate=4e-3, short=0.15)
POLICY_STOPS = 1500
"""Steps of `SOLVING` after which about half of the policy's answers are right."""
TEACHING = Course(
    {"solve": 0.25, "judge": 0.25, "compare": 0.2, "revise": 0.15, "check": 0.15},
    steps=1800,
    seed=33,
    matrix_rate=0.01,
    other_rate=2e-3,
    falling=0.7,
    mark_weight=4.0,
    fenced=0.25,
)
CORRECTING = Course(
    {"solve": 0.25, "judge": 0.3, "compare": 0.25, "revise": 0.2},
    steps=1700,
    seed=35,
    matrix_rate=0.01,
    other_rate=2e-3,
    falling=0.9,
    mark_weight=4.0,
    fenced=0.4,
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Ids (rows, time), and the weight of each next token (rows, time - 1)."""

    ids: Tensor
    weights: Tensor


class Training:
    """A model on a course: its optimizers, and the chance that draws its examples."""

    def __init__(self, model: Llama, course: Course, mistaken: Sequence[Mistaken] = ()) -> None:
        self.model = model
        self._course = course
        chance = random.Random(f"training {course.seed}")
        self._examples = Examples(chance, course.mix, course.fenced, mistaken)
        self._encoder = Encoder(course.mark_weight)
        named = list(model.named_parameters())
        is_matrix = {name: w.dim() == 2 and "embed" not in name for name, w in named}
        self._others = [weight for name, weight in named if not is_matrix[name]]
        self._muon = Muon(weight for name, weight in named if is_matrix[name])
        self._adam = torch.optim.AdamW(self._others, betas=(0.9, 0.95), weight_decay=0.0)

    def run(self, stop: int | None = None) -> None:
        """The course, to its end or to step `stop`, with a line of progress every 50 steps."""
        started, mean = time.process_time(), 0.0
        for number in range(stop or self._course.steps):
            loss = self.step(number)
            mean = 0.98 * mean + 0.02 * loss if number else loss
            if (number + 1) % 50 == 0:
                seconds = round(time.process_time() - started)
                line = {"step": number + 1, "loss": round(mean, 4), "cpu_seconds": seconds}
                print(json.dumps(line), flush=True)

    def step(self, number: int) -> float:
        """One step on fresh examples; its loss in nats a token."""
        batches = self._batches(number)
        total = sum(float(batch.weights.sum()) for batch in batches)
        loss = 0.0
        for batch in batches:
            part = self._loss(batch) / total
            part.backward()
            loss += part.item()
        self._move(self._course.pace(number))
        return loss

    def _move(self, pace: float) -> None:
        torch.nn.utils.clip_grad_norm_(self._others, CLIP)
        for group in self._adam.param_groups:
            group["lr"] = self._course.other_rate * pace
        self._muon.step(self._course.matrix_rate * pace)
        self._adam.step()
        self.model.zero_grad(set_to_none=True)

    def _loss(self, batch: Batch) -> Tensor:
        counts = batch.weights > 0
        with torch.autocast("cpu", torch.bfloat16):
            logits = self.model.logits(self.model.hidden(batch.ids)[:, :-1][counts])
        losses = functional.cross_entropy(
            logits.float(), batch.ids[:, 1:][counts], reduction="none"
        )
        return (losses * batch.weights[counts]).sum()

    def _batches(self, number: int) -> list[Batch]:
        """The examples of a step in batches of like length, which there are more of with tasks."""
        course = self._course
        lengths = SHORT if number < course.short * course.steps else LENGTHS
        drawn = [self._examples.draw(lengths) for _ in range(BATCH)]
        rows = sorted(self._encoder.encode(drawn), key=lambda row: len(row.ids))
        size = BATCH // (2 if len(course.mix) == 1 else 4)
        return [padded(rows[start : start + size]) for start in range(0, BATCH, size)]


def padded(rows: list[Encoded]) -> Batch:
    """The rows as one batch, filled up on the right."""
    time = -(-max(len(row.ids) for row in rows) // ROUND) * ROUND
    ids = torch.full((len(rows), time), PAD_ID)
    weights = torch.zeros(len(rows), time)
    for number, row in enumerate(rows):
        ids[number, : len(row.ids)] = torch.tensor(row.ids)
        weights[number, row.start : len(row.ids)] = torch.tensor(row.weights)
    return Batch(ids, weights[:, 1:])


def new_model(shape: Shape, seed: int) -> Llama:
    """A model with random weights."""
    torch.manual_seed(seed)
    return Llama(shape)


def save(model: Llama, folder: Path) -> None:
    """Writes the model and its tokenizer, ready to be loaded."""
    save_model(model, folder)
    write_tokenizer(folder)


def train_policy(folder: Path) -> None:
    """Trains the policy into `folder`."""
    training = Training(new_model(SHAPE, SOLVING.seed), SOLVING)
    training.run(stop=POLICY_STOPS)
    save(training.model, folder)


def train_teacher(folder: Path) -> None:
    """Trains the teacher into `folder`, after the policy that stands beside it.

    Each course begins with the float16 weights that the one before it left in the folder.
    """
    training = Training(new_model(SHAPE, SOLVING.seed), SOLVING)
    training.run()
    save(training.model, folder)
    training = Training(load_model(folder), TEACHING)
    training.run()
    save(training.model, folder)
    training = Training(load_model(folder), CORRECTING, mistakes_of(folder.parent / "policy"))
    training.run()
    save(training.model, folder)


def main() -> None:
    """Trains the model that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=("policy", "teacher"))
    parser.add_argument("--out", type=Path, default=MODELS, help="the folder of models")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    train = {"policy": train_policy, "teacher": train_teacher}[chosen.model]
    train(chosen.out / chosen.model)


if __name__ == "__main__":
    main()
