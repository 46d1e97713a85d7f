"""What selecting and publishing cost, beside a bare read and write of the same rows.

    python bench/selection.py [--responses 200000 2000000] [--repeat 1]

A step that is measured is a process of its own, imports included. `bare, scored` reads the table of
scored responses by Arrow and writes it again; `bare, evidence` does so with all the tables that a
version holds beside its pairs (prompts, responses, judgments). `select` scores, pairs, filters and
selects; `publish` does that and writes the version: pairs with their texts, the evidence and every
drop, sorted and checked. Ratios are to the CPU of `bare, scored`.
"""

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bench.measure import Cost, measure, median  # noqa: E402

RECIPES = {
    "best_worst, margin": """
[[pairings]]
kind = "best_worst"
[[filters]]
kind = "margin"
min = 2
""",
    "all_pairs, margin, one_per_prompt": """
[[pairings]]
kind = "all_pairs"
[[filters]]
kind = "margin"
min = 2
[[selectors]]
kind = "one_per_prompt"
""",
}
HEAD = """
name = "bench"
[sources.questions]
kind = "jsonl"
path = "questions.jsonl"
[prompts]
text = "question"
[models.small]
kind = "scripted"
default = "x"
[[samplers]]
kind = "independent"
model = "small"
n = 4
[[judges]]
kind = "rating"
model = "small"
"""
EVIDENCE = ("prompts", "responses", "judgments")


def python(script: str, *arguments: str | Path) -> Cost:
    return measure([sys.executable, str(ROOT / "bench" / script), *map(str, arguments)])


def one_run(evidence: Path, place: Path) -> dict[str, Cost]:
    """The costs of each step on the same staged evidence."""
    out = place / "bare"
    out.mkdir(exist_ok=True)
    costs = {
        "bare, scored": python("bare_tables.py", evidence / "bare", out, "scored"),
        "bare, evidence": python("bare_tables.py", evidence / "bare", out, *EVIDENCE),
    }
    for number, (name, parts) in enumerate(RECIPES.items()):
        recipe = place / f"recipe{number}.toml"
        recipe.write_text(HEAD + parts)
        for step in ("select", "publish"):
            with tempfile.TemporaryDirectory(dir=place) as store:
                arguments = (evidence, recipe, store, step)
                costs[f"{step}: {name}"] = python("selection_build.py", *arguments)
    return costs


def report(responses: int, costs: dict[str, Cost]) -> None:
    bare = costs["bare, scored"].cpu_s
    print(f"\n{responses:,} scored responses")
    print(f"{'':42} {'CPU s':>7} {'x bare':>7} {'wall s':>7} {'peak MiB':>9}")
    for name, cost in costs.items():
        print(
            f"{name:42} {cost.cpu_s:7.1f} {cost.cpu_s / bare:7.2f} {cost.wall_s:7.1f}"
            f" {cost.peak_mib:9.0f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="See the head of this file.")
    parser.add_argument("--responses", type=int, nargs="+", default=[200_000, 2_000_000])
    parser.add_argument("--repeat", type=int, default=1)
    options = parser.parse_args()
    for responses in options.responses:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            (place / "questions.jsonl").write_text('{"question": "x"}\n')
            python("selection_evidence.py", str(responses // 4), place / "evidence")
            runs = [one_run(place / "evidence", place) for _ in range(options.repeat)]
            report(responses, {name: median([run[name] for run in runs]) for name in runs[0]})


if __name__ == "__main__":
    main()
