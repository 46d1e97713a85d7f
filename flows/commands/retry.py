"""List the requests that endpoints refused for good, and ask them again.

For example:
    pairwright retry                           what was refused, by model, status and message
    pairwright retry --failed                  forget all of it: the next build asks again
    pairwright retry my.toml --failed --status 400

A refusal (a 4xx about one request) is kept in the ledger and replayed, so that no build asks twice
in vain. Once its cause is gone, --failed makes the ledger forget it; what was paid for stays.
With RECIPE only its models are concerned. A build that is running goes on replaying.
"""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flows.options.numbers import positive
from flows.options.recipe import add_overrides, overrides_of
from flows.options.store import add_store, suggested

if TYPE_CHECKING:
    from pipelines.calls.failed import Cause

WIDEST = 100
"""Characters of a message that are shown."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("recipe", metavar="RECIPE", nargs="?", help="only what its models refused")
    add_store(parser)
    add_overrides(parser)
    parser.add_argument(
        "--failed", action="store_true", help="forget them, those beyond --limit too"
    )
    parser.add_argument("--status", metavar="CODE", type=int, help="only this HTTP status")
    parser.add_argument(
        "--limit", metavar="N", type=positive, default=20, help="lines to show (default: 20)"
    )


def run(chosen: argparse.Namespace) -> int:
    """Prints the refusals by cause; with --failed, forgets them."""
    from flows.texts.plain import counted
    from pipelines.calls.failed import count_causes, find_refusals, forget
    from pipelines.publishing.store import Store

    folder = Store(chosen.store).ledger_folder
    overrides = overrides_of(chosen)
    models = None if chosen.recipe is None else _models(chosen.recipe, overrides)
    refusals = list(find_refusals(folder, models, chosen.status))
    causes = count_causes(refusals)
    if not refusals:
        where = "" if folder.is_dir() else f"{folder.parent} holds no ledger yet: "
        print(f"{where}nothing was refused{'' if models is None else ' by its models'}")
    else:
        print(_table(causes, chosen.limit))
        samples = counted(sum(one.samples for one in refusals), "refused sample")
        if chosen.failed:
            forget(folder, refusals)
            print(f"\n{samples} forgotten: the next build asks again")
        else:
            print(f"\n{samples} kept. To ask again: {_again(chosen)}")
    if models is not None:
        _mention_unknown(sum(one.samples for one in find_refusals(folder, {None}, chosen.status)))
    return 0


def _models(given: str, overrides: Sequence[str]) -> set[str | None]:
    """The models of a recipe, as the ledger names them."""
    from flows.options.shipped_recipes import find_recipe
    from pipelines.recipe import read_recipe

    models = read_recipe(find_recipe(given), overrides).models.values()
    return {model.qualified_model for model in models}


def _table(causes: "Sequence[tuple[Cause, int]]", limit: int) -> str:
    from flows.texts.plain import aligned, count, counted
    from flows.texts.terminal import one_line

    rows = [("samples", "status", "model", "message")]
    for cause, samples in causes[:limit]:
        status = "" if cause.status is None else str(cause.status)
        rows.append(
            (count(samples), status, cause.model or "(unknown)", one_line(cause.message, WIDEST))
        )
    more = len(causes) - limit
    rest = f"\nand {counted(more, 'further cause')}: --limit {len(causes)} shows all"
    return aligned(rows) + (rest if more > 0 else "")


def _again(chosen: argparse.Namespace) -> str:
    words = ["retry", *([chosen.recipe] if chosen.recipe else []), "--failed"]
    words += [word for override in chosen.overrides for word in ("--set", override)]
    if chosen.status is not None:
        words += ["--status", str(chosen.status)]
    return f"`{suggested(chosen.store, *words)}`"


def _mention_unknown(samples: int) -> None:
    from flows.texts.plain import counted

    if samples:
        print(
            f"{counted(samples, 'refused sample')} of models that were not written down: "
            "only without RECIPE are they listed and forgotten"
        )
