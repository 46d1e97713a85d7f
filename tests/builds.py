"""Small builds for tests: a recipe in a folder, its prompts in a file, and how to run it."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipelines.build import Outcome, run_build
from pipelines.calls.meter import Meter
from pipelines.recipe import Recipe, read_recipe

OVER_HTTP = """
name = "trial"
seed = 3

[sources.questions]
kind = "jsonl"
path = "questions.jsonl"

[prompts]
text = "question"
key = "id"

[models.policy]
kind = "openai_api"
base_url = "{url}"
identity = "loopback"
policy = "on"
window = 8
sampling = {{ temperature = 0.8, max_tokens = 64 }}

[models.critic]
kind = "openai_api"
base_url = "{url}"
identity = "loopback"
window = 8

[[samplers]]
kind = "independent"
model = "policy"
n = 4

[[judges]]
kind = "rating"
model = "critic"
scale = [1, 10]

[[pairings]]
kind = "best_worst"

[[filters]]
kind = "margin"
min = 2
"""


def write_questions(folder: Path, numbers: Iterable[int]) -> None:
    """`questions.jsonl`: one question for each number."""
    rows = [{"id": number, "question": f"How much is {number} and 1?"} for number in numbers]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "questions.jsonl").write_text(lines, encoding="utf-8")


def write_recipe(folder: Path, text: str) -> Path:
    """`recipe.toml` in `folder`."""
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return path


def run(folder: Path, *overrides: str, store: str = "store") -> tuple[Outcome, Meter]:
    """Builds the recipe in `folder` into a store beside it."""
    meter = Meter()
    return run_build(read(folder, *overrides), folder / store, meter), meter


def read(folder: Path, *overrides: str) -> Recipe:
    """The recipe in `folder`."""
    return read_recipe(folder / "recipe.toml", overrides)


def published(outcome: Outcome, table: str) -> list[dict[str, Any]]:
    """The rows of a published table."""
    import pyarrow.parquet as pq

    assert outcome.version is not None
    files = outcome.version.files(table)
    return [row for file in files for row in pq.read_table(file).to_pylist()]
