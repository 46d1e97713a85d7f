"""Where answers come from decides: a stronger model's over a weaker one's, a good prompt's over a bad.

"Stronger preferred", a baseline of CLAIR (arXiv 2408.06266), and the contrasts of PopAlign (arXiv
2410.13785): no judge is needed.
"""

from typing import ClassVar, Literal

import polars as pl
from pydantic import Field, model_validator

from pipelines.intake.columns import Names
from pipelines.pairing import Paired, Pairing
from pipelines.selection import votes
from pipelines.selection.duels import capped, first_reason
from pipelines.selection.frames import MAY_BE_LEFT_OUT, PAIRED, Columns, Frames


class Origin(Pairing):
    """Each response of one origin over each one of another, to the same prompt.

    Where a judge scored both, the pair has its scores, and the filter `margin` keeps those that it
    agrees with.
    """

    reads: ClassVar[Columns] = Columns(
        responses=frozenset(
            (
                "response_id",
                "sampler",
                "model",
                "partial",
                "has_text",
                "refused",
                "score",
                "text_hash",
                "record_key",
            )
        ),
        judgments=votes.READS,
    )

    by: Literal["model", "sampler"] = "model"
    """What `chosen` and `rejected` are names of."""
    chosen: Names = Field(min_length=1)
    """Models (or samplers) whose responses are chosen."""
    rejected: Names = Field(min_length=1)
    """Models (or samplers) whose responses are rejected."""
    same_key: bool = False
    """Whether both must have the same `key`: of recorded responses, those of one row alone. For edits
    and choices, where several rows may have one prompt."""
    max_per_prompt: int | None = Field(default=1, ge=1)
    """At most so many pairs of one prompt, drawn by the seed; every one with a large number."""

    @model_validator(mode="after")
    def _no_name_on_both_sides(self) -> "Origin":
        if both := sorted(set(self.chosen) & set(self.rejected)):
            raise ValueError(f"{', '.join(both)} cannot be chosen and rejected")
        return self

    def sampler_names(self) -> tuple[str, ...]:
        """The samplers that are named."""
        return (*self.chosen, *self.rejected) if self.by == "sampler" else ()

    def pair(self, frames: Frames, seed: int) -> Paired:
        """Pairs of different texts; with `same_key` a comparison is a row, by its key."""
        texts = frames.responses.filter("has_text", ~pl.col("partial").fill_null(False))
        chosen = self._of(texts, self.chosen).filter(
            ~pl.col("refused").fill_null(False) | self.choose_refusals
        )
        rejected = self._of(texts, self.rejected)
        sides = _suffixed(chosen, "chosen").join(_suffixed(rejected, "rejected"), on="prompt")
        if self.same_key:
            sides = sides.filter(pl.col("key_chosen") == pl.col("key_rejected"))
        different = sides.filter(pl.col("text_chosen") != pl.col("text_rejected"))
        pairs = capped(frames, different, self.max_per_prompt, seed, self.name)
        pairs = pairs.with_columns(comparison_id=pl.lit(None, pl.String))
        columns = [name for name in PAIRED if name not in MAY_BE_LEFT_OUT]
        return Paired(
            votes.count_votes(pairs, frames).select(columns),
            self._unpaired(frames, pairs, chosen, rejected),
            _equal_rows(sides, different) if self.same_key else None,
        )

    def _of(self, responses: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
        return responses.filter(pl.col(self.by).is_in(names))

    def _unpaired(
        self, frames: Frames, pairs: pl.DataFrame, chosen: pl.DataFrame, rejected: pl.DataFrame
    ) -> pl.DataFrame:
        prompts = frames.prompts.select("prompt").join(pairs, on="prompt", how="anti")
        has = {
            name: pl.col("prompt").is_in(side["prompt"].unique().implode())
            for name, side in (("chosen", chosen), ("rejected", rejected))
        }
        reasons = {
            "no_chosen_response": ~has["chosen"],
            "no_rejected_response": ~has["rejected"],
        }
        if self.same_key:
            keys = chosen.select("prompt", "record_key").drop_nulls()
            shared = keys.join(rejected, on=["prompt", "record_key"], how="semi")["prompt"]
            reasons["no_shared_key"] = ~pl.col("prompt").is_in(shared.unique().implode())
        return prompts.select("prompt", reason=first_reason(reasons).fill_null("identical_texts"))


def _equal_rows(sides: pl.DataFrame, different: pl.DataFrame) -> pl.DataFrame:
    """The rows whose texts are equal, of prompts that have other rows; the prompt's reason says all."""
    row = ["prompt", "key_chosen"]
    equal = sides.join(different, on=row, how="anti").join(different, on="prompt", how="semi")
    told = equal.select(row).unique().rename({"key_chosen": "comparison_id"})
    return told.with_columns(reason=pl.lit("identical_texts"))


def _suffixed(side: pl.DataFrame, name: str) -> pl.DataFrame:
    return side.select(
        "prompt",
        pl.col("response").alias(name),
        pl.col("score").alias(f"score_{name}"),
        pl.col("text_hash").alias(f"text_{name}"),
        pl.col("record_key").alias(f"key_{name}"),
    )
