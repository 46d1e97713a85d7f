"""How much is held in memory at a time, and files that are written in small pieces."""

import io
from pathlib import Path
from typing import Any

import pyarrow as pa

PIECE = 1 << 17
"""Bytes that are written at once. Linux takes several times longer over pieces of megabytes, for
which it looks for memory in one stretch."""

LEAST, MOST = 2 << 20, 32 << 20
"""Bytes of rows that are held together..."""
SHARE = 64
"""...and which share of all of them that is in between."""


def portion(total: int) -> int:
    """Bytes that are held together of so many in all.

    So memory does not grow before there are 128 MiB, and of more there are not too many portions.

    >>> [portion(mib << 20) >> 20 for mib in (1, 128, 640, 9999)]
    [2, 2, 10, 32]
    """
    return min(max(total // SHARE, LEAST), MOST)


def in_pieces(path: Path) -> pa.NativeFile:
    """A new file for Arrow to write to: what is small is put together, what is large is cut."""
    return pa.BufferedOutputStream(pa.PythonFile(Pieces(path), "w"), PIECE)


class Pieces(io.RawIOBase):
    """A new file, written in pieces."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)

    def writable(self) -> bool:
        """True."""
        return True

    def write(self, content: Any) -> int:
        """Writes all of `content`, bytes or a buffer; returns its length."""
        view, written = memoryview(content), 0
        while written < len(view):
            written += self._file.write(view[written : written + PIECE])
        return written

    def tell(self) -> int:
        """Bytes that were written so far."""
        return self._file.tell()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
        super().close()
