"""Say where the report of a version lies, or write it again.

For example:
    pairwright report quickstart
    pairwright report quickstart@v0001 --output report.html

Each build writes `report.html` into the version's folder: funnel, scores, margins, lengths, models,
judges, separability, parts of the set, cost. With --output it is made anew from the published
tables, for a version that has none, or once `pip install 'pairwright[report]'` can draw. Nothing is
called, and the version is not changed.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from flows.options.store import add_store

if TYPE_CHECKING:
    from pipelines.publishing.versions import Version


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "dataset", metavar="NAME[@V]", help="default: the newest version that is no trial"
    )
    add_store(parser)
    parser.add_argument(
        "--output", metavar="FILE", type=Path, help="write it anew, to a file outside the store"
    )
    parser.add_argument(
        "--force", action="store_true", help="let --output replace a file that is there"
    )


def run(chosen: argparse.Namespace) -> int:
    """Prints the path of the report; 0."""
    from flows.options.version import named_version
    from pipelines.errors import StoreError

    version = named_version(chosen.store, chosen.dataset)
    if chosen.output is None:
        print(_own(version))
    else:
        if chosen.output.is_file() and not chosen.force:
            raise StoreError(f"{chosen.output}: is there already; --force replaces it")
        _write(version, chosen.output, chosen.store)
        print(chosen.output)
    return 0


def _own(version: "Version") -> Path:
    from pipelines.errors import NotThere
    from pipelines.report.write import REPORT

    path = version.folder / REPORT
    if not path.is_file():
        command = f"`pairwright report {version.ref} --output report.html` writes one"
        raise NotThere(f"{version.ref} was published without a report. {command}")
    return path


def _write(version: "Version", path: Path, store: Path) -> None:
    from flows.options.output import opened
    from pipelines.report.write import page_of

    page = page_of(version)
    with opened(path, "html", store) as file:
        file.write(page.encode())
