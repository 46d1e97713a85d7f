"""Models: those of a version's pairs, ranked by Bradley-Terry, each with its interval.

The intervals are bootstrapped over prompts. Those of the curvature (Wald's) would take every pair
for a witness of its own; but the pairs of one prompt share their answers: a model that is right
wins there against all that are wrong.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl

from pipelines.agreement.bootstrap import times_drawn
from pipelines.ranking.bradley_terry import Matrix, Vector, groups, strengths
from pipelines.ranking.games import Games, games_of

SEED = 0
"""Of the resamples: equal pairs have equal intervals."""
RESAMPLES = 1_000
CELLS_AT_ONCE = 100_000
"""Of the matrices of wins of those resamples that are worked on together."""
TAIL = 0.025
"""Share of the resamples beyond each bound."""
DECIMALS = 6
SHOWN = 3
"""Models that are named of a group that never met another."""


class Ranked(NamedTuple):
    """One model."""

    model: str
    games: int
    """Pairs with another model."""
    points: float
    """Games won, and half of those tied."""
    share: float
    """points / games."""
    strength: float | None
    """In nats, 0 for the average model; None where models that never met cannot be ranked."""
    low: float | None
    high: float | None
    """Bounds of `strength` at 95 %; None where too few prompts tell."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The strongest model first; by share of points where there are no strengths."""

    models: tuple[Ranked, ...]
    prompts: int
    """Prompts with a game."""
    reason: str | None
    """Why there are no strengths, or None."""


def ranking(games: pl.DataFrame) -> Ranking:
    """The ranking by games: `prompt_id`, `model` and `other`.

    `model` has won, or has the column `points`, in [0, 1], where there is one: 0.5 of a tie. Games
    of a model with itself, or with one that has no name, do not count.
    """
    known = games_of(games if "points" in games.columns else games.with_columns(points=1.0))
    if not known.models:
        return Ranking((), 0, "no pair has answers of two models")
    wins = known.wins(np.ones(len(known.points)))
    reason = _unconnected(known.models, wins)
    estimates = [_UNKNOWN] * len(known.models) if reason else _estimates(known, wins)
    shares = zip(known.models, (wins + wins.T).sum(axis=1), wins.sum(axis=1), strict=True)
    rows = [
        Ranked(model, round(float(n)), float(points), float(points / n), *estimate)
        for (model, n, points), estimate in zip(shares, estimates, strict=True)
    ]
    rows.sort(key=lambda row: (-(row.strength or 0.0), -row.share, row.model))
    return Ranking(tuple(rows), known.prompts, reason)


_Estimate = tuple[float | None, float | None, float | None]
"""A strength and its bounds."""
_UNKNOWN: _Estimate = (None, None, None)


def _unconnected(models: tuple[str, ...], wins: Matrix) -> str | None:
    """Why the models cannot be ranked, if there are such between which no chain of games is."""
    group = groups(wins)
    if not group.any():
        return None
    first, second = (
        [models[n] for n in np.flatnonzero(group == one)] for one in np.unique(group)[:2]
    )
    return f"no chain of pairs links {_named(first)} with {_named(second)}"


def _named(models: list[str]) -> str:
    more = f" and {len(models) - SHOWN} more" if len(models) > SHOWN else ""
    return ", ".join(models[:SHOWN]) + more


def _estimates(known: Games, wins: Matrix) -> list[_Estimate]:
    theta = strengths(wins)
    if len(known.points) < 2:
        return [(_rounded(one), None, None) for one in theta]
    times = times_drawn(len(known.points), SEED, RESAMPLES)
    at_once = max(1, CELLS_AT_ONCE // wins.size)
    drawn = np.concatenate(
        [_redrawn(known, times[n : n + at_once], theta) for n in range(0, RESAMPLES, at_once)]
    )
    return [(_rounded(one), *_bounds(drawn[:, place])) for place, one in enumerate(theta)]


def _redrawn(known: Games, times: Matrix, start: Vector) -> Matrix:
    """The strengths in some resamples, a row of each; NaN of a model that has no game there."""
    wins = known.wins(times)
    played = (wins + wins.swapaxes(-1, -2)).any(axis=-1)
    return np.where(played, strengths(wins, start), np.nan)


def _bounds(drawn: Vector) -> tuple[float | None, float | None]:
    """Where 95 % of the resamples lie; unknown where half of them have no game of the model."""
    found = drawn[~np.isnan(drawn)]
    if 2 * len(found) <= len(drawn):
        return None, None
    low = np.quantile(found, TAIL, method="lower")
    return _rounded(low), _rounded(np.quantile(found, 1 - TAIL, method="higher"))


def _rounded(strength: np.floating) -> float:
    """The last digits hang on the machine."""
    return round(float(strength), DECIMALS) + 0.0
