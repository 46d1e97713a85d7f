"""Games: what models won against each other, added up over blocks of prompts."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.ranking.bradley_terry import Matrix, Vector

BLOCKS = 1_000
"""Most blocks: of more prompts, neighbours in the order of their ids, which are hashes, are one."""


@dataclass(frozen=True, slots=True)
class Games:
    """Points of models against each other. Without a game there is no model."""

    models: tuple[str, ...]
    """By name; a model's place is its number."""
    places: npt.NDArray[np.int64]
    """winner * number of models + loser, of each column of `points`."""
    points: Matrix
    """A row for each block of prompts."""
    prompts: int

    def wins(self, times: Vector) -> Matrix:
        """Points of each model against each, where each block counts `times[..., block]`."""
        n = len(self.models)
        wins = np.zeros((*times.shape[:-1], n * n))
        wins[..., self.places] = times @ self.points
        return wins.reshape(*times.shape[:-1], n, n)


def games_of(games: pl.DataFrame) -> Games:
    """From rows with `prompt_id`, `model`, `other`, and the `points` of `model` in [0, 1].

    Games of a model with itself, or with one that has no name, do not count.
    """
    met = games.filter(pl.col("model") != pl.col("other"))
    models = pl.concat([met["model"], met["other"].rename("model")]).unique().sort()
    prompts = met["prompt_id"].unique().sort()
    one, other = (_number(met[side], models) for side in ("model", "other"))
    block = _number(met["prompt_id"], prompts) * min(BLOCKS, len(prompts)) // max(1, len(prompts))
    points, n = met["points"].to_numpy(), len(models)
    both = np.concatenate([one * n + other, other * n + one])
    is_played = np.bincount(both, minlength=n * n) > 0
    places, column = np.flatnonzero(is_played), (np.cumsum(is_played) - 1)[both]
    shape = (min(BLOCKS, len(prompts)), len(places))
    cell = np.concatenate([block, block]) * len(places) + column
    total = np.bincount(cell, np.concatenate([points, 1 - points]), shape[0] * shape[1])
    return Games(tuple(models), places, total.reshape(shape).astype(np.float64), len(prompts))


def _number(values: pl.Series, known: pl.Series) -> npt.NDArray[np.int64]:
    """The place of each value among the known ones."""
    places = known.to_frame("value").with_row_index("place")
    found = values.to_frame("value").join(places, on="value", how="left", maintain_order="left")
    return found["place"].cast(pl.Int64).to_numpy()
