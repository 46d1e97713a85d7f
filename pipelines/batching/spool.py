"""The spool: the lines of a job that is being collected, on disk rather than in memory.

Its file has no name, so that a stop leaves nothing behind: the next run asks for the same lines.
"""

import os
import tempfile
from pathlib import Path
from typing import BinaryIO


class Spool:
    """Lines in the order in which they were added."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by `close`
        self.size = 0
        """In bytes."""

    def add(self, line: bytes) -> None:
        """Appends one line."""
        self._file.write(line)
        self.size += len(line)

    def open(self) -> BinaryIO:
        """All lines, from the first; the caller closes it. One at a time: they share a position."""
        self._file.flush()
        lines = os.fdopen(os.dup(self._file.fileno()), "rb")
        lines.seek(0)
        return lines

    def close(self) -> None:
        """Lets the lines go."""
        self._file.close()
