"""A small recipe, complete with its files: 24 sums, each answered rightly and wrongly."""

import json
from pathlib import Path

import pytest

RECIPE = """\
name = "sums"
seed = 1

[sources.sums]
kind = "jsonl"
path = "sums.jsonl"

[prompts]
text = "question"
reference = "answer"

[models.pupil]
kind = "scripted"
table = "answers.jsonl"
window = 1

[[samplers]]
kind = "independent"
model = "pupil"
n = 8

[[judges]]
kind = "verifier"
answer = "number"

[[pairings]]
kind = "correct_wrong"
max_per_prompt = 1
"""

SUMS = 24


def jsonl(rows: list[dict[str, str]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """The recipe's path. Every sum has a row that repeats it, and one row is no JSON."""
    rows, answers = [], []
    for number in range(SUMS):
        question = f"What is {number} + 1?"
        right, wrong = f"It is {number + 1}.", f"I would say {number + 2}, or so I was told."
        rows += 2 * [{"question": question, "answer": str(number + 1)}]
        answers += [{"prompt": question, "answer": answer} for answer in (right, wrong)]
    (tmp_path / "sums.jsonl").write_text(jsonl(rows) + "{no json\n")
    (tmp_path / "answers.jsonl").write_text(jsonl(answers))
    path = tmp_path / "sums.toml"
    path.write_text(RECIPE)
    return path
