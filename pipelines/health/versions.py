"""The published versions of a store, its catalogue, and what builds left behind."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from pipelines.errors import StoreError
from pipelines.health.check import Check, counted, fault, mebibytes, ok, warning
from pipelines.publishing.folders import listed
from pipelines.publishing.store import Store
from pipelines.publishing.versions import MANIFEST, Version
from schemas.version import NAME

MANY = 10 * 2**30
"""Bytes of refused builds from which on there is a warning."""


def check_versions(store: Store, *, deep: bool = False) -> Iterator[Check]:
    """A line for each version: the sizes of its files, or with `deep` the hashes of all bytes."""
    datasets = store.root / "datasets"
    names = sorted(folder.name for folder in datasets.glob("*/") if re.fullmatch(NAME, folder.name))
    if not names:
        yield ok("versions", "none is published yet", "pairwright build quickstart")
    for name in names:
        try:
            versions = store.readable(name)
        except StoreError as error:
            yield fault(name, str(error), "put the folder itself there, or remove the link")
            continue
        yield from _unreadable(store, name, {version.label for version in versions})
        yield from (_checked(store, version, deep) for version in versions)


def _checked(store: Store, version: Version, deep: bool) -> Check:
    faults = store.verify(version) if deep else quick_faults(version)
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        first = faults[0].removeprefix(f"{version.ref}: ")
        return fault(version.ref, f"{first}{more}", f"pairwright verify {version.ref}")
    how = "every byte as published" if deep else "all there, in the sizes published"
    return ok(version.ref, f"{counted(len(version.manifest.files), 'file')}, {how}")


def quick_faults(version: Version) -> list[str]:
    """Files that are missing, too many, or of another size than the manifest has."""
    sizes = {path: info.bytes for path, info in version.manifest.files.items()}
    found = {path for path in listed(version.folder) if path != MANIFEST}
    faults = [f"{path}: is not in the manifest" for path in sorted(found - set(sizes))]
    for path, size in sorted(sizes.items()):
        if path not in found:
            faults.append(f"{path}: is missing")
        elif (actual := (version.folder / path).lstat().st_size) != size:
            faults.append(f"{path}: has {actual} bytes, not {size}")
    return faults


def check_left_over(store: Store) -> Iterator[Check]:
    """Staging folders of dead processes, and the evidence of refused builds."""
    stale = store.stale_staging()
    if stale:
        size = sum(map(_size, stale))
        yield warning(
            "staging",
            f"{counted(len(stale), 'folder')} of dead builds, {mebibytes(size)}",
            "pairwright doctor --repair, or the next build, removes them",
            repair=_remover(stale),
        )
    else:
        yield ok("staging", "nothing is left over")
    refused = store.root / "refused"
    size = _size(refused)
    builds = len(list(refused.glob("*/*/")))
    if builds:
        make = warning if size >= MANY else ok
        yield make("refused", f"{counted(builds, 'build')} that a gate refused, {mebibytes(size)}",
                   f"rm -r {refused}, once you have seen why")  # fmt: skip


def check_catalogue(store: Store) -> Check:
    """Whether `catalog.duckdb` lists the versions that there are, where they are."""
    import duckdb

    from pipelines.querying.catalog import all_versions, rebuild

    def repair() -> str:
        path, left_out = rebuild(store, anew=True)
        damaged = f", without {', '.join(left_out)}: damaged" if left_out else ""
        return f"rebuilt {path}{damaged}"

    path = store.root / "catalog.duckdb"
    there = {
        (version.name, version.label, version.manifest.content_digest, str(version.folder))
        for version in all_versions(store)
    }
    again = "pairwright doctor --repair, or the next build, makes it"
    if not path.exists():
        if not there:
            return ok("catalogue", "there is none, and no version")
        return warning("catalogue", "is missing", again, repair)
    try:
        with duckdb.connect(path, read_only=True) as con:
            rows = con.sql("SELECT name, version, content_digest, folder FROM versions").fetchall()
    except duckdb.Error as error:
        why = str(error).partition("\n")[0]
        return warning("catalogue", f"cannot be read: {why}", again, repair)
    if set(rows) != there:
        return warning("catalogue", "does not list the versions that there are", again, repair)
    return ok("catalogue", f"lists {counted(len(there), 'version')}")


def _unreadable(store: Store, name: str, readable: set[str]) -> Iterator[Check]:
    """Versions without a manifest, with a damaged one, or of a newer pairwright."""
    for folder in sorted((store.root / "datasets" / name).glob("v[0-9]*/")):
        if folder.name in readable:
            continue
        ref = f"{name}@{folder.name}"
        try:
            if not (folder / MANIFEST).is_file():
                raise StoreError(f"has no {MANIFEST}, so it is no version")
            store.resolve(ref)
        except StoreError as error:
            yield fault(ref, str(error), f"restore {folder} from a copy, or remove it")


def _remover(folders: list[Path]) -> Callable[[], str]:
    def remove() -> str:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        left = sum(folder.exists() for folder in folders)
        return f"removed {counted(len(folders) - left, 'folder')}" + (
            f", {left} resist" if left else ""
        )

    return remove


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())
