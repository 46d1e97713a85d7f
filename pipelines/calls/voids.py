"""Voids: refusals that the ledger shall forget, so that the next build asks again.

    <folder>/p00/<writer>.void     beside the segments, in the same checked lines

    <crc32> <request key> {"v": 1, "file": "<writer>.jsonl", "offset": 1234, "at": "..."}

A void lies in the partition of the one record that it names by file, offset and request key. So
nothing depends on clocks or on the order of writers: what is bought or refused after it has
another place and counts, whatever its file is called. Only the refused samples of the record are
forgotten, never a paid one. A void that is torn or changed voids nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import orjson

from pipelines.calls.ledger_record import refuse_newer
from pipelines.calls.segments import Damage, Location, Segments

VERSION = 1
"""Of a void."""

SUFFIX = ".void"


class Place(NamedTuple):
    """One record of a ledger folder: the same on every machine and for every reader."""

    partition: str
    """Name of the folder."""
    file: str
    """Name of the segment in it."""
    offset: int
    key: bytes
    """Request key of the record: a void never hits another one, even in a file put together anew."""


def place_of(segments: Segments, location: Location, key: bytes) -> Place:
    """The place of a record that `segments` found."""
    file = segments.file(location)
    return Place(file.parent.name, file.name, location.offset, key)


class Voids:
    """The voids of some partitions of a ledger folder, as they were when it was opened."""

    def __init__(self, folder: Path, partitions: Collection[int]) -> None:
        """Reads them. Raises StoreError."""
        segments = Segments(folder, SUFFIX)
        self._places: dict[tuple[str, str], set[tuple[int, bytes]]] = defaultdict(set)
        for location, key, text in segments.scan(partitions):
            void = orjson.loads(text)
            refuse_newer(void["v"], VERSION, segments.file(location), location.offset)
            partition = segments.file(location).parent.name
            self._places[partition, void["file"]].add((void["offset"], key))
        self.damaged: list[Damage] = segments.damaged

    def of(self, segment: Path) -> AbstractSet[tuple[int, bytes]]:
        """Offset and request key of the records that they name in a segment."""
        return self._places.get((segment.parent.name, segment.name), frozenset())


def write_voids(folder: Path, places: Iterable[Place]) -> None:
    """Appends a void for each of `places`; they are on the disk then. Raises StoreError."""
    segments = Segments(folder, SUFFIX)
    try:
        for place in places:
            partition = int(place.partition.removeprefix("p"), 16)
            segments.append(partition, place.key, _text(place))
    finally:
        segments.close()


def _text(place: Place) -> bytes:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return orjson.dumps({"v": VERSION, "file": place.file, "offset": place.offset, "at": at})
