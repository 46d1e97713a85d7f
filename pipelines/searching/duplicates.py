"""Duplicates: which of several steps after one prefix say the same, so that one child is enough."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

Similarity = Callable[[str, str], float]
"""How much two texts say the same, in [0, 1]."""

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_TOKEN = re.compile(r"\w+|[^\w\s]")


def normalised(text: str) -> str:
    r"""`text` as far as it matters for being the same: no case, no white space but single blanks.

    >>> normalised("So  12 \n= ＡＢ") == normalised("so 12 = ab")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def overlap(one: str, other: str) -> float:
    """F of the pairs of neighbouring tokens that two texts share, in [0, 1].

    2 |a & b| / (|a| + |b|), as multisets, text ends included. Texts whose numbers differ share
    nothing: a sum with another result is another step, however long it is.

    >>> round(overlap("add 3 and 4", "Add 3 and 4."), 6), overlap("3 - 4 = 1", "3 - 4 = 2")
    (0.727273, 0.0)
    """
    if _NUMBER.findall(one) != _NUMBER.findall(other):
        return 0.0
    first, second = _neighbours(one), _neighbours(other)
    return 2 * (first & second).total() / (first.total() + second.total())


def distinct(
    texts: Sequence[str], threshold: float, limit: int, similarity: Similarity = overlap
) -> list[int]:
    """Positions of the texts that are kept: at most `limit`, the first of those that say the same.

    Blank ones, equals when `normalised`, and those of a similarity above `threshold` to a kept one
    are not (MCTS-DPO: F of embeddings, 0.99).

    >>> distinct(["a b", "A  b", " ", "c", "d"], 0.99, 2)
    [0, 3]
    """
    kept: dict[str, int] = {}
    for position, text in enumerate(texts):
        normal = normalised(text)
        if len(kept) == limit:
            break
        if not normal or normal in kept:
            continue
        if all(similarity(normal, other) <= threshold for other in kept):
            kept[normal] = position
    return list(kept.values())


def _neighbours(text: str) -> Counter[tuple[str, str]]:
    return Counter(pairwise(["", *_TOKEN.findall(text.casefold()), ""]))
