"""`RECIPE`, `--store`, `--limit` and `--set`: what the commands that work on a recipe take."""

import argparse
from typing import Any

from flows.options.store import add_store
from pipelines.errors import RecipeError


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """Adds `RECIPE`, `--store DIR`, `--limit N` and `--set TABLE.KEY=VALUE`."""
    parser.add_argument(
        "recipe", metavar="RECIPE", help="a TOML file, or the name of a shipped recipe"
    )
    add_store(parser)
    add_overrides(parser)
    parser.add_argument(
        "--limit",
        metavar="N",
        type=int,
        action=_Limit,
        default=argparse.SUPPRESS,
        help="a trial on the first N prompts: --set limit=N",
    )


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """Adds `--set TABLE.KEY=VALUE`."""
    parser.add_argument(
        "--set",
        metavar="TABLE.KEY=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="change one value of the recipe; may be repeated",
    )


def overrides_of(chosen: argparse.Namespace) -> list[str]:
    """What `--set` changes. Raises RecipeError where `RECIPE` may be left out, and is."""
    overrides: list[str] = chosen.overrides
    if overrides and chosen.recipe is None:
        raise RecipeError(f"--set {overrides[0]}: is for RECIPE, which is missing")
    return overrides


class _Limit(argparse.Action):
    """`--limit N` as `--set limit=N`."""

    def __call__(self, _parser: Any, chosen: Any, value: Any, _option: Any = None) -> None:
        chosen.overrides = [*chosen.overrides, f"limit={value}"]
