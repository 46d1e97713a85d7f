"""Show a version: funnel with every reason, margins, lengths, models, example pairs.

For example:
    pairwright show quickstart
    pairwright show quickstart@v0001 --examples 10
    pairwright show quickstart --pair 3f2a   all of one pair, kept or dropped, with its judgments
    pairwright show quickstart --prompt 9c1  all of one prompt: responses, judgments, pairs, drops
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flows.options.numbers import whole
from flows.options.store import add_store

if TYPE_CHECKING:
    from pipelines.publishing.versions import Version


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "dataset", metavar="NAME[@V]", help="default: the newest version that is no trial"
    )
    add_store(parser)
    parser.add_argument(
        "--examples",
        metavar="N",
        type=whole,
        default=3,
        help="example pairs, spread evenly over the margins (default: 3)",
    )
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--pair", metavar="ID", help="all of this pair; its id may be shortened")
    one.add_argument("--prompt", metavar="ID", help="all of this prompt; its id may be shortened")


def run(chosen: argparse.Namespace) -> int:
    """Prints the version's figures, computed from its published tables, or one row of it."""
    from flows.options.version import named_version

    version = named_version(chosen.store, chosen.dataset)
    if chosen.pair:
        print(_one(version, chosen.pair))
    elif chosen.prompt:
        from flows.texts.prompt import PromptInFull
        from flows.texts.terminal import terminal_width

        print(PromptInFull.find(version, chosen.prompt).text(terminal_width()))
    else:
        print(_page(version, chosen.store, chosen.examples))
    return 0


def _page(version: "Version", store: Path, wanted: int) -> str:
    from flows.judging.checks_table import checks_table
    from flows.texts.pair import examples
    from flows.texts.refused import refused_text
    from flows.texts.terminal import terminal_width
    from flows.texts.version import version_text
    from pipelines.publishing.store import Store

    shown = examples(version, store, wanted, terminal_width())
    checks = checks_table(version.manifest, Store(store))
    refused = refused_text(version.manifest, store)
    return version_text(version, shown, checks, refused, bars=sys.stdout.isatty())


def _one(version: "Version", pair_id: str) -> str:
    from flows.published.pair_examples import PairExamples
    from flows.texts.pair import in_full
    from flows.texts.terminal import terminal_width

    known = PairExamples(version)
    pair, reasons = known.find(pair_id)
    return in_full(pair, reasons, known.verdicts(pair), terminal_width())
