"""Show what a model could learn from the pairs instead of what is better.

For example:
    pairwright risks quickstart
    pairwright risks my-set@v0002 --models 30

How well a linear probe tells chosen from rejected answers by how they look, over all pairs and for
each (chosen model, rejected model), and how often the longer or the more structured answer is the
chosen one. Each text is told by a probe that never saw its prompt. A line that begins with "!" says
what is alarming; with "?", that it may be chance. Nothing is called, and nothing is changed. Needs
scikit-learn: pip install "pairwright[risks]".
"""

import argparse

from flows.options.numbers import whole
from flows.options.store import add_store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "dataset", metavar="NAME[@V]", help="default: the newest version that is no trial"
    )
    add_store(parser)
    parser.add_argument(
        "--models",
        metavar="N",
        type=whole,
        default=10,
        help="pairs of models that are probed, those with most pairs first (default: 10)",
    )


def run(chosen: argparse.Namespace) -> int:
    """Prints the figures; 0. Raises RecipeError without scikit-learn, or without pairs."""
    from flows.texts.risks import risks_text
    from pipelines.errors import RecipeError
    from pipelines.extras import missing
    from pipelines.publishing.reading import reading
    from pipelines.publishing.store import Store
    from pipelines.risks.compared import compared

    if lacking := missing("risks", "sklearn"):
        raise RecipeError(f"pairwright risks: {lacking}")
    version = Store(chosen.store).resolve(chosen.dataset)
    if not version.files("pairs"):
        raise RecipeError(f"{version.ref}: has no pairs. `pairwright drops {version.ref}` says why")
    with reading(version):
        text = risks_text(version.ref, compared(version), chosen.models)
    print(text)
    return 0
