"""The ledger's index: (request key, sample index) -> location, in about 40 bytes for each sample.

A dictionary costs some 300 bytes for each sample. Here sorted arrays (32 bytes) hold nearly all,
and a small dictionary what was added last; it is merged in when it outgrows a share of them. The
keys are spread over slices, so that one merge moves one slice and never halts the event loop.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from struct import Struct

import numpy as np
from numpy.typing import NDArray

from pipelines.calls.blocks import Block
from pipelines.calls.segments import Location

SLICE_BITS = 4
"""The upper bits of a key say which slice it is in."""
FRESH = 256
"""Samples that a slice's dictionary holds at least before it is merged."""
SHARE = 32
"""The dictionary may also hold one sample for each `SHARE` in the arrays."""
GATHERED = 1 << 14
"""Entries that are spread over the slices together when a ledger is opened."""

Entries = NDArray[np.uint64]
"""A row for each sample: the halves of its key, the offset, and segment << 32 | length."""

_SHIFT = 64 - SLICE_BITS
_halves = Struct(">QQ").unpack


def entries_of(segment: int, block: Block, indices: Sequence[Sequence[int]]) -> Entries:
    """The samples of a block, whose records hold these sample indices: for a new index."""
    records = np.empty((len(indices), 4), np.uint64)
    records[:, :2] = np.frombuffer(block.keys, ">u8").reshape(-1, 2)
    records[:, 2] = block.offset + block.lines[:, 0]
    records[:, 3] = block.lines[:, 1] - block.lines[:, 0] + (segment << 32)
    samples = records.repeat([len(filled) for filled in indices], axis=0)
    samples[:, 1] ^= np.fromiter(chain.from_iterable(indices), np.uint64, len(samples))
    return samples


class LedgerIndex:
    """A map from samples to locations. What came first for a sample stays.

    The key of a sample is its request's XOR its index: 128 bits, spread as evenly as the hash, so
    that two samples meet no sooner than two requests.
    """

    def __init__(self, recorded: Iterable[Entries] = ()) -> None:
        """Takes in what is `recorded`, in its order."""
        piles = [_Pile() for _ in range(1 << SLICE_BITS)]
        for entries in _gathered(recorded):
            slices = (entries[:, 0] >> np.uint64(_SHIFT)).astype(np.uint8)
            ends = np.bincount(slices, minlength=len(piles)).cumsum()
            parts = np.split(entries[slices.argsort(kind="stable")], ends[:-1])
            for pile, part in zip(piles, parts, strict=True):
                pile.append(part)
        self._slices: list[_Slice] = []
        while piles:  # one after the other, so that the piles never lie beside all of the slices
            self._slices.append(_Slice(piles.pop(0).entries))

    def add(self, key: bytes, index: int, location: Location) -> None:
        """Adds sample `index` of the request with `key`, unless it is there."""
        high, low = _halves(key)
        part: _Slice = self._slices[high >> _SHIFT]
        part.add(high, low ^ index, location)

    def get(self, key: bytes, index: int) -> Location | None:
        """The location of sample `index` of the request with `key`; None: it is not there."""
        high, low = _halves(key)
        part: _Slice = self._slices[high >> _SHIFT]
        return part.get(high, low ^ index)

    def __len__(self) -> int:
        return sum(map(len, self._slices))


class _Slice:
    """Entries sorted by the upper half of their keys, and what is not merged into them yet."""

    __slots__ = ("entries", "fresh", "highs")

    def __init__(self, recorded: Entries) -> None:
        entries = recorded[np.lexsort((recorded[:, 1], recorded[:, 0]))]  # stable
        again = (entries[1:, :2] == entries[:-1, :2]).all(axis=1)
        self._hold(np.delete(entries, np.flatnonzero(again) + 1, axis=0))

    def __len__(self) -> int:
        return len(self.entries) + len(self.fresh)

    def add(self, high: int, low: int, location: Location) -> None:
        if self.get(high, low) is not None:
            return
        self.fresh[high, low] = location
        if len(self.fresh) > FRESH + len(self.entries) // SHARE:
            self._merge()

    def get(self, high: int, low: int) -> Location | None:
        fresh = self.fresh.get((high, low))
        if fresh is not None:
            return fresh
        place = bisect_left(self.highs, high)
        while place < len(self.highs) and self.highs[place] == high:
            _, other, offset, rest = self.entries[place].tolist()
            if other == low:
                return Location(rest >> 32, offset, rest & 0xFFFF_FFFF)
            place += 1
        return None

    def _merge(self) -> None:
        rows = [(*key, at.offset, at.segment << 32 | at.length) for key, at in self.fresh.items()]
        fresh = np.array(sorted(rows), np.uint64)
        places = np.searchsorted(self.entries[:, 0], fresh[:, 0])
        self._hold(np.insert(self.entries, places, fresh, axis=0))

    def _hold(self, entries: Entries) -> None:
        self.entries = entries
        self.highs = entries[:, 0].data  # a memoryview: bisect reads it ten times as fast
        self.fresh: dict[tuple[int, int], Location] = {}


class _Pile:
    """Entries that come bit by bit. They grow in place: copies in between would stay resident."""

    def __init__(self) -> None:
        self._room: Entries = np.empty((0, 4), np.uint64)
        self._count = 0

    @property
    def entries(self) -> Entries:
        return self._room[: self._count]

    def append(self, part: Entries) -> None:
        start, self._count = self._count, self._count + len(part)
        if self._count > len(self._room):
            self._room.resize((self._count + self._count // 4, 4), refcheck=False)
        self._room[start : self._count] = part


def _gathered(recorded: Iterable[Entries]) -> Iterator[Entries]:
    """The same entries, so many at once that to spread them over the slices pays."""
    waiting, count = [], 0
    for entries in recorded:
        waiting.append(entries)
        count += len(entries)
        if count >= GATHERED:
            yield np.concatenate(waiting)
            waiting, count = [], 0
    if waiting:
        yield np.concatenate(waiting)
