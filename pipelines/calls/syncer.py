"""The syncer: one fsync for all writes of half a second, off the thread that writes."""

import os
import threading
from pathlib import Path

from pipelines.errors import StoreError

SYNC_S = 0.5
"""Seconds between two rounds of fsync; with the round itself, power loss costs about a second."""


class Syncer:
    """Fsyncs marked files and folders in the background, each once for all writes of a round."""

    def __init__(self) -> None:
        self._marked: set[Path] = set()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: OSError | None = None

    def mark(self, path: Path) -> None:
        """`path` was written to."""
        self._marked.add(path)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="ledger-fsync", daemon=True)
            self._thread.start()

    def check(self) -> None:
        """Raises StoreError if a sync failed: what was written before it may not be on the disk."""
        if self._failure is not None:
            raise StoreError(
                f"{self._failure.filename}: cannot be synced: {self._failure.strerror}. "
                "Look after the disk, then run again: what can still be read is not paid twice"
            ) from self._failure

    def stop(self) -> None:
        """Ends the thread and syncs what is still marked."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._sync()

    def _run(self) -> None:
        while not self._stopping.wait(SYNC_S):
            self._sync()

    def _sync(self) -> None:
        for _ in range(len(self._marked)):
            path = self._marked.pop()  # before the fsync: a write during it marks the path again
            try:
                _fsync(path)
            except OSError as error:
                if not path.is_dir():  # some file systems cannot sync a folder, and need not
                    error.filename = path
                    self._failure = error


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
