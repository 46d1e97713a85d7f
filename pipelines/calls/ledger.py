"""The ledger: every finished sample, once. What it holds is never paid again.

A **sample** is one completion of one request. Its key is a hash of all that decides its text:
model identity, model, messages, tools, sampling parameters and sample index; not `n`, window,
timeout, price or API key. So raising n from 4 to 8 buys exactly 4, and a changed margin nothing.

    segments.py        the files: append-only, one writer each
    lines.py           a record in its frame: what is broken shows
    blocks.py          many lines read and checked at once
    syncer.py          fsync, in the background
    ledger_record.py   one reply as JSON
    ledger_index.py    request key and sample index -> location, in memory
    voids.py           refusals that are to be forgotten

A record is written before its reply is counted: SIGKILL loses nothing, power loss the last second.
Two builds that run at once may each pay for the same call, for neither sees what the other writes
after it opened.
"""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from pipelines.backend import Completion, Reply
from pipelines.calls.blocks import Block
from pipelines.calls.bought import Bought, bought_of
from pipelines.calls.ledger_index import Entries, LedgerIndex, entries_of
from pipelines.calls.ledger_record import (
    VERSION,
    decode,
    encode,
    head_indices,
    paid_indices,
    refuse_newer,
)
from pipelines.calls.lines import KEY_BYTES, TEXT_AT
from pipelines.calls.segments import PARTITIONS, Damage, Location, Segments
from pipelines.calls.voids import Voids
from schemas.canonical import canonical_json
from schemas.rows import Message


def request_key(
    model_identity: str,
    model: str,
    messages: tuple[Message, ...],
    tools: str | None,
    params: dict[str, Any],
) -> bytes:
    """The 16-byte key of a request: a hash of all that decides its answer but the sample index."""
    canonical = [message.canonical() for message in messages]
    decisive = canonical_json([model_identity, model, canonical, tools, params])
    return hashlib.sha256(decisive).digest()[:KEY_BYTES]


@lru_cache(maxsize=4096)
def partition_of(unit_id: str) -> int:
    """The partition that a unit's samples are written to, in [0, PARTITIONS)."""
    return hashlib.sha256(unit_id.encode("utf-8", "surrogatepass")).digest()[0] % PARTITIONS


class Ledger:
    """The samples of one ledger folder. For one thread (one event loop).

    The partition of a unit decides where its samples are written, not whether they are found: an
    equal request of any unit is found in every partition that was loaded. Where several records
    hold one sample (two builds paid for it at once, or two ledgers were merged), the first by
    partition, file name and offset counts: this order is the same on every machine and, unlike
    "the latest", stays the same when a writer adds records, so a published version replays.
    """

    def __init__(self, folder: Path, partitions: Collection[int] | None = None) -> None:
        """Loads the index of `partitions` (None: of all). Raises StoreError."""
        self._partitions = frozenset(range(PARTITIONS) if partitions is None else partitions)
        self._segments = Segments(folder)
        self._voids = Voids(folder, self._partitions)
        self._index = LedgerIndex(self._recorded())
        self._latest: tuple[Location, dict[str, Any]] | None = None

    @property
    def samples(self) -> int:
        """How many samples are known."""
        return len(self._index)

    @property
    def damaged(self) -> list[Damage]:
        """What could not be read when the ledger was opened: file, byte offset, and why."""
        return [*self._segments.damaged, *self._voids.damaged]

    def get(self, unit_id: str, key: bytes, index: int) -> Completion | None:
        """Sample `index` of the request with `key`; None: it is still to be bought.

        A final refusal of the endpoint comes back as it was stored, with `error` set, unless it
        was void when the ledger was opened. Raises StoreError if the record changed on disk since.
        """
        self._partition(unit_id)
        location = self._index.get(key, index)
        return None if location is None else decode(self._record(location), index)

    def bought_with(self, key: bytes, index: int) -> Bought | None:
        """The reply that sample `index` of the request with `key` came in; None: not yet bought."""
        location = self._index.get(key, index)
        if location is None:
            return None
        before = not self._segments.is_own(location)
        return bought_of(self._record(location), location, before=before)

    def put(
        self, unit_id: str, key: bytes, indices: list[int], reply: Reply, model: str | None = None
    ) -> None:
        """Stores the first completions of `reply` as samples `indices` of the request with `key`.

        They are one record, so that a torn tail never splits a reply. Lone surrogates in texts
        become U+FFFD. `model` (identity, "#", id) is kept with a refusal. Raises StoreError if it
        cannot be written.
        """
        if not indices:
            return
        text = encode(indices, reply, model)
        location = self._segments.append(self._partition(unit_id), key, text)
        for index in indices:
            self._index.add(key, index, location)

    def close(self) -> None:
        """Syncs and closes the files. Raises StoreError if a sync failed, now or before."""
        self._segments.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _recorded(self) -> Iterator[Entries]:
        """What the segments hold, in the order that decides which record counts."""
        for segment, block in self._segments.blocks(self._partitions):
            yield entries_of(segment, block, self._indices(block))

    def _indices(self, block: Block) -> list[Sequence[int]]:
        """The sample indices of each record, less those that are void."""
        voided = self._voids.of(block.file)
        starts = (block.lines[:, 0] + TEXT_AT).tolist()
        heads = [head_indices(block.content, start) for start in starts]
        if not voided and all(heads):
            return heads
        indices: list[Sequence[int]] = []
        for offset, _, key, text in block.records():
            record = orjson.loads(text)
            refuse_newer(record["v"], VERSION, block.file, offset)
            forgotten = (offset, key) in voided
            indices.append(paid_indices(record) if forgotten else record["indices"])
        return indices

    def _record(self, location: Location) -> dict[str, Any]:
        """The record at `location`. The latest stays: the samples of a reply are asked in turn."""
        if self._latest is None or self._latest[0] != location:
            self._latest = location, orjson.loads(self._segments.read(location)[1])
        return self._latest[1]

    def _partition(self, unit_id: str) -> int:
        partition = partition_of(unit_id)
        if partition not in self._partitions:  # else its samples would be paid again in silence
            raise ValueError(f"unit {unit_id}: partition {partition} was not loaded")
        return partition
