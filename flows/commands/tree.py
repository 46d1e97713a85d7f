"""Draw the tree that a search grew for a prompt: every step with its visits and values.

For example:
    pairwright tree my-set                               the prompts that were searched
    pairwright tree my-set 3f2a                          one tree; the id may be shortened
    pairwright tree my-set@v0002 3f2a --html tree.html   as a picture in one file of its own

N: how often the search came through a step. Q: what it expects of taking it. Value: what was said
of the answer so far. Prior: what the policy thinks of the step.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flows.options.numbers import positive
from flows.options.store import add_store, suggested

if TYPE_CHECKING:
    from flows.trees.searched import SearchedTrees, Tree
    from pipelines.publishing.versions import Version


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "dataset", metavar="NAME[@V]", help="default: the newest version that is no trial"
    )
    parser.add_argument("prompt", metavar="PROMPT_ID", nargs="?", help="default: list some of them")
    add_store(parser)
    parser.add_argument("--html", metavar="FILE", type=Path, help="write a picture instead")
    parser.add_argument(
        "--limit",
        metavar="N",
        type=positive,
        default=20,
        help="prompts that are listed (default: 20)",
    )


def run(chosen: argparse.Namespace) -> int:
    """Draws the trees of one prompt, or lists the prompts that have one."""
    from flows.trees.searched import SearchedTrees
    from pipelines.errors import RecipeError
    from pipelines.publishing.store import Store

    store = Store(chosen.store)
    version = store.resolve(chosen.dataset)
    known = SearchedTrees(version)
    if chosen.prompt is None:
        if chosen.html is not None:
            raise RecipeError("--html: draws one tree: name its prompt too")
        _list(known, version, chosen)
        return 0
    trees = known.find(chosen.prompt)
    if chosen.html is None:
        _draw(version, trees)
    else:
        _write(version, trees, chosen.html, store.root)
    return 0


def _list(known: "SearchedTrees", version: "Version", chosen: argparse.Namespace) -> None:
    from flows.texts.pair import SHOWN_ID
    from flows.texts.terminal import terminal_width
    from flows.trees.text import listed

    found = known.some(chosen.limit)
    print(listed(found, terminal_width()))
    one = suggested(chosen.store, "tree", version.ref, found[0].prompt_id[:SHOWN_ID])
    print(f"\none of them: {one}")


def _draw(version: "Version", trees: "list[Tree]") -> None:
    from rich.console import Console

    from flows.texts.terminal import terminal_width
    from flows.trees.text import LEGEND, about, tree_lines

    colours = Console(file=sys.stdout, highlight=False, soft_wrap=True) if _coloured() else None
    for tree in trees:
        print(f"{version.ref}, prompt {tree.prompt_id}\n{about(tree)}\n")
        for line in tree_lines(tree, terminal_width()):
            colours.print(line) if colours else print(line.plain)
        print()
    print(LEGEND)


def _coloured() -> bool:
    """Whether the output is a terminal that shows more than letters."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _write(version: "Version", trees: "list[Tree]", file: Path, store: Path) -> None:
    from flows.options.output import opened
    from flows.trees.picture import picture

    with opened(file, "html", store) as stream:
        stream.write(picture(version.ref, trees).encode())
    print(f"{file}: {version.ref}, prompt {trees[0].prompt_id}")
