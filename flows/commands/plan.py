"""Tell what a build would still call and cost, before it calls anything.

For example:
    pairwright plan my.toml
    pairwright plan my.toml --pilot 20

What the store's ledger holds already is subtracted. Lengths of answers come from what the ledger
holds of the same part; `--pilot N` buys the answers of N prompts first (the build does not buy them
again), which tells how long replies take, too. Without either lengths are assumed, and marked so.

Of models that a build would still call it asks for their list (a GET, which costs nothing) and says
where a server or a name is missing; of all models, where a key is, which a build that pays wants.

"At the most" is what a budget would reserve: answers as long as max_tokens, and every judgment
asked for again. Tokens are characters over those of a token in the replies that the ledger holds of
the same part; over 4 where it holds none.
"""

import argparse
import sys

from flows.options.numbers import positive, whole
from flows.options.recipe import add_recipe
from flows.options.store import suggested


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_recipe(parser)
    parser.add_argument(
        "--pilot", metavar="N", type=whole, default=0, help="buy the answers of N prompts first"
    )
    parser.add_argument(
        "--units",
        metavar="N",
        type=positive,
        default=2000,
        help="count on N prompts (default: 2000)",
    )
    parser.add_argument(
        "--answer-tokens",
        metavar="N",
        type=positive,
        default=400,
        help="length of an answer where none is known yet (default: 400)",
    )
    parser.add_argument(
        "--judge-tokens",
        metavar="N",
        type=positive,
        default=150,
        help="length of a judge's reply where none is known yet (default: 150)",
    )


def run(chosen: argparse.Namespace) -> int:
    """Prints the plan; 0."""
    from flows.commands.doctor import line
    from flows.options.shipped_recipes import find_recipe
    from flows.texts.plain import counted
    from flows.texts.plan import plan_text
    from pipelines.calibration.gate import JudgeGate
    from pipelines.calls.meter import Meter
    from pipelines.health.endpoint import called, check_briefly, unkeyed
    from pipelines.planning.forecaster import Lengths
    from pipelines.planning.plan import make_plan
    from pipelines.publishing.store import Store
    from pipelines.recipe import read_recipe

    recipe = read_recipe(find_recipe(chosen.recipe), chosen.overrides)
    if chosen.pilot:
        for check in check_briefly(called(recipe)):
            print(line(check), file=sys.stderr)
    lengths = Lengths(chosen.answer_tokens, chosen.judge_tokens)
    store, meter = Store(chosen.store), Meter()
    plan = make_plan(recipe, store, lengths, units=chosen.units, pilot=chosen.pilot, meter=meter)
    print(plan_text(plan, recipe))
    owing = {part.model for part in plan.parts}
    lacking = check_briefly([model for model in called(recipe) if model.name in owing])
    if owing:  # then a build wants every key
        lacking += unkeyed(one for one in recipe.models.values() if one.name not in owing)
    if lacking:
        print("\nwhat a build would meet:", *map(line, lacking), sep="\n")
    for failure in JudgeGate(recipe, store).failures():
        print(f"\na gate will refuse the build: {failure}")
    if meter.refused_requests:
        refused = counted(meter.refused_requests, "request")
        retry = suggested(chosen.store, "retry", chosen.recipe)
        print(f"{refused} of the pilot were refused: `{retry}` says why", file=sys.stderr)
    if meter.units_owed:
        print(f"{meter.units_owed} prompts of the pilot owe calls", file=sys.stderr)
    return 0
