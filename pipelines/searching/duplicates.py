"""Duplicates: which of several steps after one prefix say the same, so that one child is enough."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NO_DIGITS = bytes(set(range(256)) - set(b"0123456789"))
_TOKEN = re.compile(r"\w+|[^\w\s]")


def normalised(text: str) -> str:
    r"""`text` as far as it matters for being the same: no case, no white space but single blanks.

    >>> normalised("So  12 \n= ＡＢ") == normalised("so 12 = ab")
    True
    """
    same = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(same.casefold().split())


class Wording:
    """What a text is compared by, cheapest first: most texts are told apart by their digits."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._digits = text.encode("ascii", "ignore").translate(None, _NO_DIGITS)

    @cached_property
    def _tokens(self) -> list[str]:
        """Its words and signs, in their order, and its ends."""
        return ["", *_TOKEN.findall(self._text.casefold()), ""]

    @cached_property
    def _neighbours(self) -> Counter[tuple[str, str]]:
        return Counter(pairwise(self._tokens))

    def has_same_numbers(self, other: "Wording") -> bool:
        """Whether both texts have the same numbers, in the same order."""
        if self._digits != other._digits:
            return False
        return _NUMBER.findall(self._text) == _NUMBER.findall(other._text)

    def overlap(self, other: "Wording") -> float:
        """See `overlap`."""
        return self._share((self._neighbours & other._neighbours).total(), other)

    def is_near(self, other: "Wording", threshold: float) -> bool:
        """Whether the overlap is above `threshold`."""
        return (
            threshold < 1
            and self.has_same_numbers(other)
            and self._share(self._most_shared(other), other) > threshold
            and self.overlap(other) > threshold
        )

    def _share(self, shared: int, other: "Wording") -> float:
        return 2 * shared / (len(self._tokens) + len(other._tokens) - 2)

    def _most_shared(self, other: "Wording") -> int:
        """At most so many pairs are in both: a token that the other lacks costs one at least."""
        own, others = set(self._tokens), set(other._tokens)
        lost = len(own - others) - len(self._tokens), len(others - own) - len(other._tokens)
        return -1 - max(lost)


def overlap(one: str, other: str) -> float:
    """F of the pairs of neighbouring tokens that two texts share, in [0, 1].

    2 |a & b| / (|a| + |b|), as multisets, text ends included. Texts whose numbers differ share
    nothing: a sum with another result is another step, however long it is.

    >>> round(overlap("add 3 and 4", "Add 3 and 4."), 6), overlap("3 - 4 = 1", "3 - 4 = 2")
    (0.727273, 0.0)
    """
    first, second = Wording(one), Wording(other)
    return first.overlap(second) if first.has_same_numbers(second) else 0.0


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
