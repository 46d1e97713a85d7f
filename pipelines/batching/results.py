"""The results of a job: a file of lines in any order, found by their custom_id."""

import os
from typing import BinaryIO

from pipelines.batching.lines import id_of


class Results:
    """Result lines on disk. Of several with one custom_id, the first counts."""

    def __init__(self, lines: BinaryIO) -> None:
        """Reads `lines` once, from the start, to know where each lies. It is closed by `close`.

        What is no result (a torn line, an empty one, one that says "expired") is passed over.
        """
        self._lines = lines
        self._places: dict[str, tuple[int, int]] = {}
        offset = 0
        lines.seek(0)
        for line in lines:
            custom_id = id_of(line)
            if custom_id is not None:
                self._places.setdefault(custom_id, (offset, len(line)))
            offset += len(line)

    def get(self, custom_id: str) -> bytes | None:
        """The result line of a request; None: it has none, or all of it is closed."""
        place = self._places.get(custom_id)
        if place is None or self._lines.closed:
            return None
        offset, length = place
        return os.pread(self._lines.fileno(), length, offset)

    def close(self) -> None:
        """Lets the file go."""
        self._lines.close()
