"""`--store`: which store a command works on, and which dataset of it."""

import argparse
import os
from pathlib import Path

DEFAULT = Path("data/store")


def add_store(parser: argparse.ArgumentParser) -> None:
    """Adds `--store DIR`."""
    parser.add_argument(
        "--store",
        metavar="DIR",
        type=Path,
        default=Path(os.environ.get("PAIRWRIGHT_STORE") or DEFAULT),
        help=f"the store (default: $PAIRWRIGHT_STORE, else {DEFAULT})",
    )
