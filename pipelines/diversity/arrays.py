"""Arrays: the texts of a JSON array, wherever in a reply it stands."""

import json
import re
from collections.abc import Iterator
from typing import Any

_START = re.compile(r'\[\s*(?=")')
_COMMA = re.compile(r"\s*,\s*")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_DECODER = json.JSONDecoder(strict=False)
"""Takes line breaks within texts, which models write."""


def texts_of_array(reply: str, n: int) -> list[str] | None:
    """The last array of `n` texts or more; else the longest one of texts; None where there is none.

    A comma behind the last text is passed over.

    >>> texts_of_array('Two [in JSON]: {"responses": ["Yes.", "No."]} (see [1])', 2)
    ['Yes.', 'No.']
    >>> texts_of_array('["Yes.",]', 2)
    ['Yes.']
    >>> texts_of_array("[1, 2]", 2)
    """
    found = list(_arrays(reply))
    return max(reversed(found), key=lambda texts: min(len(texts), n), default=None)


def _arrays(reply: str) -> Iterator[list[str]]:
    """The arrays of texts that are no part of another one."""
    end = 0
    for start in _START.finditer(reply):
        if start.start() < end:
            continue
        try:
            array, end = _array(reply, start.start(), start.end())
        except (ValueError, RecursionError):
            continue
        texts = [one for one in array if isinstance(one, str)]
        if len(texts) == len(array) and not _LONE_SURROGATE.search("".join(texts)):
            yield texts


def _array(reply: str, start: int, first: int) -> tuple[list[Any], int]:
    """The array from `start` on, and where it ends; its first text begins at `first`.

    Raises ValueError where there is none.
    """
    try:
        array, end = _DECODER.raw_decode(reply, start)
    except ValueError:
        return _array_with_comma(reply, first)
    return array, end


def _array_with_comma(reply: str, first: int) -> tuple[list[Any], int]:
    """As `_array`, of an array with a comma behind its last text."""
    found, at = [], first
    while reply[at : at + 1] != "]":
        one, end = _DECODER.raw_decode(reply, at)
        found.append(one)
        comma = _COMMA.match(reply, end)
        if comma is None:
            raise ValueError("no comma behind the last text")
        at = comma.end()
    return found, at + 1
