"""Check a judge: hold it against labelled pairs before its judgments count.

For example:
    pairwright judge check quickstart --on sums
    pairwright judge check my.toml --on labelled.jsonl --judge rating --sample 200
    pairwright judge check my.toml --on said.csv --judge gpt4 --column winner_ab=verdict

LABELLED is a .jsonl, .csv, .parquet or .duckdb file, or the name of a shipped one ("sums"). A row
has a prompt (or messages), response_a, response_b and label (a, b or tie), or chosen and rejected;
and may have system, tools, reference, category. A table with winner_ab and winner_ba (A, B, tie or
nothing, letters as shown) holds what a judge has said already: then nothing is called.

What is bought is kept in the store's ledger, and the figures under calibrations/ in the store:
`[gates] judge_accuracy = ">= 0.7"` in a recipe lets no judge decide that has not shown as much.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flows.commands.build import remote_models, say
from flows.judging.asking import Owing
from flows.options.numbers import positive
from flows.options.recipe import add_recipe

if TYPE_CHECKING:
    from pipelines.calibration.labelled import LabelSet
    from pipelines.judge import Judge
    from pipelines.recipe import Recipe

DONE, UNUSABLE, BUDGET, OWED = 0, 2, 4, 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the action takes."""
    add_recipe(parser)
    add = parser.add_argument
    add("--on", metavar="LABELLED", required=True, help="the labelled pairs")
    add("--judge", metavar="NAME", action="append", default=[], dest="judges",
        help="check this judge; may be repeated (default: those that decide pairs)")  # fmt: skip
    add("--choose", metavar="TEMPLATE", nargs="+", type=Path, default=[],
        help="try these templates, and keep the most accurate; without labels, the fairest")  # fmt: skip
    add(
        "--paraphrase",
        metavar="MODEL",
        help="let this model of the recipe put the best template into other words, and keep the best",
    )
    add("--epochs", metavar="N", type=positive, default=5, help="rounds of it (default: 5)")
    add("--per-epoch", metavar="N", type=positive, default=5, help="each of N (default: 5)")
    add("--column", metavar="FIELD=COLUMN", action="append", default=[], dest="columns",
        help="what a field is called in LABELLED, as in prompt=question; may be repeated")  # fmt: skip
    add("--spelling", metavar="SIDE=TEXT", action="append", default=[], dest="spellings",
        help="how it writes verdicts, as in a=1 or tie=0,Tie; may be repeated")  # fmt: skip
    add("--query", metavar="SQL", help="a SELECT that shapes LABELLED first; FROM labelled")
    add("--sample", metavar="N", type=positive, help="a seeded sample of N pairs")
    add("--format", choices=("text", "json"), default="text", help="default: text")
    add("--yes", action="store_true", help="call remote endpoints without asking first")


def run(chosen: argparse.Namespace) -> int:
    """Checks and prints. Returns 0, 4 (the budget is reached) or 5 (calls are owed)."""
    from flows.commands.doctor import line
    from flows.judging.checks import check, in_format
    from flows.judging.choose import choose
    from flows.options.shipped_recipes import find_recipe
    from pipelines.calibration.check import judges_to_check
    from pipelines.calls.meter import Meter
    from pipelines.health.endpoint import unlisted
    from pipelines.recipe import read_recipe

    recipe = read_recipe(find_recipe(chosen.recipe), chosen.overrides)
    labels = _labels(chosen, recipe)
    judges = judges_to_check(recipe, chosen.judges, labels)
    asked = {name for judge in judges.values() for name in judge.models()}
    for found in unlisted([recipe.models[name] for name in sorted(asked)]):
        say(line(found))
    if not agreed(chosen, recipe, judges, labels):
        return UNUSABLE
    try:
        if chosen.choose or chosen.paraphrase:
            print(choose(chosen, recipe, judges, labels))
        else:
            print(in_format(chosen, check(chosen, recipe, judges, labels, Meter())))
    except Owing as owing:
        say(str(owing))
        return BUDGET if owing.budget_reached else OWED
    return DONE


def agreed(
    chosen: argparse.Namespace, recipe: "Recipe", judges: "dict[str, Judge]", labels: "LabelSet"
) -> bool:
    """Whether remote endpoints may be called: asked on a terminal only."""
    if chosen.yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    if labels.is_recorded:
        return True
    called = {model for judge in judges.values() for model in judge.models()} | {chosen.paraphrase}
    remote = {name: place for name, place in remote_models(recipe).items() if name in called}
    for name, endpoint in remote.items():
        say(f"This check may call {name} at {endpoint} for {len(labels.pairs):,} pairs.")
    if not remote:
        return True
    print("Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    say("nothing was called")
    return False


def _labels(chosen: argparse.Namespace, recipe: "Recipe") -> "LabelSet":
    from pipelines.calibration.read import read_labelled

    labels = read_labelled(
        _file(chosen.on),
        chosen.columns,
        chosen.spellings,
        query=chosen.query,
        seed=recipe.head.seed,
        labelled=not (chosen.choose or chosen.paraphrase),
    )
    return labels.sampled(chosen.sample, recipe.head.seed)


def _file(given: str) -> Path:
    """The file, or the shipped one of that name. Raises RecipeError for neither."""
    from pipelines.errors import RecipeError, nearest
    from pipelines.shipped import shipped

    path = Path(given)
    if path.suffix or path.exists():
        return path
    own = {file.stem: file for file in shipped("labelled").glob("*.jsonl")}
    if given not in own:
        raise RecipeError(f"{given}: no such file, nor shipped labels; {nearest(given, own)}")
    return own[given]
