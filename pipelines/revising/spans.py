"""Spans: what a revision changed, word by word (the token-level signals of FIGA, arXiv 2311.04072).

Words are runs of letters and digits, and every other character but white space by itself. The
spans are those of a shortest edit of words, neighbours as one; they are of characters, so that any
tokenizer can use them.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

_WORD = re.compile(r"\w+|[^\w\s]")


class Span(NamedTuple):
    """One change: characters `[from_start, from_end)` of the original became `[to_start, to_end)`.

    Of an insertion the first, of a deletion the second is empty.
    """

    from_start: int
    from_end: int
    to_start: int
    to_end: int


def changed_spans(original: str, revision: str) -> list[Span]:
    """The changes, in their order. White space alone is no change.

    >>> changed_spans("2 + 2 is three.", "2 + 2 is four.")
    [Span(from_start=9, from_end=14, to_start=9, to_end=13)]
    >>> changed_spans("It is 4.", "It is exactly 4.")
    [Span(from_start=5, from_end=5, to_start=6, to_end=13)]
    """
    ours, theirs = list(_WORD.finditer(original)), list(_WORD.finditer(revision))
    edit = Levenshtein.opcodes([word[0] for word in ours], [word[0] for word in theirs])
    changes: list[tuple[int, int, int, int]] = []
    for one in edit:
        if one.tag == "equal":
            continue
        a0, a1, b0, b1 = one.src_start, one.src_end, one.dest_start, one.dest_end
        if changes and (changes[-1][1], changes[-1][3]) == (a0, b0):
            a0, b0 = changes[-1][0], changes.pop()[2]
        changes.append((a0, a1, b0, b1))
    return [Span(*_extent(ours, a0, a1), *_extent(theirs, b0, b1)) for a0, a1, b0, b1 in changes]


def _extent(words: Sequence[re.Match[str]], start: int, end: int) -> tuple[int, int]:
    """The characters of words `[start, end)`; of none, the place after the word before them."""
    if start < end:
        return words[start].start(), words[end - 1].end()
    place = words[start - 1].end() if start else 0
    return place, place
