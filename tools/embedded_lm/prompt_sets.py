"""Writes the built-in problems in the models' language: `python -m tools.embedded_lm.prompt_sets`.

    data/prompts/sums_train.jsonl       id, question, answer: problems like those of the training
    data/prompts/sums_held_out.jsonl    id, question, answer: problems that no training has seen

No arithmetic stands twice, neither in one file nor in both. The seed is fixed, so the files come
out the same again. Needs the standard library only.
"""

import json
import random
from collections.abc import Callable
from pathlib import Path

from tools.embedded_lm.problems import Problem, draw_held_out, draw_train

FOLDER = Path(__file__).parents[2] / "data" / "prompts"
SEED = 20264

Draw = Callable[[random.Random], Problem]

SETS: dict[str, tuple[Draw, int]] = {
    "sums_train": (draw_train, 6000),
    "sums_held_out": (draw_held_out, 2000),
}
"""How each set is drawn, and its number of problems."""


def different(draw: Draw, count: int, chance: random.Random) -> list[Problem]:
    """`count` problems, no two with the same arithmetic."""
    found: dict[str, Problem] = {}
    while len(found) < count:
        problem = draw(chance)
        found.setdefault(problem.arithmetic, problem)
    return list(found.values())


def lines(name: str) -> list[str]:
    """The set's rows as JSON."""
    draw, count = SETS[name]
    problems = different(draw, count, random.Random(f"{SEED} {name}"))
    return [
        json.dumps({"id": f"{name}-{number:04}", "question": each.text, "answer": str(each.answer)})
        for number, each in enumerate(problems, 1)
    ]


def main() -> None:
    """Writes every set."""
    for name in SETS:
        text = "".join(f"{line}\n" for line in lines(name))
        (FOLDER / f"{name}.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
