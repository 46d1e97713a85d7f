"""Canonical JSON and identifiers: equal values give equal bytes, on every machine, in every run."""

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson

ID_LENGTH = 32
"""Hexadecimal digits of an identifier: the first 128 bits of a SHA-256."""

MICRO = 1_000_000
"""Micro-units in one unit of score. Selection compares integers only."""


def canonical_json(value: Any) -> bytes:
    """The canonical JSON of `value`: sorted keys, no white space, UTF-8, nothing normalised.

    Raises TypeError for a value that JSON cannot hold, a lone surrogate in a string included.

    >>> canonical_json({"b": 1, "a": ["é"]}).decode()
    '{"a":["é"],"b":1}'
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def make_id(kind: str, *parts: Any) -> str:
    """The identifier of a row: SHA-256 over its kind and parts, `ID_LENGTH` hexadecimal digits.

    >>> make_id("prompt", ["x"]) == make_id("prompt", ["x"]) != make_id("response", ["x"])
    True
    """
    digest = hashlib.sha256(canonical_json([kind, *parts]))
    return digest.hexdigest()[:ID_LENGTH]


def draw_integer(*path: Any) -> int:
    """A pseudo-random integer in [0, 2**64) that depends on `path` alone.

    All randomness that decides content comes from here: keyed by (seed, row id, purpose), so it
    depends neither on the order of the rows nor on the machine.
    """
    return int.from_bytes(hashlib.sha256(canonical_json(list(path))).digest()[:8], "big")


def draw_unit(*path: Any) -> float:
    """A pseudo-random number in [0, 1) with 53 bits that depends on `path` alone."""
    return (draw_integer(*path) >> 11) * 2.0**-53


def join_key(values: Sequence[Any]) -> str:
    """The text under which recorded rows join: the canonical JSON of the key columns' values.

    Numbers and their texts are different keys, as in SQL.

    >>> join_key(["q1", 3])
    '["q1",3]'
    """
    return canonical_json(list(values)).decode()
