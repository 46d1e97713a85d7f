"""Tournaments: who meets whom, and how often.

round robin   K (K - 1) / 2 games      everyone meets everyone
knockout      K - 1                    who loses is out; the first seeds pass the first round where
                                       K is no power of 2
swiss         rounds x floor(K / 2)    in each round, who meets next in the standings and has not
                                       met yet; with an odd K one has a bye, a different one each
                                       time
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Generic, TypeVar

from pipelines.unit import gather

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Game(Generic[T]):
    """Two that met, and what the first has of it."""

    one: T
    other: T
    points: float | None
    """1, 1/2 or 0, of which the other has the rest; None: nobody could tell."""


Play = Callable[[T, T], Awaitable[float | None]]
"""The points that the first has of a game with the second."""


async def round_robin(seeds: Sequence[T], play: Play[T]) -> list[Game[T]]:
    """Every two meet, all at the same time."""
    return await _played(combinations(seeds, 2), play)


async def knockout(seeds: Sequence[T], play: Play[T]) -> list[Game[T]]:
    """In each round the best seed left meets the worst, and so on; a tie is the better seed's.

    So the first two seeds can meet in the final only. Byes go to the best.
    """
    games: list[Game[T]] = []
    place = {seed: at for at, seed in enumerate(seeds)}
    left = list(seeds)
    while len(left) > 1:
        half = 1 << ((len(left) - 1).bit_length() - 1)  # so many go on
        byes = left[: 2 * half - len(left)]
        rest = left[len(byes) :]
        middle = len(rest) // 2
        pairs = zip(rest[:middle], reversed(rest[middle:]), strict=True)
        played = await _played(pairs, play)
        winners = (game.other if game.points == 0 else game.one for game in played)
        left = sorted([*byes, *winners], key=place.__getitem__)
        games += played
    return games


def most_rounds(count: int) -> int:
    """Rounds for which a Swiss tournament of `count` surely finds games that nobody has had.

    Who has not met makes a graph of degree at least half its size, and such a graph has a perfect
    matching (Dirac). With an odd count the bye is one more opponent.

    >>> [most_rounds(count) for count in (2, 3, 4, 5, 8)]
    [1, 2, 2, 3, 4]
    """
    return (count + 1) // 2


async def swiss(seeds: Sequence[T], play: Play[T], rounds: int) -> list[Game[T]]:
    """At most `most_rounds`; of equal points the better seed stands higher."""
    games: list[Game[T]] = []
    size = len(seeds) + len(seeds) % 2  # the last place of an even number is the bye
    points = [0.0] * size
    met: set[frozenset[int]] = set()
    for _ in range(min(rounds, most_rounds(len(seeds)))):
        standings = sorted(range(size), key=lambda place: (-points[place], place))
        pairs = _matching(standings, met)
        met |= set(map(frozenset, pairs))
        met_now = [(one, other) for one, other in pairs if max(one, other) < len(seeds)]
        played = await _played([(seeds[one], seeds[other]) for one, other in met_now], play)
        for (one, other), game in zip(met_now, played, strict=True):
            won = 0.5 if game.points is None else game.points
            points[one] += won
            points[other] += 1 - won
        games += played
    return games


async def _played(pairs: Iterable[tuple[T, T]], play: Play[T]) -> list[Game[T]]:
    """The games of some pairs, played at the same time."""
    met = list(pairs)
    points = await gather(play(*pair) for pair in met)
    return [Game(*pair, said) for pair, said in zip(met, points, strict=True)]


def _matching(standings: Sequence[int], met: set[frozenset[int]]) -> list[tuple[int, int]]:
    """Pairs of those who have not met, the higher first, near each other in the standings.

    Neighbours are paired from the top; where the rest has met all along, a pair further up is taken
    apart (an augmenting exchange, of which Dirac's condition leaves one).

    >>> _matching([0, 1, 2, 3], {frozenset((0, 1)), frozenset((2, 3))})
    [(0, 2), (1, 3)]
    >>> _matching([0, 1, 2, 3], {frozenset((0, 1)), frozenset((0, 2)), frozenset((1, 3))})
    [(0, 3), (1, 2)]
    """
    partner: dict[int, int] = {}
    for one in standings:
        if one not in partner:
            free = (two for two in standings if two not in partner and two != one)
            two = next((two for two in free if frozenset((one, two)) not in met), None)
            if two is not None:
                partner[one], partner[two] = two, one
    alone = [one for one in standings if one not in partner]
    for one, two in zip(alone[::2], alone[1::2], strict=True):
        _exchange(one, two, partner, standings, met)
    place = {one: at for at, one in enumerate(standings)}
    pairs = [(one, two) for one, two in partner.items() if place[one] < place[two]]
    return sorted(pairs, key=lambda pair: place[pair[0]])


def _exchange(
    one: int,
    two: int,
    partner: dict[int, int],
    standings: Sequence[int],
    met: set[frozenset[int]],
) -> None:
    """Gives `one` and `two`, who have met, the two of a pair: the lowest that fits.

    Each has not met at least half of all; so some pair has one whom the first and another whom the
    second has not met.
    """
    for three in reversed(standings):
        four = partner.get(three)
        if four is None:
            continue
        if frozenset((one, three)) not in met and frozenset((two, four)) not in met:
            partner[one], partner[three] = three, one
            partner[two], partner[four] = four, two
            return
    raise AssertionError("Dirac: there is such a pair")
