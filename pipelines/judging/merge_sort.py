"""Merge sort with a comparator that may be unsure, as in PairS (arXiv 2403.16950).

    merge [a, c] and [b]:   a or b?  P(a) = 0.9  ─>  a
                            c or b?  P(c) = 0.45 ─>  b, c    mean log-probability (ln 0.9 + ln 0.55) / 2
                                        └ unsure ─>  c, b    (ln 0.9 + ln 0.45) / 2: kept in a beam

Halves are sorted at the same time; a merge asks one thing after the other. K responses take at most
K ceil(log2 K) - 2^ceil(log2 K) + 1 comparisons; with a beam of b paths at most b times as many, and
never more than there are pairs, for none is asked for twice.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from math import fsum, log
from typing import Generic, TypeVar

from pipelines.unit import gather

T = TypeVar("T")

EVEN = 0.5
LEAST = 1e-6
"""A probability as a path's logarithm takes it, at the least."""
ROUNDING = 1e-9
"""More than what a mean of probabilities can be off by, of which each is a whole number of 1e-6."""


def is_even(p: float, band: float) -> bool:
    """Whether `p` is `band` away from 1/2 or nearer.

    >>> is_even(0.55, 0.05), is_even(0.550001, 0.05)
    (True, False)
    """
    return abs(p - EVEN) <= band + ROUNDING


@dataclass(frozen=True, slots=True)
class Path(Generic[T]):
    """One way in which a merge may go on."""

    merged: tuple[T, ...] = ()
    i: int = 0
    """How many of the left list are merged."""
    j: int = 0
    """How many of the right one."""
    logprobs: tuple[float, ...] = ()
    """Of the choices so far, in nats."""

    @property
    def score(self) -> float:
        """Their mean."""
        return fsum(self.logprobs) / len(self.logprobs) if self.logprobs else 0.0

    def onto(self, item: T, p: float | None) -> "Path[T]":
        """The path with `item` merged, a choice of probability `p`."""
        logprobs = () if p is None else (log(max(p, LEAST)),)
        return replace(self, merged=(*self.merged, item), logprobs=(*self.logprobs, *logprobs))


@dataclass(slots=True)
class MergeSort(Generic[T]):
    """A sort under way, the best first, and all that it compared."""

    ask: Callable[[T, T], Awaitable[float | None]]
    """The probability that the first is better; None where it cannot be told."""
    toss: Callable[[T, T], bool]
    """Whether the first goes before the second where nothing else says."""
    beam_size: int = 1
    prob_gap: float = 0.0
    """Both choices are followed where the probability is so far from 1/2 or nearer."""
    known: dict[tuple[T, T], float | None] = field(default_factory=dict)
    """What was asked: the two, and the probability that the first is better."""

    async def sort(self, items: Sequence[T]) -> list[T]:
        """`items`, the best first."""
        if len(items) < 2:
            return list(items)
        half = len(items) // 2
        left, right = await gather(map(self.sort, (items[:half], items[half:])))
        return await self._merge(left, right)

    def probability(self, one: T, other: T) -> float | None:
        """That `one` is better; None where it was not asked, or could not be told."""
        if (one, other) in self.known:
            return self.known[one, other]
        p = self.known.get((other, one))
        return None if p is None else 1 - p

    def was_asked(self, one: T, other: T) -> bool:
        """Whether the two were compared."""
        return (one, other) in self.known or (other, one) in self.known

    async def _merge(self, left: Sequence[T], right: Sequence[T]) -> list[T]:
        beam: list[Path[T]] = [Path()]
        while unfinished := [one for one in beam if one.i < len(left) and one.j < len(right)]:
            heads = dict.fromkeys((left[one.i], right[one.j]) for one in unfinished)
            await gather(self._compare(*pair) for pair in heads if pair not in self.known)
            followed: list[Path[T]] = []
            for path in beam:
                followed += self._steps(path, left, right) if path in unfinished else [path]
            followed.sort(key=lambda path: -path.score)  # stable: of equal ones the first
            beam = followed[: self.beam_size]
        best = beam[0]
        return [*best.merged, *left[best.i :], *right[best.j :]]

    async def _compare(self, one: T, other: T) -> None:
        self.known[one, other] = await self.ask(one, other)

    def _steps(self, path: Path[T], left: Sequence[T], right: Sequence[T]) -> list[Path[T]]:
        """Where `path` goes on: to the better of two heads, to the other one too where unsure."""
        a, b = left[path.i], right[path.j]
        p = self.known[a, b]
        to_a = replace(path.onto(a, p), i=path.i + 1)
        to_b = replace(path.onto(b, None if p is None else 1 - p), j=path.j + 1)
        a_first = self.toss(a, b) if p is None or p == EVEN else p > EVEN
        both = [to_a, to_b] if a_first else [to_b, to_a]
        unsure = p is not None and is_even(p, self.prob_gap)
        return both if unsure else both[:1]


def most_comparisons(count: int, beam_size: int = 1) -> int:
    """Comparisons that a sort of `count` items may take.

    >>> [most_comparisons(count) for count in (1, 2, 3, 4, 8)], most_comparisons(8, beam_size=9)
    ([0, 1, 3, 5, 17], 28)
    """
    levels = (count - 1).bit_length()
    return min(beam_size * (count * levels - (1 << levels) + 1), count * (count - 1) // 2)


def ranks_of(
    order: Sequence[T], probability: Callable[[T, T], float | None], band: float = 0.0
) -> dict[T, int]:
    """Item -> rank, from 1, of a sorted `order`: those that comparisons which could be told connect.

    Of the chains in which each was found no worse than the next, directly or by others between
    them, the longest is ranked; the rest is not, and nobody is where nothing connects two. Of
    neighbours the second shares the rank of the first unless they were compared and the probability
    is more than `band` away from 1/2.

    >>> told = {("a", "b"): 0.9, ("b", "c"): 0.5, ("b", "d"): 0.7, ("c", "d"): 0.8}
    >>> ranks_of("abcd", lambda one, other: told.get((one, other)))
    {'a': 1, 'b': 2, 'c': 2, 'd': 4}
    >>> ranks_of("abcd", lambda one, other: {("a", "c"): 0.9, ("c", "d"): 0.8}.get((one, other)))
    {'a': 1, 'c': 2, 'd': 3}
    """
    chain = _longest_chain(order, probability)
    ranks: dict[T, int] = {}
    for place, item in enumerate(chain):
        before = chain[place - 1] if place else None
        p = None if before is None else probability(before, item)
        is_tied = before is not None and (p is None or is_even(p, band))
        ranks[item] = ranks[before] if is_tied and before is not None else place + 1
    return ranks if len(ranks) > 1 else {}


def _longest_chain(order: Sequence[T], probability: Callable[[T, T], float | None]) -> list[T]:
    """The longest part of `order` in which each is connected with the next; of several the first."""
    below: list[set[int]] = [set() for _ in order]
    chains: list[list[int]] = [[] for _ in order]
    for first in reversed(range(len(order))):
        for second in range(first + 1, len(order)):
            if probability(order[first], order[second]) is not None:
                below[first] |= {second} | below[second]
        longest = max((chains[other] for other in sorted(below[first])), key=len, default=[])
        chains[first] = [first, *longest]
    return [order[place] for place in max(chains, key=len, default=[])]
