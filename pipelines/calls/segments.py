r"""Segments: append-only files of checked lines, each with one writer.

    <folder>/p00/<writer>.jsonl ... p3f/       one folder for each partition

A record is one line that opens and closes with a newline of its own:

    \n<crc32 of the rest, 8 hex> <request key, 32 hex> <JSON>\n

So damage never reaches the neighbours: whichever byte is lost, torn or changed, one record goes.
A writer's name is its UTC time and a random number: workers on several machines share a folder
without locks, since nobody appends to, truncates or rewrites another's file.
"""

import os
import secrets
from collections import OrderedDict
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pipelines.calls.blocks import Block, read_blocks
from pipelines.calls.lines import frame, unframe
from pipelines.calls.syncer import Syncer
from pipelines.errors import StoreError

PARTITIONS = 64
"""Folders of a ledger. A shard of a build loads only those of its units."""

MOST_READERS = 64
"""Segments that are held open for reading."""


class Location(NamedTuple):
    """Where a line lies: the number of its segment, its first byte, and its length in bytes."""

    segment: int
    offset: int
    length: int


class Damage(NamedTuple):
    """A line that cannot be read: what it held is lost, and only that."""

    file: Path
    offset: int
    """Of the line's first byte."""
    why: str


class Segments:
    """The segments of one ledger folder: those that are there, and this writer's own."""

    def __init__(self, folder: Path, suffix: str = ".jsonl") -> None:
        self.folder = folder
        self._suffix = suffix
        self.damaged: list[Damage] = []
        """What `scan` found broken. A torn last line may also be one that is being written now."""
        self._files: list[Path] = []
        self._found = 0  # so many of them were there, and this writer's own come behind
        self._own: dict[int, tuple[int, int]] = {}  # partition -> (segment, file descriptor)
        self._readers: OrderedDict[int, int] = OrderedDict()  # segment -> file descriptor
        self._syncer = Syncer()
        now = datetime.now(UTC)
        self._writer = f"{now:%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(8)}"

    def file(self, location: Location) -> Path:
        """The file that `location` lies in."""
        return self._files[location.segment]

    def is_own(self, location: Location) -> bool:
        """Whether this writer wrote what lies there."""
        return location.segment >= self._found

    def scan(self, partitions: Collection[int]) -> Iterator[tuple[Location, bytes, bytes]]:
        """Location, request key and JSON text of each record, by partition, file name and offset.

        Broken lines are added to `damaged` and passed over. Raises StoreError.
        """
        for segment, block in self.blocks(partitions):
            for offset, length, key, text in block.records():
                yield Location(segment, offset, length), key, text

    def blocks(self, partitions: Collection[int]) -> Iterator[tuple[int, Block]]:
        """As `scan`, many records at once, with the number of their segment."""
        for partition in sorted(partitions):
            for file in sorted(self._folder_of(partition).glob(f"*{self._suffix}")):
                self._files.append(file)
                self._found = len(self._files)
                for block in read_blocks(file):
                    self.damaged += [Damage(file, offset, why) for offset, why in block.broken]
                    yield self._found - 1, block

    def append(self, partition: int, key: bytes, text: bytes) -> Location:
        """Writes one record; when it returns, SIGKILL loses it no more. Raises StoreError."""
        self._syncer.check()
        segment, descriptor = self._own.get(partition) or self._start(partition)
        line = frame(key, text)
        try:
            _write_all(descriptor, b"\n%b\n" % line)
            end = os.lseek(descriptor, 0, os.SEEK_CUR)  # where O_APPEND has put it, come what may
        except OSError as error:
            raise _unwritten(self._files[segment], error) from error
        self._syncer.mark(self._files[segment])
        return Location(segment, end - 1 - len(line), len(line))

    def read(self, location: Location) -> tuple[bytes, bytes]:
        """Request key and JSON text at `location`. Raises StoreError if they changed."""
        try:
            descriptor = self._reader(location.segment)
            return unframe(os.pread(descriptor, location.length, location.offset))
        except (OSError, ValueError) as error:
            raise StoreError(
                f"{self.file(location)}: byte {location.offset}: {error}, and it was sound when "
                "the ledger was opened. Run the command again: what is lost is bought anew"
            ) from error

    def close(self) -> None:
        """Syncs what was written and closes all files. Raises StoreError if a sync failed."""
        self._syncer.stop()
        for descriptor in (*self._readers.values(), *(own[1] for own in self._own.values())):
            os.close(descriptor)
        self._readers.clear()
        self._own.clear()
        self._syncer.check()

    def _folder_of(self, partition: int) -> Path:
        return self.folder / f"p{partition:02x}"

    def _start(self, partition: int) -> tuple[int, int]:
        """Opens this writer's own segment of `partition`."""
        folder = self._folder_of(partition)
        file = folder / f"{self._writer}{self._suffix}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
        except OSError as error:
            raise _unwritten(file, error) from error
        for parent in (folder, self.folder, self.folder.parent):
            self._syncer.mark(parent)
        self._files.append(file)
        self._own[partition] = (len(self._files) - 1, descriptor)
        return self._own[partition]

    def _reader(self, segment: int) -> int:
        if segment in self._readers:
            self._readers.move_to_end(segment)
            return self._readers[segment]
        if len(self._readers) == MOST_READERS:
            os.close(self._readers.popitem(last=False)[1])
        self._readers[segment] = os.open(self._files[segment], os.O_RDONLY)
        return self._readers[segment]


def _write_all(descriptor: int, line: bytes) -> None:
    """One write for the whole line; more only where the system took less of it."""
    written = os.write(descriptor, line)
    while written < len(line):
        written += os.write(descriptor, line[written:])


def _unwritten(file: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{file}: cannot be written: {error.strerror}. What the ledger holds is kept: make room "
        "or give the right to write, then run the command again"
    )
