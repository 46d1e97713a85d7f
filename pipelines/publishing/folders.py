"""The files of a version: hashed, checked, synced to the disk, and claimed by one rename."""

import errno
import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipelines.errors import StoreError
from schemas.version import FileInfo, Manifest

_TAKEN = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}


def inspect_file(path: Path, rows: int | None = None) -> FileInfo:
    """Hash and size of a file; `rows` as given."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return FileInfo(sha256=sha256, bytes=file.tell(), rows=rows)


def listed(folder: Path) -> Iterator[str]:
    """The paths of all files under `folder`, relative to it, sorted. Links are not followed."""
    for entry in sorted(folder.rglob("*")):
        if entry.is_symlink() or not entry.is_dir():
            yield entry.relative_to(folder).as_posix()


def add_files(
    folder: Path, files: Mapping[str, FileInfo], *, ignore: str = ""
) -> dict[str, FileInfo]:
    """`files`, and the hashes of those in `folder` that it does not list yet."""
    found = [path for path in listed(folder) if path != ignore]
    return {path: files.get(path) or inspect_file(folder / path) for path in found}


def sync_tree(folder: Path) -> None:
    """Fsyncs every file and folder under `folder`, and `folder` itself. Raises OSError."""
    for path in listed(folder):
        sync(folder / path)
    for inner in sorted(folder.rglob("*/"), reverse=True):
        sync(inner)
    sync(folder)


def sync(path: Path) -> None:
    """Fsyncs a file or folder. Raises OSError for a file."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        if path.is_file():  # some file systems cannot sync a folder, and need not
            raise
    finally:
        os.close(descriptor)


def claim(staged: Path, place: Path) -> bool:
    """Renames `staged` to `place`; False where that is taken. Raises OSError.

    The rename is atomic: `place` is there wholly or not at all, also after a power cut.
    """
    missing = [folder for folder in place.parents if not folder.exists()]
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.rename(staged, place)  # noqa: PTH104 - the system call's own rule is what is wanted
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        raise
    for folder in {place.parent, *(folder.parent for folder in missing)}:
        sync(folder)
    return True


def file_faults(folder: Path, manifest: Manifest, *, ignore: str) -> list[str]:
    """How the files under `folder` differ from what `manifest` says of them, in words."""
    found = {path for path in listed(folder) if path != ignore}
    faults = [f"{path}: is not in the manifest" for path in sorted(found - set(manifest.files))]
    for path, info in sorted(manifest.files.items()):
        faults += (
            _faults(folder / path, path, info, manifest)
            if path in found
            else [f"{path}: is missing"]
        )
    return faults


def _faults(file: Path, path: str, info: FileInfo, manifest: Manifest) -> list[str]:
    if file.resolve() != file:
        return [f"{path}: is a link"]
    try:
        actual = inspect_file(file)
    except OSError as error:
        return [f"{path}: cannot be read: {error.strerror}"]
    if actual.bytes != info.bytes:
        return [f"{path}: has {actual.bytes} bytes, not {info.bytes}"]
    if actual.sha256 != info.sha256:
        return [f"{path}: its bytes have changed"]
    return _table_faults(file, path, info, manifest) if path.endswith(".parquet") else []


def _table_faults(file: Path, path: str, info: FileInfo, manifest: Manifest) -> list[str]:
    """What the Parquet footer says otherwise than the manifest."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from schemas.tables import schema_hash

    try:
        metadata = pq.read_metadata(file)
        schema = schema_hash(metadata.schema.to_arrow_schema())
    except (OSError, pa.ArrowException) as error:
        return [f"{path}: is no Parquet file: {error}"]
    faults = []
    if metadata.num_rows != info.rows:
        faults.append(f"{path}: has {metadata.num_rows} rows, not {info.rows}")
    if schema != manifest.schema_hashes.get(path.partition("/")[0]):
        faults.append(f"{path}: its columns are not those of the manifest")
    return faults


def unwritable(path: Path, error: OSError) -> StoreError:
    """What is wrong, and what helps."""
    return StoreError(
        f"{path}: cannot be written: {error.strerror}. No version was touched: make room or give "
        "the right to write, then run the command again"
    )
