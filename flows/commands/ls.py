"""List the datasets of a store and their versions.

For example:
    pairwright ls
"""

import argparse
import sys
from typing import TYPE_CHECKING

from flows.store_option import add_store

if TYPE_CHECKING:
    from pipelines.publishing.versions import Version
    from schemas.version import Run


COLUMNS = ("version", "pairs", "prompts", "responses", "bytes", "published", "round")
"""`round`: of `pairwright iterate`, with the version that its policy was trained on; shown where any
version has one."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_store(parser)


def run(chosen: argparse.Namespace) -> int:
    """Prints one line for each version; 2 where one cannot be read, which hides no other."""
    from flows.plain_text import aligned
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
        print(aligned(_without_empty_round(rows)))
    elif not failed:
        print(f"{store.root} holds no dataset yet. `pairwright build quickstart` makes one")
    return 2 if failed else 0


def _row(version: "Version") -> tuple[str, ...]:
    from flows.plain_text import count, short

    manifest = version.manifest
    rows = (count(manifest.rows(table)) for table in ("pairs", "prompts", "responses"))
    size = short(sum(info.bytes for info in manifest.files.values()))
    return version.ref, *rows, size, manifest.run.published or "", _round(manifest.run)


def _round(run: "Run") -> str:
    if run.lineage is None:
        return ""
    trained = f", on {run.lineage.trained_on}" if run.lineage.trained_on else ""
    return f"{run.lineage.round}{trained}"


def _without_empty_round(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return rows if any(row[-1] for row in rows[1:]) else [row[:-1] for row in rows]
