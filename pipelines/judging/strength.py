"""Strength: what games say of each player, by a declared rule. A win is 1 point, a tie 1/2.

    win_rate        points / games                                     in [0, 1]
    bradley_terry   theta, with P(i beats j) = sigma(theta_i - theta_j)   in nats, 0 for the average

Bradley-Terry's theta is the maximum of the posterior: as if each had also tied once with somebody of
strength 0, so that it is finite for who won or lost every game, and defined where not all are
connected by games. Games that nobody could tell do not count.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import fsum, log
from typing import TypeVar

from pipelines.judging.tournaments import Game

T = TypeVar("T")

PRECISION = 1e-10
"""Largest relative change of a strength at which the iteration ends."""
MOST_STEPS = 10_000


def win_rates(games: Sequence[Game[T]]) -> dict[T, float]:
    """Player -> points / games, of those with a game that could be told.

    >>> win_rates([Game("a", "b", 1.0), Game("a", "c", 0.5), Game("b", "c", None)])
    {'a': 0.75, 'b': 0.0, 'c': 0.5}
    """
    points = _points(games)
    return {player: round(fsum(own) / len(own), 6) for player, own in points.items()}


def bradley_terry(games: Sequence[Game[T]]) -> dict[T, float]:
    """Player -> theta, in nats, to 6 decimals, of those with a game that could be told.

    Found by Newman's iteration (arXiv 2207.00076) on w = exp theta, one player after the other:
    w_i <- (sum_j won_ij w_j / (w_i + w_j)) / (sum_j lost_ij / (w_i + w_j)), where j is also the one
    of strength 1 against whom each has won and lost half a game.

    >>> bradley_terry([Game("a", "b", 0.5), Game("b", "c", 0.5)])
    {'a': 0.0, 'b': 0.0, 'c': 0.0}
    """
    met: dict[T, list[tuple[T, float]]] = defaultdict(list)
    for game in _told(games):
        assert game.points is not None
        met[game.one].append((game.other, game.points))
        met[game.other].append((game.one, 1 - game.points))
    strengths = dict.fromkeys(met, 1.0)
    for _ in range(MOST_STEPS):
        change = 0.0
        for player, own_games in met.items():
            better = _better(strengths[player], [(strengths[one], won) for one, won in own_games])
            change = max(change, abs(better / strengths[player] - 1))
            strengths[player] = better
        if change < PRECISION:
            break
    return {player: round(log(strength), 6) + 0.0 for player, strength in strengths.items()}


def _better(own: float, games: Sequence[tuple[float, float]]) -> float:
    """A strength that explains a player's games better: (strength of the other, points) of each."""
    against_average = 0.5 / (own + 1)
    won = fsum(points * other / (own + other) for other, points in games)
    lost = fsum((1 - points) / (own + other) for other, points in games)
    return (won + against_average) / (lost + against_average)


def _points(games: Iterable[Game[T]]) -> dict[T, list[float]]:
    """Player -> its points of each game that could be told."""
    points: dict[T, list[float]] = defaultdict(list)
    for game in _told(games):
        assert game.points is not None
        points[game.one].append(game.points)
        points[game.other].append(1 - game.points)
    return dict(points)


def _told(games: Iterable[Game[T]]) -> list[Game[T]]:
    return [game for game in games if game.points is not None]
