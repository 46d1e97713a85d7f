"""Difficulty: the held-out losses of a pair become one number."""

import math

import polars as pl

from pipelines.difficulty.losses import AT_START

MEASURED = {
    "pair_id": pl.String,
    "difficulty": pl.Float64,
    "difficulty_std": pl.Float64,
    "n_obs": pl.Int64,
}


def learning_order(losses: pl.DataFrame) -> pl.DataFrame:
    """Mean held-out loss of each pair over all seeds and checkpoints (the paper's measure).

    Columns `MEASURED`, sorted by pair: `difficulty` and its population standard deviation in nats.
    Both are null for a pair with a loss that is not finite. Sums run in the order of run and
    checkpoint, so that they are the same bits whatever the order of rows.
    """
    loss = pl.col("loss")
    ordered = losses.sort("pair_id", "run_id", "checkpoint")
    means = ordered.group_by("pair_id", maintain_order=True).agg(
        finite=loss.is_finite().all(),
        difficulty=loss.sum() / pl.len(),
        difficulty_std=loss.std(ddof=0),
        n_obs=pl.len().cast(pl.Int64),
    )
    known = pl.when("finite").then(pl.col("difficulty", "difficulty_std"))
    return means.with_columns(known).select(*MEASURED)


def learned_step(losses: pl.DataFrame) -> pl.DataFrame:
    """The checkpoint from which a pair stays right, as a mean over seeds; infinity if it never does.

    Right means a loss below ln 2: the run prefers the chosen answer more than its reference does.
    Columns `MEASURED`; `n_obs` counts the runs.
    """
    right = pl.col("loss") < AT_START
    backwards = losses.sort("pair_id", "run_id", "checkpoint", descending=[False, False, True])
    stays = pl.col("right").cum_min().over("pair_id", "run_id")
    runs = (
        backwards.with_columns(right=right.cast(pl.Int8))
        .with_columns(stays=stays)
        .group_by("pair_id", "run_id")
        .agg(
            finite=pl.col("loss").is_finite().all(),
            step=pl.col("checkpoint").filter(pl.col("stays") == 1).min().cast(pl.Float64),
        )
        .with_columns(pl.col("step").fill_null(math.inf))
        .sort("pair_id", "run_id")
    )
    step = pl.col("step")
    means = runs.group_by("pair_id", maintain_order=True).agg(
        finite=pl.col("finite").all(),
        difficulty=step.sum() / pl.len(),
        difficulty_std=pl.when(step.is_finite().all()).then(step.std(ddof=0)),
        n_obs=pl.len().cast(pl.Int64),
    )
    known = pl.when("finite").then(pl.col("difficulty", "difficulty_std"))
    return means.with_columns(known).select(*MEASURED)


def stability(losses: pl.DataFrame) -> dict[tuple[int, int], float | None]:
    """Spearman's correlation of the pairs' mean losses between every two seeds.

    The paper's evidence that difficulty belongs to the pair. None where a seed tells no two pairs
    apart.
    """
    means = (
        losses.group_by("pair_id", "seed")
        .agg(pl.col("loss").mean())
        .pivot("seed", index="pair_id", values="loss")
        .sort("pair_id")
    )
    seeds = sorted(int(name) for name in means.columns if name != "pair_id")
    return {
        (one, other): spearman(means[str(one)], means[str(other)])
        for place, one in enumerate(seeds)
        for other in seeds[place + 1 :]
    }


def spearman(one: pl.Series, other: pl.Series) -> float | None:
    """The rank correlation of two columns, row by row; None where one does not vary."""
    both = pl.DataFrame({"one": one, "other": other}).drop_nulls()
    if min(both["one"].n_unique(), both["other"].n_unique()) < 2:
        return None
    found = both.select(pl.corr("one", "other", method="spearman")).item()
    return float(found)
