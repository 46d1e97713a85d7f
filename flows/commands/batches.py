"""List the batch jobs that builds have sent, and cancel them.

For example:
    pairwright batches                     the jobs that the store knows of
    pairwright batches my.toml             how far those of its models are
    pairwright batches my.toml --cancel    stop them

A build that stops leaves its jobs to their provider, and the next one collects the results. Of a job
that is cancelled, what was answered by then is paid and kept; the next build asks the rest anew.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flows.options.recipe import add_overrides, overrides_of
from flows.options.store import add_store, suggested

if TYPE_CHECKING:
    from pipelines.batching.journal import Entry

HEAD = ("job", "of", "sent", "requests", "to collect", "state")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("recipe", metavar="RECIPE", nargs="?", help="ask how far its jobs are")
    add_store(parser)
    add_overrides(parser)
    parser.add_argument("--cancel", action="store_true", help="cancel the jobs of the recipe")


def run(chosen: argparse.Namespace) -> int:
    """Prints a line for each job; 0."""
    from flows.texts.plain import aligned
    from pipelines.errors import RecipeError
    from pipelines.publishing.store import Store

    if chosen.cancel and chosen.recipe is None:
        raise RecipeError("--cancel needs the recipe, which names the provider and its key")
    overrides = overrides_of(chosen)
    folder = Store(chosen.store).ledger_folder
    rows = list(_known(folder) if chosen.recipe is None else _told(folder, chosen, overrides))
    if not rows:
        where = "" if folder.is_dir() else f"{folder.parent} holds no ledger yet: "
        print(f"{where}no job is under way")
        return 0
    print(aligned([HEAD[: len(rows[0])], *rows]))
    if chosen.recipe is None:
        print(f"\nHow far they are: `{suggested(chosen.store, 'batches', 'RECIPE')}`")
    return 0


def _known(folder: Path) -> Iterator[tuple[str, ...]]:
    from pipelines.batching.journal import all_entries

    return (_row(entry) for entry in all_entries(folder) if entry.left)


def _told(
    folder: Path, chosen: argparse.Namespace, overrides: Sequence[str]
) -> Iterator[tuple[str, ...]]:
    """The jobs of a recipe's models, each with its state."""
    import asyncio

    from flows.options.shipped_recipes import find_recipe
    from pipelines.backends.openai_batch import OpenaiBatch
    from pipelines.recipe import read_recipe

    asked: set[str] = set()
    for model in read_recipe(find_recipe(chosen.recipe), overrides).models.values():
        if isinstance(model, OpenaiBatch) and model.route not in asked:
            asked.add(model.route)
            for entry, state in asyncio.run(model.states(folder, cancel=chosen.cancel)):
                yield *_row(entry), state


def _row(entry: "Entry") -> tuple[str, ...]:
    from flows.texts.plain import count

    return (
        entry.facts.get("batch_id", entry.name),
        entry.route,
        entry.made.isoformat(" ", "minutes").removesuffix("+00:00") + " UTC",
        count(len(entry.ids)),
        count(len(entry.left)),
    )
