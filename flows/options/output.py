"""`--output`: where the result of a command goes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def opened(output: Path | None, layout: str, store: Path) -> Iterator[BinaryIO]:
    """Standard output; or `output`, which is there only when all of it is. Raises StoreError."""
    from pipelines.errors import StoreError

    if output is None:
        if layout == "parquet" and sys.stdout.isatty():
            raise StoreError("parquet is not for a screen: name a file with --output")
        yield sys.stdout.buffer
        return
    if output.resolve().is_relative_to(store):
        raise StoreError(f"{output}: lies in the store, which only builds write to")
    if output.is_dir():
        raise StoreError(f"{output}: is a folder; name a file")
    if not output.parent.is_dir():
        raise StoreError(f"{output.parent}: no such folder")
    if output.is_symlink() or (output.exists() and not output.is_file()):
        # a pipe, a device or what leads to one (/dev/stdout) is written to, never replaced
        with output.open("wb") as stream:
            yield stream
        return
    unfinished = output.with_name(f".{output.name}.unfinished")
    try:
        with unfinished.open("wb") as stream:
            yield stream
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)
