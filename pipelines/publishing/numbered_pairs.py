"""Numbered pairs: the published pairs of a version without ids and texts, for figures of all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.publishing.versions import Version

MODELS = ("chosen_model", "rejected_model")
NUMBERS = ("n_chars_chosen", "n_chars_rejected", "score_margin")


@dataclass(frozen=True, slots=True)
class NumberedPairs:
    """Pairs whose prompts are numbers: to group and to join by these takes a fraction."""

    version: Version
    prompts: pl.Series
    """The ids of all prompts, sorted: a prompt's number is its place here."""
    rows: pl.DataFrame
    """`prompt`, `chosen_model` and `rejected_model` (of one `Enum`, by name), and `NUMBERS`."""

    def games(self) -> pl.DataFrame:
        """What `ranking` takes: the chosen answer's model has won."""
        return self.rows.select(prompt_id="prompt", model="chosen_model", other="rejected_model")

    def last_of_first(self, prompts: int, which: pl.Expr) -> str:
        """The id of the last of the first so many prompts that have a pair that `which` holds for."""
        first = self.rows.filter(which)["prompt"].unique().sort().head(prompts)
        return str(self.prompts[first[-1]])

    def read(self, columns: Sequence[str], which: pl.Expr) -> pl.DataFrame:
        """Published columns of the pairs that `which` holds for, by published columns."""
        return _scan(self.version).filter(which).select(columns).collect()


def numbered_pairs(version: Version) -> NumberedPairs:
    """Those of a version that has some."""
    prompts = pl.scan_parquet(version.files("prompts"), glob=False).select("prompt_id")
    ids = prompts.collect().to_series().sort()
    hashed = pl.col("prompt_id").hash()  # joined in an eighth of the time that ids take
    key = hashed if ids.to_frame().select(hashed.is_unique().all()).item() else "prompt_id"
    numbers = ids.to_frame().with_row_index("prompt").select("prompt", key=key)
    found = _scan(version).select(*MODELS, *NUMBERS, key=key).collect()
    found = found.join(numbers, on="key", how="left", maintain_order="left").drop("key")
    models = pl.concat([found[name].rename("model").unique() for name in MODELS])
    kind = pl.Enum(models.drop_nulls().unique().sort())
    return NumberedPairs(version, ids, found.with_columns(pl.col(MODELS).cast(kind)))


def _scan(version: Version) -> pl.LazyFrame:
    return pl.scan_parquet(version.files("pairs"), glob=False)
