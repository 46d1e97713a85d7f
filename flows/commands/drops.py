"""Show why rows went no further: every reason with its count, then examples.

For example:
    pairwright drops quickstart
    pairwright drops quickstart --level pairs --reason duplicate --limit 5
"""

import argparse
from typing import TYPE_CHECKING

from flows.store_option import add_store

if TYPE_CHECKING:
    from flows.figures import DropCount, Figures


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("dataset", metavar="NAME[@V]", help="default: the newest version")
    add_store(parser)
    parser.add_argument("--level", metavar="L", help="rows, prompts, responses, comparisons, pairs")
    parser.add_argument("--reason", metavar="R", help="one of the reasons that are listed")
    parser.add_argument(
        "--limit", metavar="N", type=int, default=10, help="examples to show (default: 10)"
    )


def run(chosen: argparse.Namespace) -> int:
    """Prints the reasons and the examples."""
    from flows.figures import Figures
    from flows.plain_text import aligned, count
    from pipelines.publishing.store import Store

    version = Store(chosen.store).resolve(chosen.dataset)
    figures = Figures(version)
    counts = _matching(figures.drop_counts(), chosen.level, chosen.reason)
    if not counts:
        print(f"{version.ref} dropped nothing")
        return 0
    rows = [(count(one.rows), one.level, one.step, one.reason) for one in counts]
    print(aligned([("count", "level", "step", "reason"), *rows]))
    if chosen.limit > 0:
        print(f"\n{_examples(figures, chosen)}")
    return 0


def _matching(
    counts: "list[DropCount]", level: str | None, reason: str | None
) -> "list[DropCount]":
    """The counts of `level` and `reason`. Raises StoreError for one that does not occur."""
    for attribute, wanted in (("level", level), ("reason", reason)):
        found = {getattr(one, attribute) for one in counts}
        if wanted is not None and wanted not in found:
            raise _unknown(attribute, wanted, found)
        counts = [one for one in counts if wanted in (None, getattr(one, attribute))]
    return counts


def _unknown(attribute: str, wanted: str, found: set[str]) -> Exception:
    from pipelines.errors import StoreError, nearest

    return StoreError(f'nothing was dropped with {attribute} "{wanted}"; {nearest(wanted, found)}')


def _examples(figures: "Figures", chosen: argparse.Namespace) -> str:
    from flows.plain_text import aligned

    examples = figures.drop_examples(chosen.level, chosen.reason, chosen.limit)
    rows = [(one.id, one.level, one.step, one.reason, one.detail or "") for one in examples]
    return aligned([("id", "level", "step", "reason", "detail"), *rows])
