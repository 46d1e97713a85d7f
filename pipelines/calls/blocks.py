"""Blocks: a segment read from its start, some hundred records at a time.

Opening a ledger is reading all of it. So a block judges its lines as `lines.fault` does, but all at
once and at a fraction of the cost.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from pipelines.calls.lines import HEX, KEY_AT, KEY_BYTES, TEXT_AT, fault
from pipelines.errors import StoreError

BLOCK = 1 << 19
"""Bytes of a block: few enough to stay in a core's cache; more where a line is longer."""


_HEX = np.isin(np.arange(256), list(HEX))
_NONE = np.empty((0, 2), np.intp)


class Block(NamedTuple):
    """The records in a stretch of one segment."""

    file: Path
    offset: int
    """Of the stretch's first byte."""
    content: memoryview
    """The stretch. The next block is read into the same memory."""
    lines: NDArray[np.intp]
    """First byte and end in `content` of each sound line."""
    keys: bytes
    """Request keys of the sound lines, one behind the other."""
    broken: list[tuple[int, str]]
    """Offset of each line that is not sound, and why it is not."""

    def records(self) -> Iterator[tuple[int, int, bytes, bytes]]:
        """Offset, length, request key and JSON text of each sound line."""
        for number, (start, end) in enumerate(self.lines.tolist()):
            key = self.keys[KEY_BYTES * number : KEY_BYTES * (number + 1)]
            yield self.offset + start, end - start, key, bytes(self.content[start + TEXT_AT : end])


def read_blocks(file: Path) -> Iterator[Block]:
    """The blocks of `file` in their order. Raises StoreError if it cannot be read."""
    try:
        with file.open("rb") as segment:
            buffer = bytearray(min(BLOCK, file.stat().st_size + 1))
            offset = 0
            while filled := segment.readinto(buffer):
                end = buffer.rfind(b"\n", 0, filled) + 1
                if end or filled < len(buffer):
                    yield _block(file, offset, memoryview(buffer)[: end or filled])
                    offset += end or filled
                else:
                    buffer = bytearray(2 * len(buffer))  # a line is longer
                segment.seek(offset)
    except OSError as error:
        raise StoreError(
            f"{file}: {error.strerror}. Without it its samples would be bought again"
        ) from error


def _block(file: Path, offset: int, content: memoryview) -> Block:
    """The block of `content`: whole lines, or what a file has behind its last newline."""
    octets = np.frombuffer(content, np.uint8)
    ends = np.flatnonzero(octets == ord("\n"))
    if len(ends) == 0:
        return Block(file, offset, content, _NONE, b"", [(offset, "the last line has no end")])
    lines = np.stack([np.append(0, ends[:-1] + 1), ends], axis=1)
    lines = lines[lines[:, 0] < lines[:, 1]]
    # the head of a short line has a newline, which no checksum and no key has
    heads = octets.take(lines[:, :1] + np.arange(TEXT_AT), mode="clip")
    sound = (heads[:, :KEY_AT] == _checksums(content, lines)).all(axis=1)
    sound &= _HEX[heads[:, KEY_AT:-1]].all(axis=1) & (heads[:, -1] == ord(" "))
    keys = bytes.fromhex(heads[sound, KEY_AT:-1].tobytes().decode())
    broken = [
        (offset + start, fault(bytes(content[start:end]))) for start, end in lines[~sound].tolist()
    ]
    return Block(file, offset, content, lines[sound], keys, broken)


def _checksums(content: memoryview, lines: NDArray[np.intp]) -> NDArray[np.uint8]:
    """What each line begins with if it is sound."""
    sums = (crc32(content[start + KEY_AT : end]) for start, end in lines.tolist())
    text = np.fromiter(sums, ">u4", len(lines)).tobytes().hex(" ", 4) + " "
    return np.frombuffer(text.encode(), np.uint8, KEY_AT * len(lines)).reshape(-1, KEY_AT)
