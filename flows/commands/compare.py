"""Compare how diverse the responses of two versions, or of two samplers, are; with intervals.

For example:
    pairwright compare quickstart@v0001 quickstart
    pairwright compare values:independent values:negatively_correlated
    pairwright compare quickstart@v0001 quickstart --embedding models/all-MiniLM-L6-v2

Each prompt that both sides have two responses for or more counts once. Of a judge with dimensions
(a checklist of values, say), "covers" is the share of prompts of which some response has one. The
other figures are of words; with --embedding also of the vectors of a model in a local folder.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from flows.options.store import add_store

if TYPE_CHECKING:
    from pipelines.embedding.encoder import Encoder


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
    parser.add_argument(
        "--embedding",
        metavar="PATH",
        help="folder of an embedding model, as sentence-transformers lays it out, or its ONNX file",
    )
    add_store(parser)


def run(chosen: argparse.Namespace) -> int:
    """Prints both sides."""
    from flows.published.diversity_sides import read_side
    from flows.texts.compare import comparison_text
    from pipelines.diversity.compare import compare_sides
    from pipelines.publishing.store import Store

    encoder = _encoder(chosen.embedding) if chosen.embedding else None
    store = Store(chosen.store)
    a, b = (read_side(store, one, chosen.expressed_from) for one in (chosen.a, chosen.b))
    print(comparison_text(compare_sides(a, b, encoder=encoder), a.name, b.name, encoder))
    return 0


def _encoder(given: str) -> "Encoder":
    """The embedding model in a folder. Raises RecipeError."""
    from pipelines.embedding.encoder import load_encoder
    from pipelines.errors import RecipeError

    try:
        return load_encoder(given, Path())
    except RecipeError as error:
        raise RecipeError(f"--embedding: {error}") from error
