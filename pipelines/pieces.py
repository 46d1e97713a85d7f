"""Files that are written in small pieces."""

import io
from pathlib import Path
from typing import Any

PIECE = 1 << 17
"""Bytes that are written at once. Linux takes several times longer over pieces of megabytes, for
which it looks for memory in one stretch."""


class Pieces(io.RawIOBase):
    """A new file for a writer of large blocks, as those of Arrow are."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=PIECE)

    def writable(self) -> bool:
        """True."""
        return True

    def write(self, content: Any) -> int:
        """Writes all of `content`, bytes or a buffer; returns its length."""
        view = memoryview(content)
        for begin in range(0, len(view), PIECE):
            self._file.write(view[begin : begin + PIECE])
        return len(view)

    def tell(self) -> int:
        """Bytes that were written so far."""
        return self._file.tell()

    def close(self) -> None:
        """Writes what is left over."""
        self._file.close()
        super().close()
