"""Compare how diverse the responses of two versions, or of two samplers, are; with intervals.

For example:
    pairwright compare quickstart@v0001 quickstart
    pairwright compare values:independent values:negatively_correlated

Each prompt that both sides have two responses for or more counts once. Of a judge with dimensions
(a checklist of values, say), "covers" is the share of prompts of which some response has one.
"""

import argparse

from flows.store_option import add_store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    side = "NAME[@V][:SAMPLER]: a version, or the responses of one of its samplers"
    parser.add_argument("a", metavar="A", help=side)
    parser.add_argument("b", metavar="B", help=side)
    parser.add_argument(
        "--expressed-from",
        metavar="SCORE",
        type=float,
        default=1.0,
        help="a response has what a dimension asks for from this score up (default: 1)",
    )
    add_store(parser)


def run(chosen: argparse.Namespace) -> int:
    """Prints both sides."""
    from flows.compare_text import comparison_text
    from flows.diversity_sides import read_side
    from pipelines.diversity.compare import compare_sides
    from pipelines.publishing.store import Store

    store = Store(chosen.store)
    a, b = (read_side(store, one, chosen.expressed_from) for one in (chosen.a, chosen.b))
    print(comparison_text(compare_sides(a, b), a.name, b.name))
    return 0
