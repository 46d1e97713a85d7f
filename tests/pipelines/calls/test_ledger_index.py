"""The index against a dictionary, and what it weighs."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.calls.blocks import Block
from pipelines.calls.ledger import request_key
from pipelines.calls.ledger_index import Entries, LedgerIndex, entries_of
from pipelines.calls.segments import Location

Record = tuple[bytes, list[int], Location]

KEYS = [bytes(8) + bytes([tail]) + bytes(7) for tail in range(4)] + [
    bytes([head]) + bytes(14) + b"\x80" for head in (0, 3, 4, 255)
]
"""Of one slice and of several, with equal halves, and NULs at both ends; as hashes do, no two of
them differ by no more than two indices do."""

records = st.lists(
    st.tuples(
        st.sampled_from(KEYS),
        st.lists(st.integers(0, 9), max_size=4, unique=True),
        st.builds(Location, st.integers(0, 9), st.integers(0, 2**40), st.integers(43, 2**32 - 1)),
    ),
    max_size=60,
)


def key_of(number: int) -> bytes:
    return request_key("identity", "m", (), None, {"number": number})


def recorded(found: list[Record]) -> Iterator[Entries]:
    """Each record as a block of its own."""
    for key, indices, place in found:
        lines = np.array([[7, 7 + place.length]])
        block = Block(Path("segment"), place.offset - 7, memoryview(b""), lines, key, [])
        yield entries_of(place.segment, block, [indices])


@given(before=records, after=records, fresh=st.integers(1, 5), gathered=st.integers(1, 20))
def test_the_index_is_a_map_in_which_the_first_location_of_a_sample_stays(
    before: list[Record], after: list[Record], fresh: int, gathered: int
):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.calls.ledger_index.FRESH", fresh)
        patch.setattr("pipelines.calls.ledger_index.GATHERED", gathered)
        index = LedgerIndex(recorded(before))
        expected = dict[tuple[bytes, int], Location]()
        for key, indices, location in before:
            for number in indices:
                expected.setdefault((key, number), location)
        assert len(index) == len(expected)
        for key, indices, location in after:
            for number in indices:
                index.add(key, number, location)
                expected.setdefault((key, number), location)
        assert len(index) == len(expected)
        for key in KEYS:
            for number in range(10):
                assert index.get(key, number) == expected.get((key, number))


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def test_the_index_takes_at_most_64_bytes_for_each_sample_that_is_added(traced: None):
    count = 200_000
    index = LedgerIndex()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(count):
        location = Location(number % 500, number * 3000, 3000)
        index.add(key_of(number // 4), number % 4, location)
    after, peak = tracemalloc.get_traced_memory()
    assert len(index) == count
    assert after - before <= 64 * count
    assert peak - before <= 64 * count


def test_the_index_takes_at_most_64_bytes_for_each_sample_while_a_ledger_is_opened(traced: None):
    count, at_once = 200_000, 1000
    lines = np.array([[42 * number, 42 * number + 41] for number in range(at_once)])

    def blocks() -> Iterator[Entries]:
        for first in range(0, count, at_once):
            keys = b"".join(key_of(number) for number in range(first, first + at_once))
            block = Block(Path("segment"), 42 * first, memoryview(b""), lines, keys, [])
            yield entries_of(0, block, [(0,)] * at_once)

    before = tracemalloc.get_traced_memory()[0]
    index = LedgerIndex(blocks())
    after, peak = tracemalloc.get_traced_memory()
    assert len(index) == count
    assert after - before <= 64 * count
    assert peak - before <= 64 * count
