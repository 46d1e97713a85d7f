"""CHES: whether training on a pair is likely to make its chosen answer less likely."""

import hashlib
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
from pydantic import PrivateAttr

from pipelines.errors import RecipeError
from pipelines.measure import Measure
from pipelines.part import Where
from pipelines.selection.frames import Columns, Frames

PRODUCTS = {
    "pair_id": pl.String,
    "ww": pl.Float64,
    "wl": pl.Float64,
    "n_w": pl.Int64,
    "n_l": pl.Int64,
}
"""`ww` = <S_w, S_w> and `wl` = <S_w, S_l>, where S_w and S_l are the sums of the last layer's hidden
states over the `n_w` and `n_l` tokens of the chosen and the rejected answer, padding left out."""


class Ches(Measure):
    """The centred hidden embedding similarity <S_w, S_l> - <S_w, S_w>: more is riskier.

    Its authors (arXiv 2410.08847) find that pairs high in it make the chosen answer less likely,
    and keep the lowest. The table of inner products comes from the model that is to be trained.
    """

    reads: ClassVar[Columns] = Columns()

    products: str
    """Path of the table, relative to the recipe: Parquet or CSV with `pair_id`, `ww` = <S_w, S_w>,
    `wl` = <S_w, S_l>, `n_w` and `n_l`. S_w, S_l: sums of the last layer's hidden states over the
    n_w, n_l positions from the last prompt token to the last but one of the answer, no padding."""
    by_length: bool = True
    """Whether products are divided by lengths, wl / (n_w n_l) - ww / n_w^2, as the paper's filter
    has them; without, long answers have large scores."""

    _scores: pl.DataFrame | None = PrivateAttr(default=None)
    _sha256: str = PrivateAttr(default="")

    def identity(self) -> dict[str, Any]:
        """As `Part.identity`, with the table's hash in the place of its path."""
        return super().identity() | {"products": self._sha256}

    def check(self, where: Where) -> None:
        """Raises RecipeError for a table that is missing, has a pair twice, or cannot be true."""
        path = where.root / self.products
        try:
            self._scores = self._scored(_read(path))
            self._sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        except (RecipeError, OSError) as error:
            raise where.error(str(error), "products") from error

    def measure(self, frames: Frames, pairs: pl.DataFrame) -> pl.DataFrame:
        """A pair that is not in the table, or whose products are not finite, is not measured."""
        assert self._scores is not None, "check() comes before measure()"
        return self._scores.join(pairs.select("pair_id"), on="pair_id", how="semi")

    def _scored(self, products: pl.DataFrame) -> pl.DataFrame:
        ww, wl = pl.col("ww"), pl.col("wl")
        if self.by_length:
            n_w, n_l = pl.col("n_w").cast(pl.Float64), pl.col("n_l").cast(pl.Float64)
            ww, wl = ww / (n_w * n_w), wl / (n_w * n_l)
        scores = products.select("pair_id", value=wl - ww, n_obs=pl.col("n_w") + pl.col("n_l"))
        return scores.filter(pl.col("value").is_finite())


def _read(path: Path) -> pl.DataFrame:
    try:
        scan = pl.scan_csv if path.suffix == ".csv" else pl.scan_parquet
        table = scan(path, glob=False)
        names = table.collect_schema().names()
        if missing := [name for name in PRODUCTS if name not in names]:
            raise RecipeError(
                f"{path}: column {', '.join(missing)} is missing; it has {', '.join(names)}"
            )
        products = table.select(pl.col(name).cast(kind) for name, kind in PRODUCTS.items())
        found = products.collect().drop_nulls()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise RecipeError(f"{path}: no table of inner products: {error}") from error
    for wrong, why in (
        (pl.col("pair_id").is_duplicated(), "stands twice"),
        ((pl.col("n_w") < 1) | (pl.col("n_l") < 1), "has an answer without tokens"),
        (pl.col("ww") < 0, "has a negative <S_w, S_w>"),
    ):
        if (rows := found.filter(wrong)).height:
            raise RecipeError(f"{path}: pair {rows['pair_id'].sort()[0]} {why}")
    return found
