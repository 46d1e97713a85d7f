"""Compared: the published pairs of a version as risks see them, texts read only where needed."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from pipelines.bias.markdown import density

if TYPE_CHECKING:
    from pipelines.publishing.versions import Version

SIDES = ("chosen", "rejected")
OF_PAIRS = ("pair_id", "prompt_id", "chosen_response_id", "rejected_response_id", "chosen_model",
            "rejected_model", "n_chars_chosen", "n_chars_rejected")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Compared:
    """Pairs, and where the texts of their responses are."""

    pairs: pl.DataFrame
    """Columns `OF_PAIRS`, `markdown_chosen` and `markdown_rejected`, sorted by `pair_id`."""
    responses: pl.LazyFrame
    """`response_id` and `text` of every response."""

    def texts(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """`pairs` with `chosen` and `rejected`: the texts, null where they are not kept."""
        for side in SIDES:
            key = f"{side}_response_id"
            wanted = pairs.lazy().select(pl.col(key).unique())
            texts = self.responses.rename({"response_id": key, "text": side})
            texts = texts.join(wanted, on=key, how="semi")
            pairs = pairs.join(texts.collect(), on=key, how="left", maintain_order="left")
        return pairs

    def held(self) -> "Compared":
        """The same with all texts of its pairs in memory, for who asks several times."""
        ids = pl.concat([self.pairs[f"{side}_response_id"].rename("response_id") for side in SIDES])
        texts = self.responses.filter(pl.col("response_id").is_in(ids.unique().implode()))
        return replace(self, responses=texts.collect().lazy())


def compared(version: "Version") -> Compared:
    """The pairs of a version, of all splits."""
    scan = pl.scan_parquet(version.files("pairs"), glob=False)
    pairs = scan.select(OF_PAIRS).collect().sort("pair_id")
    texts = pl.scan_parquet(version.files("responses"), glob=False).select("response_id", "text")
    densities = texts.select("response_id", markdown=density(pl.col("text"))).collect()
    for side in SIDES:
        own = {"response_id": f"{side}_response_id", "markdown": f"markdown_{side}"}
        pairs = pairs.join(
            densities.rename(own), on=own["response_id"], how="left", maintain_order="left"
        )
    return Compared(pairs, texts)
