"""What is measured: answers and judgments as slim tables, ids as numbers, no texts."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from pipelines.bias.markdown import density
from pipelines.scoring.rounding import rounded
from schemas.canonical import MICRO

if TYPE_CHECKING:
    from pipelines.publishing.versions import Version

LENGTHS = ("prompt_id", "response_id", "n_chars")
"""The columns of responses that the cheapest figures need."""
JUDGMENTS = ("judge", "judge_identity", "prompt_id", "response_id", "response_a_id",
             "response_b_id", "comparison_id", "order", "annotator", "sample_index", "record_key",
             "score", "score_a", "score_b", "rank", "verdict", "p_a", "error")  # fmt: skip
LATER = {"dimension": pl.String, "position": pl.Int64}
"""Columns of judgments that older versions do not have."""
_SIDES = {"response": "response_id", "a": "response_a_id", "b": "response_b_id"}


@dataclass(frozen=True, slots=True)
class Judged:
    """Answers and what was said of them."""

    responses: pl.DataFrame
    """`response` and `prompt` (numbers, in the order of ids), `model`, `n_chars`..."""
    judgments: pl.DataFrame
    """As `frames.JUDGMENTS`, with the numbers `prompt` and `response`, and of comparisons
    `comparison` and the responses `a` and `b`."""

    def judges(self) -> list[str]:
        """Names, sorted; JUDGE.DIMENSION for what judged one dimension."""
        return sorted(self.judgments["judge"].unique())

    def whole(self) -> list[str]:
        """The judges of whole answers, sorted."""
        return sorted(self.judgments.filter(pl.col("dimension").is_null())["judge"].unique())

    def of(self, judge: str) -> pl.DataFrame:
        """The judgments of one judge."""
        return self.judgments.filter(pl.col("judge") == judge)


def judged(responses: pl.LazyFrame, judgments: pl.LazyFrame) -> Judged:
    """Numbers the ids. `judgments` have scores in micro-units, and JUDGE.DIMENSION as `judge`."""
    answers = responses.collect().sort("prompt_id", "response_id").with_row_index("response")
    answers = answers.with_columns(prompt=pl.col("prompt_id").rle_id())
    prompts = answers.lazy().select("prompt_id", "prompt").unique("prompt_id")
    said = judgments.join(prompts, on="prompt_id", how="left")
    known = set(judgments.collect_schema().names())
    for number, id_ in _SIDES.items():
        if id_ in known:
            ids = answers.lazy().select(
                pl.col("response_id").alias(id_), pl.col("response").alias(number)
            )
            said = said.join(ids, on=id_, how="left")
    comparison = pl.col("comparison_id").rank("dense").cast(pl.UInt32)
    return Judged(answers, said.with_columns(comparison=comparison).collect())


def published(version: "Version") -> Judged:
    """The tables of a version, with the `markdown` and the `text_hash` of every answer."""
    responses = pl.scan_parquet(version.files("responses"), glob=False)
    return judged(
        responses.select(*LENGTHS, "model", "text_hash", markdown=density(pl.col("text"))),
        judgments_of(version),
    )


def judgments_of(version: "Version") -> pl.LazyFrame:
    """The judgments of a version, as `judged` takes them."""
    judgments = pl.scan_parquet(version.files("judgments"), glob=False)
    there = judgments.collect_schema().names()
    later = {name: pl.lit(None, kind) for name, kind in LATER.items() if name not in there}
    said = judgments.rename({"shown_order": "order"}).with_columns(**later)
    name = pl.concat_str("judge", "dimension", separator=".").fill_null(pl.col("judge"))
    micro = [rounded(pl.col(score) * MICRO) for score in ("score", "score_a", "score_b")]
    return said.select(*JUDGMENTS, *LATER).with_columns(*micro, judge=name)
