"""Alternate building and training: each round builds with the policy that the last one trained.

For example:
    pairwright iterate quickstart --rounds 3 --train "{python} -m pipelines.iterating.train_dpo {set} {model} {out}"
    pairwright iterate my.toml --rounds 5 --patience 1 --train "sh train.sh {set} {out}"

The first one trains with TRL on the CPU: `sh tools/trainer_env.sh` makes its environment, once. The
training command is run once a round. Its words may hold {set} (the folder of the version that was
built), {version} (its name), {model} (the policy as it is), {out} (a folder for what comes of it),
{round}, {store} and {python}; its environment holds the same as PAIRWRIGHT_SET and so on. It names
the model in the last line of its standard output that is a folder, a URL, or JSON such as
{"base_url": "...", "model": "...", "identity": "..."}.

The rounds are versions of the recipe's dataset. What is done is kept: the same command goes on with
the first round that is not, and with more --rounds it adds rounds.
"""

import argparse
import sys
from typing import TYPE_CHECKING

from flows.options.numbers import positive
from flows.options.recipe import add_recipe

if TYPE_CHECKING:
    from pipelines.iterating.events import Event
    from pipelines.iterating.plan import Plan

EXIT_CODES = {"refused": 3, "budget": 4, "missing": 4, "owed": 5}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_recipe(parser)
    add = parser.add_argument
    add("--rounds", metavar="R", type=positive, required=True, help="builds, each then trained on")
    add("--train", metavar="CMD", required=True, help="the training command")
    add(
        "--shell",
        action="store_true",
        help="let sh read the command; what it is told is in its environment alone",
    )
    add(
        "--policy",
        metavar="MODEL",
        action="append",
        default=[],
        help='a model of the recipe that is trained (default: those with policy = "on")',
    )
    add(
        "--by",
        metavar="JUDGE",
        help="the judge whose scores tell how good it is (default: [score])",
    )
    add(
        "--held-out",
        metavar="SPLIT",
        default="test",
        help="the split that is not trained on (default: test)",
    )
    add(
        "--min-pairs",
        metavar="N",
        type=positive,
        default=1,
        help="end where a round has fewer (default: 1)",
    )
    add(
        "--patience",
        metavar="P",
        type=positive,
        help="end where the held-out score has not risen by more than its interval for P rounds",
    )
    add("--yes", action="store_true", help="call remote endpoints without asking first")


def run(chosen: argparse.Namespace) -> int:
    """Iterates. Returns 0 where a rule ended it, 3, 4 or 5 where a build did (as `build`).

    Raises KeyboardInterrupt when it is stopped, once it has said what is kept.
    """
    from flows.commands.build import UNUSABLE, agreed, say
    from flows.commands.doctor import line
    from flows.progress import progress
    from pipelines.health.endpoint import called, unlisted
    from pipelines.iterating.iterate import Iteration
    from pipelines.publishing.store import Store

    plan = _plan(chosen)
    iteration = Iteration(plan, Store(chosen.store), progress)
    plan.check()
    for check in unlisted(called(plan.recipe)):
        say(line(check))
    if not chosen.yes and sys.stdin.isatty() and sys.stderr.isatty() and not agreed(plan.recipe):
        say("nothing was called")
        return UNUSABLE
    code = 0
    try:
        for event in iteration.run():
            code = _tell(event, plan, chosen)
    except KeyboardInterrupt:
        say(f"stopped: rounds that are done are kept in {iteration.journal.folder}, and what was")
        say("bought in the ledger. Run the same command to go on.")
        raise
    return code


def _plan(chosen: argparse.Namespace) -> "Plan":
    from flows.options.shipped_recipes import find_recipe
    from pipelines.iterating.command import Command
    from pipelines.iterating.plan import Plan
    from pipelines.iterating.stops import Rules
    from pipelines.recipe import read_recipe

    recipe = read_recipe(find_recipe(chosen.recipe), chosen.overrides)
    return Plan(
        recipe=recipe,
        command=Command(chosen.train, chosen.shell),
        rules=Rules(chosen.rounds, chosen.min_pairs, chosen.patience),
        named=tuple(chosen.policy),
        judge=chosen.by,
        held_out=chosen.held_out,
    )


def _tell(event: "Event", plan: "Plan", chosen: argparse.Namespace) -> int:
    """Prints what happened; the exit code if nothing else does."""
    from flows.commands.build import say
    from flows.texts.iterate import built_line, ended_text, trained_line
    from pipelines.iterating.events import BuiltRound, TrainedRound, TrainingRound

    if isinstance(event, TrainingRound):
        say(f"round {event.number}: training; what it says: {event.log}")
        return 0
    if isinstance(event, BuiltRound):
        print(built_line(event, plan.held_out), flush=True)
        return 0
    if isinstance(event, TrainedRound):
        print(trained_line(event), flush=True)
        return 0
    print(ended_text(event, plan, chosen.recipe, chosen.overrides, chosen.store))
    if event.outcome is not None and event.outcome.refused is not None:
        print(f"evidence: {event.outcome.refused}")
    return EXIT_CODES.get(event.why, 0)
