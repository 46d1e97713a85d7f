"""Measure how hard each pair is: its loss for models that were trained without it.

For example:
    pairwright difficulty quickstart --model policy
    pairwright difficulty my-set@v0002 --model ./my-sft-model --seeds 41,42,43 --learning-rate 3e-5
    pairwright difficulty my-recipe.toml --losses val_losses.parquet

Selective DPO (arXiv 2502.09650): reference runs fine-tune the model with LoRA and DPO on one half of
the pairs and score the other half at several checkpoints; for each seed the halves change places, so
every pair is held out once by each. The losses are kept as a table in the store, which a recipe's
`held_out_loss` ranks by. The runs need an environment with TRL and PEFT; a GPU is used if there is one.
What was stopped goes on where it was. With --losses nothing is run: the table of another trainer is
checked, and told about in the same words.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flows.options.numbers import positive, whole
from flows.options.store import add_store

if TYPE_CHECKING:
    import polars as pl

    from pipelines.difficulty.crossfit import Plan
    from pipelines.publishing.versions import Version


BETA = 0.01
"""Of the reference runs: the paper's."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "dataset",
        metavar="NAME[@V]|RECIPE",
        help="a dataset, or the recipe of one; default: the newest version that is no trial",
    )
    add_store(parser)
    measured_by = parser.add_mutually_exclusive_group(required=True)
    measured_by.add_argument(
        "--model", metavar="MODEL", help="a folder, or policy or teacher, which ship"
    )
    measured_by.add_argument(
        "--losses", metavar="FILE", type=Path, help="a table that there is already: Parquet or CSV"
    )
    parser.add_argument("--split", help="only the pairs of this split (default: all)")
    parser.add_argument(
        "--seeds", type=_numbers, default=(41, 42, 43), help="default: 41,42,43 (the paper's)"
    )
    parser.add_argument("--checkpoints", metavar="N", type=positive, default=5, help="default: 5")
    parser.add_argument(
        "--beta",
        type=float,
        help=f"DPO's beta (default: {BETA}; of a table with log-probabilities it must be given)",
    )
    parser.add_argument(
        "--learning-rate", metavar="RATE", type=float, default=3e-5, help="default: 3e-5"
    )
    parser.add_argument("--epochs", metavar="N", type=positive, default=1, help="default: 1")
    parser.add_argument(
        "--batch", metavar="N", type=positive, default=64, help="pairs a step (default: 64)"
    )
    parser.add_argument(
        "--at-once",
        metavar="N",
        type=positive,
        default=8,
        help="pairs in memory at once (default: 8)",
    )
    parser.add_argument(
        "--rank", metavar="N", type=positive, default=16, help="of LoRA (default: 16)"
    )
    parser.add_argument(
        "--max-length", metavar="N", type=positive, default=1024, help="tokens (default: 1024)"
    )
    parser.add_argument("--cpu", action="store_true", help="leave a GPU alone")
    parser.add_argument(
        "--python",
        metavar="PATH",
        help="of an environment with TRL and PEFT (default: .venv-trainers)",
    )


def _numbers(given: str) -> tuple[int, ...]:
    numbers = tuple(whole(part.strip()) for part in given.split(","))
    if len(set(numbers)) != len(numbers):
        raise argparse.ArgumentTypeError(f"{given}: a seed stands there twice")
    return numbers


def run(chosen: argparse.Namespace) -> int:
    """Runs what is not done yet, or reads what there is, and says what came out; 0."""
    from flows.options.recipe_version import recipe_version
    from flows.texts.difficulty import difficulty_text

    version = recipe_version(chosen.store, chosen.dataset)
    losses, pairs, table = (_read if chosen.losses else _fitted)(chosen, version)
    print(difficulty_text(version.ref, losses, pairs, table))
    return 0


def _read(
    chosen: argparse.Namespace, version: "Version"
) -> "tuple[pl.DataFrame, pl.DataFrame, Path]":
    """The losses of a table, checked, and the version's pairs. Raises RecipeError."""
    from pipelines.difficulty.crossfit import grouped_pairs
    from pipelines.difficulty.losses import check_losses, read_losses, trained_beside
    from pipelines.errors import RecipeError

    losses = read_losses(chosen.losses, chosen.beta)
    check_losses(losses, trained_beside(chosen.losses))
    pairs = grouped_pairs(version, chosen.split)
    if not pairs["pair_id"].is_in(losses["pair_id"].implode()).any():
        raise RecipeError(f"{chosen.losses}: no loss is of a pair of {version.ref}")
    return losses, pairs, chosen.losses.resolve()


def _fitted(
    chosen: argparse.Namespace, version: "Version"
) -> "tuple[pl.DataFrame, pl.DataFrame, Path]":
    """The losses of reference runs, and the pairs that they scored."""
    from pipelines.difficulty.crossfit import crossfit
    from pipelines.publishing.store import Store

    told = _told if sys.stderr.isatty() else None
    fitted = crossfit(_plan(chosen, version), Store(chosen.store).root, chosen.python, told)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return fitted.losses, fitted.pairs, fitted.folder / "val_losses.parquet"


def _plan(chosen: argparse.Namespace, version: "Version") -> "Plan":
    from pipelines.difficulty.crossfit import Plan, Settings

    settings = Settings(
        beta=BETA if chosen.beta is None else chosen.beta,
        rate=chosen.learning_rate,
        epochs=chosen.epochs,
        batch=chosen.batch,
        micro_batch=min(chosen.at_once, chosen.batch),
        rank=chosen.rank,
        max_length=chosen.max_length,
    )
    return Plan(
        version=version,
        model=_model(chosen.model),
        split=chosen.split,
        seeds=chosen.seeds,
        checkpoints=chosen.checkpoints,
        settings=settings,
        cpu=chosen.cpu,
    )


def _model(given: str) -> Path:
    """A folder of the user's, else a model that ships."""
    from pipelines.shipped import shipped

    if Path(given).is_dir():
        return Path(given)
    try:
        return shipped(f"models/{given}")
    except FileNotFoundError:
        return Path(given)


def _told(done: int, total: int) -> None:
    print(f"\rreference runs: checkpoint {done} of {total}", end="", file=sys.stderr, flush=True)
