"""Show what differs between two versions: pairs added, removed, flipped or changed, and why.

For example:
    pairwright diff quickstart@v0001 quickstart
    pairwright diff quickstart@1 quickstart@2 --format csv --output changes.csv

The page has the counts, each reason with its pairs, examples, and what differs in recipe, models,
judges, inputs and funnel. csv and json have one row for each pair that differs.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from flows.options.numbers import whole
from flows.options.store import add_store

if TYPE_CHECKING:
    import pyarrow as pa

    from pipelines.comparing.diff import Difference

FORMATS = ("table", "json", "csv")
EXAMPLES = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("a", metavar="A", help="NAME[@V]: the version before")
    parser.add_argument("b", metavar="B", help="NAME[@V]: the version after, of any dataset")
    add_store(parser)
    parser.add_argument(
        "--limit",
        metavar="N",
        type=whole,
        help=f"examples of each change (default: {EXAMPLES}); rows of json and csv (default: all)",
    )
    parser.add_argument("--format", choices=FORMATS, default="table", help="default: table")
    parser.add_argument("--output", metavar="FILE", type=Path, help="a file instead of the screen")


def run(chosen: argparse.Namespace) -> int:
    """Prints the difference, or writes it to a file."""
    from flows.options.output import opened
    from flows.texts.query import write_rows
    from pipelines.comparing.diff import compare
    from pipelines.publishing.store import Store

    store = Store(chosen.store)
    a, b = store.resolve(chosen.a), store.resolve(chosen.b)
    if a.ref == b.ref and chosen.format == "table" and chosen.output is None:
        print(f"{a.ref} is compared with itself: nothing differs")
        return 0
    with compare(a, b) as found, opened(chosen.output, chosen.format, store.root) as stream:
        if chosen.format == "table":
            stream.write(_page(found, chosen.limit).encode())
        else:
            write_rows(_rows(found, chosen.limit), chosen.format, stream)
    return 0


def _page(found: "Difference", limit: int | None) -> str:
    from flows.texts.diff import diff_text

    return diff_text(found, EXAMPLES if limit is None else limit) + "\n"


def _rows(found: "Difference", limit: int | None) -> "pa.RecordBatchReader":
    return found.rows(limit=limit)
