"""Files beside an ONNX graph that hold its weights, under whatever names the graph gives them.

A graph is one Protocol Buffers message: fields of (number, kind, value). Only the way to tensors is
gone; weights that lie in the graph itself are stepped over, not read.

    model ─ graph ─┬ initializer ─> external_data: location
                   └ node ─ attribute ─┬ tensor
                                       └ graph of a branch or a loop
"""

import mmap
from collections.abc import Iterator
from pathlib import Path

VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES = 0, 1, 2, 5

INTO = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
}
"""Message -> its fields that lead on, by their numbers in onnx.proto."""


def locations(graph: Path) -> list[str]:
    """The files that a graph keeps tensors in, relative to its folder; none where it cannot be read.

    (ONNX Runtime says what is wrong with a graph that cannot be read.)
    """
    with graph.open("rb") as file:
        if not graph.stat().st_size:
            return []
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            try:
                return sorted(set(_locations(content, 0, len(content), "model")))
            except (IndexError, ValueError, RecursionError):
                return []


def _locations(content: mmap.mmap, start: int, end: int, message: str) -> Iterator[str]:
    """The locations in a message that lies between two bytes."""
    for number, first, last in _fields(content, start, end):
        into = INTO[message].get(number)
        if into == "entry":
            key, value = _entry(content, first, last)
            if key == b"location":
                yield value.decode()
        elif into is not None:
            yield from _locations(content, first, last, into)


def _entry(content: mmap.mmap, start: int, end: int) -> tuple[bytes, bytes]:
    """Key and value of a StringStringEntryProto."""
    found = {number: content[first:last] for number, first, last in _fields(content, start, end)}
    return found.get(1, b""), found.get(2, b"")


def _fields(content: mmap.mmap, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The fields of a message that hold bytes: number, first byte, and the byte behind the last."""
    while start < end:
        tag, start = _varint(content, start)
        kind = tag & 7
        if kind == VARINT:
            _, start = _varint(content, start)
        elif kind == BYTES:
            size, start = _varint(content, start)
            if start + size > end:
                raise ValueError("a field ends behind its message")
            yield tag >> 3, start, start + size
            start += size
        elif kind in (EIGHT_BYTES, FOUR_BYTES):
            start += 8 if kind == EIGHT_BYTES else 4
        else:
            raise ValueError(f"no such kind of field: {kind}")


def _varint(content: mmap.mmap, start: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first, and the byte behind it."""
    value = shift = 0
    while True:
        byte = content[start]
        value |= (byte & 127) << shift
        start, shift = start + 1, shift + 7
        if byte < 128:
            return value, start
