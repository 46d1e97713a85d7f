"""What measures find, as columns of pairs: a measure NAME is the column `measures.NAME`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from pipelines.errors import RecipeError
from pipelines.scoring.voices import rating_voice
from pipelines.selection.frames import Frames

if TYPE_CHECKING:
    from pipelines.measure import Measure

LONG = {
    "pair_id": pl.String,
    "prompt_id": pl.String,
    "measure": pl.String,
    "value": pl.Float64,
    "n_obs": pl.Int64,
}
"""One row for each pair and measure that was found: the published table `measures`."""


DIFFICULTY = "difficulty"
"""The measure of this name is published beside the pairs."""


def column_of(measure: str) -> str:
    """The column of pairs that holds a measure."""
    return f"measures.{measure}"


def columns_of(measures: "Sequence[Measure]") -> dict[str, type[pl.DataType]]:
    """The columns that measures add to `frames.PAIRS`."""
    return {column_of(measure.name): pl.Float64 for measure in measures}


def scores_of(frames: Frames, judge: str) -> pl.DataFrame:
    """`response`, `value` (one judge's mean score, micro-units, a double), `n` samples."""
    said = frames.judgments.filter(pl.col("judge") == judge, pl.col("response").is_not_null())
    return rating_voice(judge, said, "mean").scores


def measured(
    measures: "Sequence[Measure]", frames: Frames, pairs: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`pairs`, in their order, with the columns of `measures`; and what was found, as `LONG`.

    Raises RecipeError where a measure finds two values for one pair.
    """
    found = [pl.DataFrame(schema=LONG)]
    for measure in measures:
        values = measure.measure(frames, pairs)
        if values["pair_id"].is_duplicated().any():
            raise RecipeError(f"measures.{measure.name}: two values for one pair")
        column = column_of(measure.name)
        pairs = pairs.join(
            values.select("pair_id", pl.col("value").cast(pl.Float64).alias(column)),
            on="pair_id",
            how="left",
            maintain_order="left",
        )
        known = values.filter(pl.col("value").is_not_null())
        long = known.join(pairs.select("pair_id", "prompt_id"), on="pair_id")
        found.append(
            long.select(pl.col(name).cast(kind) for name, kind in LONG.items() if name != "measure")
            .with_columns(measure=pl.lit(measure.name))
            .select(*LONG)
        )
    return pairs, pl.concat(found)
