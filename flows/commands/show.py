"""Show a version: the funnel from rows to pairs with every reason, margins, lengths and models.

For example:
    pairwright show quickstart
    pairwright show quickstart@v0001
"""

import argparse
import sys

from flows.store_option import add_store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("dataset", metavar="NAME[@V]", help="default: the newest version")
    add_store(parser)


def run(chosen: argparse.Namespace) -> int:
    """Prints the version's figures, computed from its published tables."""
    from flows.version_text import version_text
    from pipelines.publishing.store import Store

    version = Store(chosen.store).resolve(chosen.dataset)
    print(version_text(version, bars=sys.stdout.isatty()))
    return 0
