"""Duplicates: which of several steps after one prefix say the same, so that one child is enough."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_TOKEN = re.compile(r"\w+|[^\w\s]")


class Wording:
    """What two texts are compared by; of most pairs, the numbers or the sets of tokens will do."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def numbers(self) -> list[str]:
        """The numbers in it, in their order."""
        return _NUMBER.findall(self.text)

    @cached_property
    def tokens(self) -> list[str]:
        """Its words and signs, in their order, and its ends."""
        return ["", *_TOKEN.findall(self.text.casefold()), ""]

    @cached_property
    def distinct_tokens(self) -> set[str]:
        """Its words and signs."""
        return set(self.tokens)

    @cached_property
    def neighbours(self) -> Counter[tuple[str, str]]:
        """The pairs of neighbouring tokens."""
        return Counter(pairwise(self.tokens))

    def is_near(self, other: "Wording", threshold: float) -> bool:
        """Whether `overlap` of both texts is above `threshold`."""
        if threshold >= 1 or self.numbers != other.numbers:
            return False
        size = len(self.tokens) + len(other.tokens) - 2
        return 2 * self._most_shared(other) / size > threshold and (
            2 * (self.neighbours & other.neighbours).total() / size > threshold
        )

    def _most_shared(self, other: "Wording") -> int:
        """At most so many pairs are in both: a token that the other lacks costs one at least."""
        own, others = self.distinct_tokens, other.distinct_tokens
        return min(
            len(self.tokens) - 1 - len(own - others), len(other.tokens) - 1 - len(others - own)
        )


def normalised(text: str) -> str:
    r"""`text` as far as it matters for being the same: no case, no white space but single blanks.

    >>> normalised("So  12 \n= ＡＢ") == normalised("so 12 = ab")
    True
    """
    same = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(same.casefold().split())


def overlap(one: str, other: str) -> float:
    """F of the pairs of neighbouring tokens that two texts share, in [0, 1].

    2 |a & b| / (|a| + |b|), as multisets, text ends included. Texts whose numbers differ share
    nothing: a sum with another result is another step, however long it is.

    >>> round(overlap("add 3 and 4", "Add 3 and 4."), 6), overlap("3 - 4 = 1", "3 - 4 = 2")
    (0.727273, 0.0)
    """
    first, second = Wording(one), Wording(other)
    if first.numbers != second.numbers:
        return 0.0
    shared = (first.neighbours & second.neighbours).total()
    return 2 * shared / (first.neighbours.total() + second.neighbours.total())


def distinct(texts: Sequence[str], threshold: float, limit: int) -> list[int]:
    """Positions of the texts that are kept: at most `limit`, the first of those that say the same.

    Blank ones, equals when `normalised`, and those whose `overlap` with a kept one is above
    `threshold` are not (MCTS-DPO: F of embeddings, 0.99).

    >>> distinct(["a b", "A  b", " ", "c", "d"], 0.99, 2)
    [0, 3]
    """
    kept: dict[str, tuple[int, Wording]] = {}
    for position, text in enumerate(texts):
        normal = normalised(text)
        if len(kept) == limit:
            break
        if not normal or normal in kept:
            continue
        wording = Wording(normal)
        if not any(wording.is_near(other, threshold) for _, other in kept.values()):
            kept[normal] = position, wording
    return [position for position, _ in kept.values()]
