"""The ledger's index: sample key -> where its record lies, in about 40 bytes for each sample.

A dictionary costs some 250 bytes for each sample. Here sorted arrays (32 bytes) hold nearly all,
and a small dictionary what was added last; it is merged in when it outgrows a share of them. The
keys are spread over slices, so that one merge moves one slice and never halts the event loop.
"""

import numpy as np
from numpy.typing import NDArray

from pipelines.calls.segments import Location

SLICES = 64
FRESH = 64
"""Samples that a slice's dictionary holds at least before it is merged."""
SHARE = 32
"""The dictionary may also hold one sample for each `SHARE` in the arrays."""

_LOCATION = np.dtype([("segment", "u4"), ("offset", "u8"), ("length", "u4")])


class LedgerIndex:
    """A map from 16-byte keys to locations. What was added first for a key stays."""

    def __init__(self) -> None:
        self._slices = [_Slice() for _ in range(SLICES)]

    def add(self, key: bytes, location: Location) -> None:
        """Adds `key`, unless it is there."""
        self._slices[key[0] % SLICES].add(key, location)

    def get(self, key: bytes) -> Location | None:
        """The location of `key`; None: it is not there."""
        return self._slices[key[0] % SLICES].get(key)

    def __len__(self) -> int:
        return sum(len(part.keys) + len(part.fresh) for part in self._slices)


class _Slice:
    """Sorted `keys` with their `locations`, and what is not merged into them yet."""

    __slots__ = ("fresh", "keys", "locations")

    def __init__(self) -> None:
        self.fresh: dict[bytes, Location] = {}
        self.keys: NDArray[np.bytes_] = np.empty(0, "S16")
        self.locations: NDArray[np.void] = np.empty(0, _LOCATION)

    def add(self, key: bytes, location: Location) -> None:
        if self.get(key) is not None:
            return
        self.fresh[key] = location
        if len(self.fresh) > FRESH + len(self.keys) // SHARE:
            self._merge()

    def get(self, key: bytes) -> Location | None:
        fresh = self.fresh.get(key)
        if fresh is not None:
            return fresh
        place = int(self.keys.searchsorted(np.bytes_(key)))
        # numpy strips trailing NULs from an element, but not from a slice's memory
        if self.keys[place : place + 1].tobytes() != key:
            return None
        return Location(*self.locations[place].item())

    def _merge(self) -> None:
        keys = np.array(list(self.fresh), "S16")
        order = keys.argsort()
        locations = np.array(list(self.fresh.values()), _LOCATION)
        places = self.keys.searchsorted(keys[order])
        self.keys = np.insert(self.keys, places, keys[order])
        self.locations = np.insert(self.locations, places, locations[order])
        self.fresh = {}
