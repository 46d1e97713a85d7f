"""Tell what a build would still call and cost, before it calls anything.

For example:
    pairwright plan my.toml
    pairwright plan my.toml --pilot 20

What the store's ledger holds already is subtracted. Lengths of answers come from what the ledger
holds of the same part; `--pilot N` buys the answers of N prompts first (the build does not buy them
again). Without either they are assumed, and marked so.
"""

import argparse
import sys
from typing import TYPE_CHECKING

from flows.recipe_option import add_recipe

if TYPE_CHECKING:
    from pipelines.planning.estimate import Estimate
    from pipelines.planning.plan import PartPlan, Plan
    from pipelines.recipe import Recipe

HEAD = ("part", "model", "calls", "samples", "tokens in", "tokens out", "money")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_recipe(parser)
    parser.add_argument(
        "--pilot", metavar="N", type=_whole, default=0, help="buy the answers of N prompts first"
    )
    parser.add_argument(
        "--units",
        metavar="N",
        type=_positive,
        default=2000,
        help="count on N prompts (default: 2000)",
    )
    parser.add_argument(
        "--answer-tokens",
        metavar="N",
        type=_positive,
        default=400,
        help="length of an answer where none is known yet (default: 400)",
    )
    parser.add_argument(
        "--judge-tokens",
        metavar="N",
        type=_positive,
        default=150,
        help="length of a judge's reply where none is known yet (default: 150)",
    )


def _whole(given: str, least: int = 0) -> int:
    number = int(given)
    if number < least:
        raise argparse.ArgumentTypeError(f"a number of at least {least} is wanted, not {given}")
    return number


def _positive(given: str) -> int:
    return _whole(given, 1)


def run(chosen: argparse.Namespace) -> int:
    """Prints the plan; 0."""
    from flows.shipped_recipes import find_recipe
    from pipelines.meter import Meter
    from pipelines.planning.forecaster import Lengths
    from pipelines.planning.plan import make_plan
    from pipelines.publishing.store import Store
    from pipelines.recipe import read_recipe

    recipe = read_recipe(find_recipe(chosen.recipe), chosen.overrides)
    lengths = Lengths(chosen.answer_tokens, chosen.judge_tokens)
    store, meter = Store(chosen.store), Meter()
    plan = make_plan(recipe, store, lengths, units=chosen.units, pilot=chosen.pilot, meter=meter)
    print(plan_in_words(plan, recipe))
    if meter.units_owed:
        print(f"{meter.units_owed} prompts of the pilot owe calls", file=sys.stderr)
    return 0


def plan_in_words(plan: "Plan", recipe: "Recipe") -> str:
    """The plan as a table, and what it means."""
    from flows.plain_text import aligned, counted

    rows = [HEAD, *(_row(part) for part in plan.parts)]
    counted_on = f", counted on {plan.sampled_units:,}" if plan.sampled_units < plan.units else ""
    held = f"{counted(round(plan.replayed), 'sample')} in the ledger already"
    lines = [
        f"{counted(plan.units, 'prompt')}{counted_on}; {held}",
        "",
        aligned(rows) if plan.parts else "Nothing is left to call.",
    ]
    if any(part.completion_tokens.plus_minus is None for part in plan.parts):
        lines += ["", "* assumed lengths: `--pilot 20` measures them"]
    if plan.parts:
        lines += ["", *_bounds(plan, recipe)]
    return "\n".join(lines)


def _row(part: "PartPlan") -> tuple[str, ...]:
    return (
        part.part,
        part.model,
        _figure(part.calls),
        _figure(part.samples),
        _figure(part.prompt_tokens),
        _figure(part.completion_tokens),
        "no prices" if part.money is None else _money(part.money),
    )


def _figure(estimate: "Estimate") -> str:
    from flows.plain_text import short

    if estimate.plus_minus is None:
        return f"{short(estimate.value)} *"
    exact = f"{round(estimate.value):,}"
    if estimate.plus_minus < 0.5:
        return exact
    return f"{short(estimate.value)} ± {short(estimate.plus_minus)}"


def _money(estimate: "Estimate") -> str:
    if estimate.plus_minus is None:
        return f"{estimate.value:.2f} *"
    return f"{estimate.value:.2f} ± {estimate.plus_minus:.2f}"


def _bounds(plan: "Plan", recipe: "Recipe") -> list[str]:
    from flows.plain_text import short

    most = sum(part.most_tokens for part in plan.parts)
    lines = [f"at the most, as a budget reserves it: {short(most)} tokens"]
    money = plan.money()
    if money is not None:
        lines.insert(0, f"all together: {_money(money)}")
    expected = {
        "calls": sum(part.calls.value for part in plan.parts),
        "tokens": sum(
            part.prompt_tokens.value + part.completion_tokens.value for part in plan.parts
        ),
        "money": money.value if money is not None else None,
    }
    for name, value in expected.items():
        limit = getattr(recipe.budget, name)
        if limit is not None and value is not None:
            verdict = "is expected to be reached" if value > limit else "should do"
            lines.append(f"[budget] {name} = {limit:g} {verdict}")
    return lines
