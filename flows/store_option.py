"""`--store`: which store a command works on, and which dataset of it."""

import argparse
import os
from pathlib import Path

DEFAULT = Path("data/store")


def _folder(given: str) -> Path:
    if not given:  # an unset variable of a shell, rather than this folder
        raise argparse.ArgumentTypeError("the name of a folder is wanted")
    return Path(given)


def add_store(parser: argparse.ArgumentParser) -> None:
    """Adds `--store DIR`."""
    parser.add_argument(
        "--store",
        metavar="DIR",
        type=_folder,
        default=Path(os.environ.get("PAIRWRIGHT_STORE") or DEFAULT),
        help=f"the store (default: $PAIRWRIGHT_STORE, else {DEFAULT})",
    )
