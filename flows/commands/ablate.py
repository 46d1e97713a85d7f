"""Take a recipe apart: what each component does to the pairs, from the ledger, without a call.

For example:
    pairwright ablate my.toml
    pairwright ablate my.toml --format json > ablation.json

Components (AIR, arXiv 2504.03612): the annotation rule ([score], beside its first judge alone), the
instruction filter (filters on prompts), the response filter, the pair rule (filters on pairs, and
the selectors). Each alone, cumulated in this order, then the whole recipe without one filter or
selector, and with one judge alone. What a filter dropped before judging was never judged: such
filters always stay.
"""

import argparse

from flows.options.recipe import add_recipe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_recipe(parser)
    parser.add_argument(
        "--format", choices=("table", "json"), default="table", help="default: table"
    )


def run(chosen: argparse.Namespace) -> int:
    """Prints the table; 0."""
    from flows.options.shipped_recipes import find_recipe
    from flows.texts.ablation import ablation_json, ablation_text
    from pipelines.ablation.ablate import ablate
    from pipelines.publishing.store import Store
    from pipelines.recipe import read_recipe

    recipe = read_recipe(find_recipe(chosen.recipe), chosen.overrides)
    ablation = ablate(recipe, Store(chosen.store))
    print(ablation_json(ablation) if chosen.format == "json" else ablation_text(ablation))
    return 0
