"""Writes the shipped labelled pairs: `python -m tools.make_labelled`.

    data/labelled/sums.jsonl    id, prompt, response_a, response_b, label, category, reference

The shipped policy solves problems that no training has seen; of each that it solved both rightly
and wrongly, one right and one wrong solution become a pair. The answer says which is right, so the
labels are exact; the mistakes are a model's own. Sides are drawn by the seed. The category is the
number of steps.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq

from pipelines.build import run_build
from pipelines.recipe import make_recipe
from schemas.canonical import draw_unit

FILE = Path(__file__).parents[1] / "data" / "labelled" / "sums.jsonl"
PAIRS = 300
SEED = 20265

RECIPE: dict[str, Any] = {
    "name": "labelled",
    "seed": SEED,
    "limit": 900,
    "sources": {"sums": {"kind": "builtin", "dataset": "sums_held_out"}},
    "prompts": {"text": "question", "reference": "answer", "group": "id"},
    "models": {"policy": {"kind": "embedded"}},
    "samplers": [
        {
            "kind": "independent",
            "model": "policy",
            "n": 6,
            "sampling": {"temperature": Decimal("0.8"), "max_tokens": 96},
        }
    ],
    "judges": [{"kind": "verifier", "answer": "number"}],
    "pairings": [{"kind": "correct_wrong", "max_per_prompt": 1}],
    "filters": [{"kind": "finish_reason"}],
}


def main() -> None:
    """Builds the pairs in a store of its own, and writes the first of them."""
    rows = sorted(_pairs(), key=lambda pair: str(pair["prompt_group_id"]))[:PAIRS]
    lines = [json.dumps(_row(number, pair)) + "\n" for number, pair in enumerate(rows, 1)]
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text("".join(lines), encoding="utf-8")


def _pairs() -> Iterator[dict[str, Any]]:
    with TemporaryDirectory() as folder:
        outcome = run_build(make_recipe(Path("labelled.toml"), RECIPE), Path(folder))
        assert outcome.version is not None, outcome.failures
        references = {
            row["prompt_id"]: row["reference"]
            for file in outcome.version.files("prompts")
            for row in pq.read_table(file, columns=["prompt_id", "reference"]).to_pylist()
        }
        for file in outcome.version.files("pairs"):
            for pair in pq.read_table(file).to_pylist():
                yield pair | {"reference": references[pair["prompt_id"]]}


def _row(number: int, pair: dict[str, Any]) -> dict[str, str]:
    prompt = pair["prompt"][-1]["content"]
    sides = [pair[side][-1]["content"] for side in ("chosen", "rejected")]
    turned = draw_unit(SEED, "side", pair["pair_id"]) < 0.5
    a, b = reversed(sides) if turned else sides
    steps = len(re.findall(r", \w+ \d+", prompt))
    return {
        "id": f"sums-{number:03}",
        "prompt": prompt,
        "response_a": a,
        "response_b": b,
        "label": "b" if turned else "a",
        "category": f"{steps} steps",
        "reference": pair["reference"],
    }


if __name__ == "__main__":
    main()
