"""Show why rows went no further: every reason with its count, and examples of each.

For example:
    pairwright drops quickstart
    pairwright drops quickstart --level pairs --reason duplicate --limit 20

An example is the row's id and what is known of it: the detail of the reason, else the dropped
answer, else the last message of its prompt.
"""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flows.options.numbers import whole
from flows.options.store import add_store, suggested

if TYPE_CHECKING:
    from flows.published.drop_examples import DropExample
    from flows.published.figures import DropCount


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "dataset", metavar="NAME[@V]", help="default: the newest version that is no trial"
    )
    add_store(parser)
    parser.add_argument("--level", metavar="L", help="rows, prompts, responses, comparisons, pairs")
    parser.add_argument("--reason", metavar="R", help="one of the reasons that are listed")
    parser.add_argument(
        "--limit", metavar="N", type=whole, default=3, help="examples of each reason (default: 3)"
    )


def run(chosen: argparse.Namespace) -> int:
    """Prints the reasons, the most frequent first, and examples of each in the same order."""
    from flows.options.version import named_version
    from flows.published.drop_examples import examples_in
    from flows.published.figures import Figures
    from flows.texts.plain import aligned, count

    version = named_version(chosen.store, chosen.dataset)
    counts = _matching(Figures(version).drop_counts(), chosen.level, chosen.reason)
    if not counts:
        print(f"{version.ref} dropped nothing")
        return 0
    rows = [(count(one.rows), one.level, one.step, one.reason) for one in counts]
    print(aligned([("count", "level", "step", "reason"), *rows]))
    if chosen.limit > 0:
        find = examples_in(version)
        for one in counts:
            print(f"\n{_examples(one, find(one, chosen.limit))}")
        for noun in ("pair", "prompt"):
            if any(one.level == f"{noun}s" for one in counts):
                words = suggested(chosen.store, "show", version.ref, f"--{noun}", "ID")
                print(f"\nall of a {noun}: {words}")
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


def _examples(of: "DropCount", examples: "Sequence[DropExample]") -> str:
    """One reason, and a line for each example, cut to the terminal."""
    from flows.texts.pair import scores
    from flows.texts.plain import aligned_beside, count
    from flows.texts.terminal import terminal_width

    few = f"{count(len(examples))} of {count(of.rows)} {of.level}"
    rows = [(one.id, scores(one.score_chosen, one.score_rejected)) for one in examples]
    texts = [one.text for one in examples]
    lines = aligned_beside(rows, texts, terminal_width(), indent="  ")
    return f"{of.reason}, {of.step}: {few}\n{lines}"
