"""Build the dataset that a recipe describes, and publish it as a new version.

For example:
    pairwright build quickstart
    pairwright build my.toml --limit 20 --set filters.margin.min=2

What is bought is kept in the store's ledger: a build that stopped goes on with the same command,
and another pairing, margin or selector costs no call.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from flows.options.recipe import add_recipe

if TYPE_CHECKING:
    from pipelines.build import Outcome
    from pipelines.calls.meter import Meter
    from pipelines.publishing.versions import Version
    from pipelines.recipe import Recipe

DONE, UNUSABLE, GATE_FAILED, BUDGET, OWED = 0, 2, 3, 4, 5

EXAMPLES = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_recipe(parser)
    parser.add_argument(
        "--yes", action="store_true", help="call remote endpoints without asking first"
    )
    parser.add_argument(
        "--replay",
        action="store_true",
        help="read and run every prompt again, where a version's own rows would do",
    )


def run(chosen: argparse.Namespace) -> int:
    """Builds. Returns 0, 3 (a gate failed), 4 (a limit is reached) or 5 (calls are owed).

    Raises KeyboardInterrupt when it is stopped, once it has said what is kept.
    """
    from flows.commands.doctor import line
    from flows.options.shipped_recipes import find_recipe
    from pipelines.health.endpoint import called, unlisted
    from pipelines.recipe import read_recipe

    recipe = read_recipe(find_recipe(chosen.recipe), chosen.overrides)
    for check in unlisted(called(recipe)):
        say(line(check))
    if not chosen.yes and sys.stdin.isatty() and sys.stderr.isatty() and not agreed(recipe):
        say("nothing was called")
        return UNUSABLE
    return _build(recipe, chosen.store, reusing=not chosen.replay)


def say(line: str) -> None:
    """Prints to standard error: standard output is for results."""
    print(line, file=sys.stderr)


def remote_models(recipe: "Recipe") -> dict[str, str]:
    """Model -> endpoint of what the recipe's parts may call outside this machine."""
    from pipelines.health.endpoint import called
    from pipelines.wire.address import address_of

    remote = {}
    for model in sorted(called(recipe), key=lambda one: one.name):
        endpoint = model.endpoint()
        if endpoint.startswith(("http://", "https://")) and not address_of(endpoint).is_loopback:
            remote[model.name] = endpoint
    return remote


def agreed(recipe: "Recipe") -> bool:
    """Whether the user lets the build call what is outside this machine; asked only if it does."""
    remote = remote_models(recipe)
    if not remote:
        return True
    most = min(filter(None, (recipe.head.sample, recipe.head.limit)), default=None)
    prompts = f"at most {most:,} prompts" if most else "every prompt"
    for name, endpoint in remote.items():
        say(f"This build may call {name} at {endpoint} for {prompts}.")
    print("Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _build(recipe: "Recipe", store: Path, *, reusing: bool) -> int:
    from flows.progress import progress
    from flows.texts.build_summary import summary
    from pipelines.build import run_build
    from pipelines.calls.meter import Meter

    meter, started = Meter(), time.monotonic()
    try:
        with progress(meter):
            outcome = run_build(recipe, store, meter, reusing=reusing)
    except KeyboardInterrupt:
        say(_stopped(meter, store))
        raise
    seconds = time.monotonic() - started
    examples = _examples(outcome.version, store)
    print(summary(outcome, meter, store, seconds, examples, bars=sys.stdout.isatty()))
    return exit_code(outcome)


def exit_code(outcome: "Outcome") -> int:
    """What the build ends with: a gate that refuses it weighs more than a budget.

    A build whose prompts give too few pairs ends as one that reached its budget.
    """
    if outcome.refused is not None:
        return GATE_FAILED
    if outcome.budget_reached or (outcome.missing and not outcome.owed):
        return BUDGET
    return DONE if outcome.version is not None else OWED


def _examples(version: "Version | None", store: Path) -> str:
    from flows.texts.pair import examples
    from flows.texts.terminal import terminal_width

    if version is None:
        return ""
    return examples(version, store, EXAMPLES, terminal_width(), lines=2)


def _stopped(meter: "Meter", store: Path) -> str:
    from flows.texts.plain import counted

    bought = f"{counted(meter.samples_paid, 'sample')} bought in this run"
    before = f"{counted(meter.samples_before, 'sample')} from before"
    kept = [bought, before] if meter.samples_before else [bought]
    abandoned = counted(meter.abandoned, "request")
    lost = f"; {abandoned} in flight abandoned" if meter.abandoned else ""
    return (
        f"stopped: kept in {store / 'ledger'}: {', '.join(kept)}{lost}.\n{_going_on(meter)}"
        "Run the same command to go on."
    )


def _going_on(meter: "Meter") -> str:
    """What a stop leaves to a provider."""
    from flows.texts.jobs import jobs_in_words

    if not meter.jobs:
        return ""
    return (
        f"{jobs_in_words(meter.jobs.values())} at the provider: what is answered there is paid, and "
        "the next build collects it; `pairwright batches RECIPE --cancel` stops the rest.\n"
    )
