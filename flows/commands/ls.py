"""List the datasets of a store and their versions.

For example:
    pairwright ls
    pairwright ls --recipes    the recipes that ship with pairwright
"""

import argparse
import sys
from typing import TYPE_CHECKING

from flows.options.store import add_store

if TYPE_CHECKING:
    from pipelines.publishing.versions import Version
    from schemas.version import Run


WIDEST = 90
"""Characters of a recipe's description that are shown."""
COLUMNS = ("version", "pairs", "prompts", "responses", "bytes", "published", "round", "trial")
"""`round`: of `pairwright iterate`, with the version that its policy was trained on. Both it and `trial`
are shown where any version has one."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_store(parser)
    parser.add_argument("--recipes", action="store_true", help="the recipes that ship")


def run(chosen: argparse.Namespace) -> int:
    """Prints one line for each version; 2 where one cannot be read, which hides no other.

    With `--recipes`, one line for each recipe that ships.
    """
    if chosen.recipes:
        return _list_recipes()
    from flows.texts.plain import aligned
    from pipelines.errors import StoreError
    from pipelines.publishing.store import Store

    store = Store(chosen.store)
    rows: list[tuple[str, ...]] = [COLUMNS]
    failed = False
    for name in store.names():
        for version in store.examined(name):
            if isinstance(version, StoreError):
                print(f"error: {version}", file=sys.stderr)
                failed = True
            else:
                rows.append(_row(version))
    if len(rows) > 1:
        print(aligned(_without_empty(rows)))
    elif not failed:
        print(f"{store.root} holds no dataset yet. `pairwright build quickstart` makes one")
    return 2 if failed else 0


def _list_recipes() -> int:
    from flows.options.shipped_recipes import purpose, shipped_recipes
    from flows.texts.plain import aligned
    from flows.texts.terminal import one_line

    recipes = shipped_recipes().items()
    print(aligned([(name, one_line(purpose(path), WIDEST)) for name, path in recipes]))
    print("\nEach is a file under flows/recipes, and a name wherever RECIPE is wanted")
    return 0


def _row(version: "Version") -> tuple[str, ...]:
    from flows.options.version import trial_text
    from flows.texts.plain import count, short

    manifest = version.manifest
    rows = (count(manifest.rows(table)) for table in ("pairs", "prompts", "responses"))
    size = short(sum(info.bytes for info in manifest.files.values()))
    published, trial = manifest.run.published or "", trial_text(version)
    return version.ref, *rows, size, published, _round(manifest.run), trial


def _round(run: "Run") -> str:
    if run.lineage is None:
        return ""
    trained = f", on {run.lineage.trained_on}" if run.lineage.trained_on else ""
    return f"{run.lineage.round}{trained}"


def _without_empty(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The rows without those of the last two columns in which nothing stands."""
    *always, rounds, trials = zip(*rows, strict=True)
    found = [column for column in (rounds, trials) if any(column[1:])]
    return list(zip(*always, *found, strict=True))
