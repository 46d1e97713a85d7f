"""Ask the published tables by SQL, which can read them and change nothing.

For example:
    pairwright sql "SELECT split, count(*) FROM prompts GROUP BY split" --dataset quickstart
    pairwright sql "FROM versions" --format csv --output versions.csv

Tables are NAME.pairs, NAME.prompts, NAME.responses, NAME.judgments and NAME.drops, in which
"NAME@v0001" is one version; and `versions`. Those of --dataset, or of the store's only dataset,
need no NAME.
"""

import argparse
import sys
from pathlib import Path

from flows.options.store import add_store

FORMATS = ("table", "csv", "json", "parquet")
TIMEOUT_S = 300.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("query", metavar="QUERY", help="one SELECT statement, as DuckDB has it")
    add_store(parser)
    parser.add_argument("--dataset", metavar="NAME[@V]", help="whose tables need no NAME")
    parser.add_argument("--format", choices=FORMATS, default="table", help="default: table")
    parser.add_argument("--output", metavar="FILE", type=Path, help="a file instead of the screen")
    parser.add_argument(
        "--timeout",
        metavar="S",
        type=_seconds,
        default=TIMEOUT_S,
        help=f"seconds until the query is stopped (default: {TIMEOUT_S:g})",
    )


def _seconds(text: str) -> float:
    seconds = float(text)
    if not seconds > 0:
        raise ValueError
    return seconds


def run(chosen: argparse.Namespace) -> int:
    """Prints the rows, or writes them to a file."""
    from flows.options.output import opened
    from flows.texts.query import write_rows
    from flows.texts.terminal import terminal_width
    from pipelines.errors import NotThere
    from pipelines.publishing.store import Store
    from pipelines.querying.safe_sql import QueryError, run_sql

    store = Store(chosen.store)
    width = terminal_width() if chosen.output is None and sys.stdout.isatty() else None
    try:
        with (
            run_sql(store, chosen.query, chosen.dataset, chosen.timeout) as rows,
            opened(chosen.output, chosen.format, store.root) as stream,
        ):
            write_rows(rows, chosen.format, stream, width)
    except QueryError as error:
        if store.names():
            raise
        raise NotThere(f"{error}\n{store.root}: no dataset has been published yet") from error
    return 0
