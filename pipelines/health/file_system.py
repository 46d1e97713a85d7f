"""The file system that a store lies on: whether it keeps what publishing relies on."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.health.check import Check, fault, ok, warning
from pipelines.publishing.folders import claim

LITTLE = 5 * 2**30
"""Bytes of free space below which there is a warning."""
TOO_LITTLE = 100 * 2**20
"""Bytes of free space below which it is a fault."""


def check_file_system(root: Path) -> Iterator[Check]:
    """Tries, in a folder that is removed again, what a build does in the store `root`.

    Where there is no store yet, in the nearest folder above that is there.
    """
    if root.exists() and not root.is_dir():
        yield fault("store", f"{root} is a file", "take another --store")
        return
    base = next(folder for folder in (root, *root.parents) if folder.is_dir())
    if base == root:
        yield ok("store", str(root))
    else:
        yield ok("store", f"{root} is not there yet; the first build makes it")
    yield _space(base)
    try:
        with TemporaryDirectory(prefix=".doctor-", dir=base) as place:
            yield _written(base)
            yield from _probed(Path(place))
    except OSError as error:
        yield fault("file system", f"{base} cannot be written: {error.strerror}", _right(base))


def _space(base: Path) -> Check:
    free = shutil.disk_usage(base).free
    finding = f"{free / 2**30:,.1f} GiB free"
    if free < TOO_LITTLE:
        return fault("free space", finding, "make room, or take another --store")
    return (
        warning("free space", finding, "make room") if free < LITTLE else ok("free space", finding)
    )


def _written(base: Path) -> Check:
    return ok("file system", f"{base} can be written")


def _probed(place: Path) -> Iterator[Check]:
    yield _rename(place)
    yield _sync(place)
    if _folds_case(place):
        yield ok("file names", "upper and lower case are one; names of datasets are lower case")


def _rename(place: Path) -> Check:
    """Two staged folders claim one place: the first gets it, the second leaves it alone."""
    for name in ("first", "second"):
        (place / name).mkdir()
        (place / name / "who").write_text(name)
    claimed = claim(place / "first", place / "claimed"), claim(place / "second", place / "claimed")
    holder = (place / "claimed" / "who").read_text()
    if (claimed, holder) == ((True, False), "first"):
        return ok("rename", "a folder is claimed by one rename")
    return fault(
        "rename",
        "a rename does not refuse a folder that is taken: two builds could overwrite each other",
        "put the store on a local disk",
    )


def _sync(place: Path) -> Check:
    file = place / "synced"
    file.write_text("x")
    try:
        _fsync(file)
    except OSError as error:
        return fault("fsync", f"files cannot be synced: {error.strerror}", "take a local disk")
    try:
        _fsync(place)
    except OSError as error:
        return warning(
            "fsync", f"folders cannot be synced: {error.strerror}", "after a power cut: doctor"
        )
    return ok("fsync", "files and folders are synced")


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _folds_case(place: Path) -> bool:
    (place / "case").touch()
    return (place / "CASE").exists()


def _right(base: Path) -> str:
    return f"give the right to write to {base}, or take another --store"
