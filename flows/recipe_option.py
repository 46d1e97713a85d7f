"""`RECIPE`, `--store` and `--set`: what the commands that work on a recipe take."""

import argparse

from flows.store_option import add_store


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """Adds `RECIPE`, `--store DIR` and `--set TABLE.KEY=VALUE`."""
    parser.add_argument(
        "recipe", metavar="RECIPE", help="a TOML file, or the name of a shipped recipe"
    )
    add_store(parser)
    parser.add_argument(
        "--set",
        metavar="TABLE.KEY=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="change one value of the recipe; may be repeated",
    )
