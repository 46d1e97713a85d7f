"""Strength: what games say of each player, by a declared rule. A win is 1 point, a tie 1/2.

    win_rate        points / games                                     in [0, 1]
    bradley_terry   theta, with P(i beats j) = sigma(theta_i - theta_j)   in nats, 0 for the average

Bradley-Terry's theta (`pipelines.ranking.bradley_terry`) is finite for who won or lost every game,
and defined where not all are connected by games. Games that nobody could tell do not count.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import fsum
from typing import TypeVar

import numpy as np

from pipelines.judging.tournaments import Game
from pipelines.ranking.bradley_terry import strengths

T = TypeVar("T")


def win_rates(games: Sequence[Game[T]]) -> dict[T, float]:
    """Player -> points / games, of those with a game that could be told.

    >>> win_rates([Game("a", "b", 1.0), Game("a", "c", 0.5), Game("b", "c", None)])
    {'a': 0.75, 'b': 0.0, 'c': 0.5}
    """
    points = _points(games)
    return {player: round(fsum(own) / len(own), 6) for player, own in points.items()}


def bradley_terry(games: Sequence[Game[T]]) -> dict[T, float]:
    """Player -> theta, in nats, to 6 decimals, of those with a game that could be told.

    >>> bradley_terry([Game("a", "b", 0.5), Game("b", "c", 0.5)])
    {'a': 0.0, 'b': 0.0, 'c': 0.0}
    """
    place: dict[T, int] = {}
    for game in _told(games):
        for player in (game.one, game.other):
            place.setdefault(player, len(place))
    wins = np.zeros((len(place), len(place)))
    for game in _told(games):
        assert game.points is not None
        one, other = place[game.one], place[game.other]
        wins[one, other] += game.points
        wins[other, one] += 1 - game.points
    theta = strengths(wins)
    return {player: round(float(theta[at]), 6) + 0.0 for player, at in place.items()}


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
