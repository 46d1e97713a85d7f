"""Prompts that are nearly the same, once."""

from typing import ClassVar

import numpy as np
import polars as pl
from pydantic import Field

from pipelines.extras import missing
from pipelines.part import Real, Where
from pipelines.risks.minhash import FUNCTIONS, signatures
from pipelines.risks.near import near_groups
from pipelines.selection.frames import PairText
from pipelines.selection.hashes import draw_integers
from pipelines.selector import Selector

SIGNATURE = pl.Array(pl.UInt8, FUNCTIONS)


class NearDuplicates(Selector):
    """Of prompts that are nearly the same, keeps the pairs of one, drawn by the seed.

    So none of them is in one split and its like in another. Likeness is that of sets of five
    characters in a row (Jaccard's), estimated by MinHash with 128 functions: with a standard
    deviation of at most 0.05. Prompts that others link are one group. Needs datasketch:
    `pip install "pairwright[risks]"`.
    """

    reads: ClassVar[frozenset[str]] = frozenset(("prompt_id",))
    texts: ClassVar[frozenset[PairText]] = frozenset(("prompt_text",))

    likeness: Real = Field(default=0.8, gt=0, le=1)
    """From which likeness on two prompts are nearly the same: 1 for equal sets of shingles. With
    prompts from templates, whose numbers make the difference, take 0.9 or more."""

    def check(self, where: Where) -> None:
        """Raises RecipeError where datasketch is not installed."""
        if lacking := missing("risks", "datasketch"):
            raise where.error(lacking, "kind")

    def digest(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """The signature of the prompt, 128 bytes, in the place of its text."""
        prompts = pairs.select("prompt_id", "prompt_text").unique("prompt_id")
        signed = pl.Series("signature", signatures(prompts["prompt_text"]), SIGNATURE)
        signed_prompts = prompts.select("prompt_id", signed)
        return pairs.drop("prompt_text").join(
            signed_prompts, on="prompt_id", how="left", maintain_order="left"
        )

    def drops(self, pairs: pl.DataFrame, seed: int) -> pl.DataFrame:
        """The pairs of the other prompts of each group."""
        prompts = pairs.select("prompt_id", "signature").unique("prompt_id").sort("prompt_id")
        rows = prompts["signature"].to_numpy().reshape(-1, FUNCTIONS).astype(np.uint8, copy=False)
        drawn = draw_integers(prompts, seed, "near_duplicates", pl.col("prompt_id"))
        group = pl.Series(near_groups(rows, self.likeness))
        in_order = prompts.select("prompt_id", draw=drawn, group=group).sort("draw", "prompt_id")
        others = in_order.filter(~pl.col("group").is_first_distinct())
        dropped = pairs.join(others, on="prompt_id", how="semi")
        return dropped.select("pair_id", reason=pl.lit("near_duplicate"))
