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
from typing import TYPE_CHECKING, Any

from flows.commands.build import remote_models, say
from flows.options.numbers import positive
from flows.options.recipe import add_recipe
from flows.options.store import suggested
from flows.texts.plain import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.calibration.labelled import LabelSet
    from pipelines.calibration.run import Run
    from pipelines.calls.meter import Meter
    from pipelines.judge import Judge
    from pipelines.recipe import Recipe
    from schemas.calibration import Calibration

    Kept = tuple[Calibration, Path, str]

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


class Owing(Exception):
    """Calls are owed, so that nothing can be said of a judge yet."""

    def __init__(self, found: "Run", meter: "Meter") -> None:
        owing = counted(len(found.owed), "pair owes calls", "pairs owe calls")
        bought = counted(meter.samples_paid, "sample")
        super().__init__(
            f"not checked: {owing}, for example {found.owed[0]}\n"
            f"{bought} bought in this run, which are kept. Run the same command to go on."
        )
        self.budget_reached = found.budget_reached


def _refuse_refused(calibration: "Calibration", chosen: argparse.Namespace) -> None:
    """Raises BackendError where a judge was refused each of its requests: it has said nothing."""
    from pipelines.errors import BackendError
    from pipelines.judging.refusal import REQUEST_REFUSED

    unread = calibration.unread
    if calibration.figures["read"].value or not unread:
        return
    if all(why.startswith(REQUEST_REFUSED) for why in unread):
        said = next(iter(unread)).removeprefix(REQUEST_REFUSED)
        retry = suggested(chosen.store, "retry", "--failed")
        raise BackendError(
            f"not checked: the endpoint of judge {calibration.judge} refused every request: {said}\n"
            f"`pairwright doctor {chosen.recipe}` looks at key, address and model. A refusal is kept, "
            f"and not asked again; once its cause is gone, `{retry}` has it asked."
        )


def check(
    chosen: argparse.Namespace,
    recipe: "Recipe",
    judges: "dict[str, Judge]",
    labels: "LabelSet",
    meter: "Meter",
    also_seen: "Sequence[str]" = (),
) -> "list[Kept]":
    """Checks `judges` on `labels`: what is kept, its file, what the gate says. Raises Owing."""
    from pipelines.calibration.check import calibration
    from pipelines.calibration.gate import JudgeGate
    from pipelines.calibration.stored import store_calibration
    from pipelines.publishing.store import Store

    found, store = ask(chosen, recipe, judges, labels, meter), Store(chosen.store)
    made = [
        calibration(recipe, name, labels, found.opinions[name], found.identities[name], also_seen)
        for name in judges
    ]
    for one in made:
        _refuse_refused(one, chosen)
    files = [store_calibration(store, one) for one in made]
    gate = JudgeGate(recipe, store)
    return [(one, file, gate.verdict(one.judge)) for one, file in zip(made, files, strict=True)]


def in_format(chosen: argparse.Namespace, kept: "list[Kept]") -> str:
    """What was kept, as `--format` wants it."""
    from flows.judging.check_text import calibration_text
    from flows.texts.json_values import json_text

    if chosen.format == "json":
        return json_text(as_json(kept))
    return "\n\n\n".join(calibration_text(one, _from_here(file), said) for one, file, said in kept)


def as_json(kept: "list[Kept]") -> "list[dict[str, Any]]":
    """Each calibration, with its file."""
    return [{**one.model_dump(), "file": str(file)} for one, file, _ in kept]


def ask(
    chosen: argparse.Namespace,
    recipe: "Recipe",
    judges: "dict[str, Judge]",
    labels: "LabelSet",
    meter: "Meter",
) -> "Run":
    """What the judges say, with progress. Raises Owing; and KeyboardInterrupt, once it is said."""
    from flows.progress import progress
    from pipelines.calibration.check import run_on
    from pipelines.publishing.store import Store

    try:
        with progress(meter):
            found = run_on(recipe, Store(chosen.store), judges, labels, meter)
    except KeyboardInterrupt:
        say("stopped: what was bought is kept. Run the same command to go on.")
        raise
    if found.owed:
        raise Owing(found, meter)
    return found


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


def _from_here(file: Path) -> Path:
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
