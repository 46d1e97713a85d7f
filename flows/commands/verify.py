"""Hash every file of the published versions again, and compare with their manifests.

For example:
    pairwright verify                    every version of the store
    pairwright verify quickstart         every version of one dataset
    pairwright verify quickstart@v0001   this one
"""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flows.options.store import add_store

if TYPE_CHECKING:
    from pipelines.errors import StoreError
    from pipelines.publishing.store import Store
    from pipelines.publishing.versions import Version


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("dataset", metavar="NAME[@V]", nargs="?", help="default: all versions")
    add_store(parser)


def run(chosen: argparse.Namespace) -> int:
    """Prints a line for each version and each fault; 2 where there is a fault."""
    from pipelines.publishing.store import Store

    sound = True
    for line, is_sound in _checked(Store(chosen.store), chosen.dataset):
        print(line, flush=True)
        sound = sound and is_sound
    return 0 if sound else 2


def _checked(store: "Store", ref: str | None) -> Iterator[tuple[str, bool]]:
    """What is found, line by line, and whether that is as it should be."""
    from flows.texts.plain import counted
    from pipelines.errors import StoreError

    names = store.names()
    if ref is None and not names:
        yield f"{store.root} holds no dataset yet", True
    for version in _examined(store, names, ref):
        if isinstance(version, StoreError):
            yield str(version), False
            continue
        faults = store.verify(version)
        yield from ((fault, False) for fault in faults)
        if not faults:
            files = counted(len(version.manifest.files), "file")
            yield f"{version.ref}: {files} as published", True


def _examined(
    store: "Store", names: list[str], ref: str | None
) -> "Iterator[Version | StoreError]":
    """The versions that `ref` means, None all; errors for those that cannot be read."""
    if ref is not None and ref not in names:
        yield store.resolve(ref)  # one version, or a name that is not there
        return
    for name in names if ref is None else [ref]:
        yield from store.examined(name)
