"""An order of answers in which the answers to one prompt are far apart.

Prompts with equally many answers form a class. A class is a seeded permutation of its prompts,
gone through once for each answer that they have, and its rows stand at even distances on [0, 1);
the classes are merged by that place. Between two answers of a prompt that has c of them lies then
exactly 1/c of the line, on which a class of R rows has at least floor(R / c):

    distance >= sum over the classes of floor(R / m),    m the most answers that a prompt has

Where every prompt has the same number of answers this is the number of prompts: the best there is.
"""

import polars as pl

from pipelines.selection.seeded import seeded_order


def spread(answers: pl.DataFrame, seed: int) -> pl.DataFrame:
    """`answers` (`answer_id`, `prompt_id`, ...) in the order described above.

    Which answer of a prompt comes first is drawn too, so labels mix. The order is a function of
    the set of rows and of `seed`.
    """
    prompts = answers.group_by("prompt_id").len("siblings").sort("prompt_id")
    prompts = prompts.with_columns(draw=seeded_order(prompts["prompt_id"], seed, "spread"))
    prompts = prompts.sort("siblings", "draw", "prompt_id").select(
        "prompt_id",
        "siblings",
        rank=pl.int_range(pl.len()).over("siblings"),
        prompts=pl.len().over("siblings"),
    )
    turns = answers.with_columns(turn_draw=seeded_order(answers["answer_id"], seed, "spread"))
    turns = turns.sort("prompt_id", "turn_draw", "answer_id").with_columns(
        turn=pl.int_range(pl.len()).over("prompt_id")
    )
    placed = turns.join(prompts, on="prompt_id").with_columns(place=_place())
    return placed.sort("place", "siblings").select(answers.columns)


def _place() -> pl.Expr:
    """(i + 1/2) / R for the i-th of the R rows of a class; a tie goes to the smaller class."""
    position = pl.col("turn") * pl.col("prompts") + pl.col("rank")
    return (2 * position + 1) / (2 * pl.col("prompts") * pl.col("siblings"))


def least_distance(answers: pl.DataFrame) -> int | None:
    """Rows from an answer to the next one of its prompt, at the least; None where there is none."""
    places = answers.select("prompt_id", place=pl.int_range(pl.len()))
    steps = places.select(pl.col("place").diff().over("prompt_id")).drop_nulls()
    least: int | None = min(steps["place"], default=None)
    return least
